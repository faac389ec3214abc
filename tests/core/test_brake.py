# SPDX-License-Identifier: Apache-2.0
"""The brake on numbers alone: what counts, where the limit is, and what a set is called.

All e-services are on 2.0.0, overdue since 2025-11-01; their decisions promise 2026-11-01 in Riga.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.brake import Brake, token_of
from eservice_operator.core.braking import decide_template
from eservice_operator.core.counting import FRESH, WINDOW, Part, PublicService, subject_of
from eservice_operator.core.dates import instant
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.tally import Counted
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.worlds import POLICY, SECOND, at

DUE = at("2026-11-01", "00:00")
"""The instant that the decisions promise."""
FIRST = "0123456789"
"""A token."""
OTHER_DAY = at("2026-12-24", "00:00")


def known(**lifecycle: Any) -> KnownTemplate:
    body = worlds.template(lifecycle={"brake": {"percent": 10, "atLeast": 5}})
    template = EServiceTemplate.model_validate(worlds.merged(body, {"spec": {"lifecycle": lifecycle}}))
    return KnownTemplate(template, catalogue_of(template))


def decision(number: int, spec: dict[str, Any] | None = None, **status: Any) -> UnpublishDecision:
    """The decision about the e-service of that number; as if its e-service had looked at it."""
    said = {"observedGeneration": 1, "state": "Scheduled", "effectiveAt": instant(DUE)} | status
    name = f"e{number}"
    body = worlds.decision(
        metadata={"name": f"{name}-production-001", "uid": f"uid-{name}"},
        spec={"registration": name, "eService": {"name": name}} | (spec or {}),
        status={key: value for key, value in said.items() if value is not None},
    )
    return UnpublishDecision.model_validate(body)


def gone(number: int, since: datetime = DUE, **status: Any) -> UnpublishDecision:
    return decision(number, state="Effective", effectiveSince=instant(since), **status)


def held(number: int, token: str = FIRST, since: datetime = DUE, **status: Any) -> UnpublishDecision:
    said = {"state": "Held", "reason": "Brake", "holdToken": token, "heldSince": instant(since)} | status
    return decision(number, **said)


def services(*numbers: int, published: bool = True) -> tuple[PublicService, ...]:
    return tuple(PublicService(f"e{number}", "2.0.0", published) for number in numbers)


def base(count: int, first: int = 0) -> tuple[PublicService, ...]:
    """E-services that are public on the current version."""
    return tuple(PublicService(f"e{number}", "3.0.0", True) for number in range(first, first + count))


def brake(
    decisions: tuple[UnpublishDecision, ...],
    served: tuple[PublicService, ...] = (),
    now: datetime = DUE,
    **lifecycle: Any,
) -> Brake:
    return Brake(known(**lifecycle), Fleet(served, decisions), now, POLICY)


def due(count: int, first: int = 0) -> tuple[UnpublishDecision, ...]:
    return tuple(decision(number) for number in range(first, first + count))


def counted_by(one: Brake) -> list[Counted]:
    return list(one.fleet.tally(one.known, one.now, one.policy).counted())


def parts(one: Brake) -> dict[Part, int]:
    found = [counted.part for counted in counted_by(one)]
    return {part: found.count(part) for part in Part if part in found}


# where the limit is


@pytest.mark.parametrize(
    "count, served, engaged",
    [
        (5, 6, False),  # exactly atLeast
        (6, 6, True),
        (6, 59, True),  # 6 of 59 is more than 10 percent
        (6, 60, False),  # exactly 10 percent
        (7, 69, True),
        (7, 70, False),
        (60, 600, False),
        (61, 600, True),
    ],
)
def test_it_engages_above_both_limits_and_not_at_them(count: int, served: int, engaged: bool) -> None:
    one = brake(due(count), base(served))
    assert one.engages() is engaged
    assert one.wave().engaged is engaged
    assert len(one.wave().freeze) == (count if engaged else 0)


@pytest.mark.parametrize(
    "limit, count, engaged",
    [
        ({"percent": 0, "atLeast": 1}, 1, False),
        ({"percent": 0, "atLeast": 1}, 2, True),
        ({"percent": 100, "atLeast": 1}, 20, False),
        ({"percent": 50, "atLeast": 1}, 10, False),
        ({"percent": 50, "atLeast": 1}, 11, True),
        ({"percent": 10, "atLeast": 100}, 20, False),
    ],
)
def test_the_limits_are_the_policy_s(limit: dict[str, int], count: int, engaged: bool) -> None:
    assert brake(due(count), base(20), brake=limit).engages() is engaged


# what counts


def test_a_decision_counts_from_24_hours_before_its_instant_on() -> None:
    assert parts(brake(due(1), now=DUE - WINDOW)) == {}
    assert parts(brake(due(1), now=DUE - WINDOW + SECOND)) == {Part.DUE: 1}


@pytest.mark.parametrize(
    "patch",
    [
        {"state": "Closed", "reason": "Renewed"},
        {"state": "Effective", "effectiveSince": instant(DUE - WINDOW)},
        {"state": "Effective", "effectiveSince": instant(DUE), "holdToken": "t", "releasedAt": instant(DUE)},
        {"state": "Held", "holdToken": "t", "heldSince": instant(DUE - WINDOW)},
        {"state": "Held", "holdToken": "t", "heldSince": instant(DUE), "releasedAt": instant(DUE)},
        {
            "state": "Held",
            "reason": "RenewalUnderWay",
            "fairness": {"release": "r", "since": "2026-11-01", "until": "2026-11-02"},
        },
        {"undeferredAt": instant(DUE + 2 * WINDOW)},
    ],
)
def test_these_do_not_count(patch: dict[str, Any]) -> None:
    assert parts(brake((decision(1, **patch),))) == {}


@pytest.mark.parametrize(
    "patch, part",
    [
        ({"effectiveAt": None}, Part.DUE),
        ({"state": "Held", "reason": "NoticeUndelivered"}, Part.DUE),
        ({"state": "Held", "reason": "ClockSkew"}, Part.DUE),
        (
            {
                "state": "Held",
                "reason": "RenewalUnderWay",
                "fairness": {"release": "r", "since": "2026-10-12", "until": "2026-10-31"},
            },
            Part.DUE,
        ),
        (
            {  # it waits no more: the fairness is only remembered
                "state": "Held",
                "reason": "NoticeUndelivered",
                "fairness": {"release": "r", "since": "2026-11-01", "until": "2026-11-20"},
            },
            Part.DUE,
        ),
        ({"state": "Held", "holdToken": "t", "heldSince": instant(DUE - WINDOW + SECOND)}, Part.HELD),
        ({"state": "Effective", "effectiveSince": instant(DUE - WINDOW + SECOND)}, Part.GONE),
    ],
)
def test_these_count(patch: dict[str, Any], part: Part) -> None:
    assert parts(brake((decision(1, **patch),))) == {part: 1}


@pytest.mark.parametrize(
    "revoked, counts",
    [("2026-10-31", False), ("2026-11-01", False), ("2026-11-02", True)],
)
def test_a_revoked_decision_does_not_count(revoked: str, counts: bool) -> None:
    taken_back = decision(1, {"revoked": {"at": revoked, "reason": "an emergency"}})
    assert bool(parts(brake((taken_back,)))) is counts


@pytest.mark.parametrize(
    "lifecycle",
    [
        {"enforcement": "Warn"},
        {"enforcement": "Observe"},
        {"enforceFrom": "2026-11-03"},
        {"maximumLag": "P9Y"},
    ],
)
def test_what_the_policy_would_hold_anyway_does_not_count(lifecycle: dict[str, Any]) -> None:
    assert parts(brake(due(1), services(2), **lifecycle)) == {}


def test_what_is_enforced_from_tomorrow_counts_today() -> None:
    for now, count in ((DUE, 0), (DUE + SECOND, 1)):
        assert len(parts(brake(due(1), now=now, enforceFrom="2026-11-02"))) == count
        assert len(parts(brake((), services(2), now=now, enforceFrom="2026-11-02"))) == count


def test_a_service_that_nobody_decided_upon_yet_counts() -> None:
    assert parts(brake((), services(1, 2))) == {Part.COMING: 2}
    assert parts(brake((), services(1, published=False))) == {}
    assert parts(brake(due(1), services(0))) == {Part.DUE: 1}


@pytest.mark.parametrize("notice", ["P1D", "P30D"])
def test_a_decision_to_come_with_a_notice_period_does_not_count_yet(notice: str) -> None:
    assert parts(brake((), services(1), noticePeriod=notice)) == {}


def test_a_service_whose_decision_was_forgiven_is_not_decided_upon_again() -> None:
    revoked = {"at": "2026-10-05", "reason": "an emergency"}
    forgiven = decision(1, {"revoked": revoked}, state="Closed", reason="Revoked")
    assert parts(brake((forgiven,), services(1))) == {}
    another = decision(1, {"revoked": revoked, "causedBy": "2.5.0"}, state="Closed", reason="Revoked")
    assert parts(brake((another,), services(1))) == {Part.COMING: 1}
    renewed = decision(1, state="Closed", reason="Renewed")
    assert parts(brake((renewed,), services(1))) == {Part.COMING: 1}, "2 to 3, and back to 2"


REVOKED = {"at": "2026-11-02", "reason": "given up"}


@pytest.mark.parametrize(
    "warn_before, spec, count",
    [
        ([], {}, 0),
        ([], {"revoked": REVOKED}, 1),
        ([], {"revoked": REVOKED | {"at": "2026-11-03"}}, 0),
        (["P7D"], {"revoked": REVOKED}, 0),  # it ends early: announced anew, with time for the last warning
    ],
)
def test_only_the_present_deferrals_move_a_decision(
    warn_before: list[str], spec: dict[str, Any], count: int
) -> None:
    put_off = decision(
        1, effectiveAt=instant(OTHER_DAY), deferredUntil="2026-12-23", reason="Deferred", state="Scheduled"
    )
    body = worlds.deferral("2026-12-23", spec={"eService": {"name": "e1"}} | spec)
    one = UnpublishDeferral.model_validate(body)
    fleet = Fleet((), (put_off,), lambda service: (one,) if service.name == "e1" else ())
    found = parts(Brake(known(warnBefore=warn_before), fleet, DUE + SECOND, POLICY))
    assert found == ({Part.DUE: 1} if count else {})


def test_a_decision_without_e_service_does_not_count() -> None:
    fleet = Fleet((), due(7), forsaken=lambda one: one.spec.registration != "e0")
    assert parts(Brake(known(), fleet, DUE, POLICY)) == {Part.DUE: 1}


def test_one_s_own_decision_counts_whatever_its_status_says() -> None:
    waits = decision(1, reason="RenewalUnderWay", state="Held", fairness=FAIRNESS)
    assert parts(brake((waits,))) == {}
    limit = {"percent": 0, "atLeast": 1}
    one = brake((waits, decision(2)), brake=limit)
    assert not one.engages()
    assert one.engages(waits)
    assert not one.engages(decision(2))


FAIRNESS = {"release": "r", "since": "2026-11-01", "until": "2026-11-20"}


# a wave that passes


def test_the_base_does_not_shrink_while_the_wave_passes() -> None:
    """60 e-services: 6 may go. Each that went leaves the published ones; the seventh is one too many."""
    for number in range(7):
        went = tuple(gone(one) for one in range(number))
        left = base(60 - number, first=number)
        engaged = brake((*went, decision(number)), left).engages()
        assert engaged is (number == 6)


def test_a_service_that_is_down_and_not_reported_so_yet_counts_once_in_the_base() -> None:
    went = tuple(gone(one) for one in range(6))
    assert brake((*went, decision(6)), base(60)).engages()


def test_what_happened_counts_only_with_something_to_hold() -> None:
    assert not brake(tuple(gone(one) for one in range(20))).engages()
    assert not brake(tuple(held(one) for one in range(20))).engages()
    assert brake((*(held(one) for one in range(20)), decision(20))).engages(), "later ones form a new set"


def test_a_set_that_is_released_makes_room() -> None:
    released = tuple(held(one, releasedAt=instant(DUE)) for one in range(20))
    assert not brake((*released, *due(5, 20)), services(*range(25))).engages()


# tokens


def subjects(*numbers: int) -> set[tuple[str, str, str]]:
    return {(f"e{number}", "Production", "2.0.0") for number in numbers}


def test_the_token_is_that_of_all_who_are_about_to_be_held() -> None:
    wave = brake(due(3), services(*range(7))).wave()
    assert wave.token == token_of(subjects(*range(7)))
    assert [subject_of(one)[0] for one in wave.freeze] == ["e0", "e1", "e2"]


@given(
    st.integers(6, 20).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)), st.randoms()))
)
def test_a_set_that_is_half_made_goes_on_with_its_token(case: tuple[int, set[int], Any]) -> None:
    """Whoever has the token already, has a decision only, or has none yet."""
    count, done, chance = case
    token = token_of(subjects(*range(count)))
    decided = {number for number in range(count) if number not in done and chance.random() < 0.5}
    decisions = tuple(
        held(number, token) if number in done else decision(number) for number in sorted(done | decided)
    )
    wave = brake(decisions, services(*range(count))).wave()
    left = count - len(done)
    assert wave.engaged is (left > 0)
    if left:
        assert wave.token == token
        assert {subject_of(one)[0] for one in wave.freeze} == {f"e{number}" for number in decided}


def test_later_ones_get_a_token_of_their_own() -> None:
    first = token_of(subjects(*range(6)))
    whole = tuple(held(number, first) for number in range(6))
    wave = brake((*whole, decision(6), decision(7))).wave()
    assert wave.token == token_of(subjects(6, 7))
    assert len(wave.freeze) == 2


def test_one_that_left_a_half_made_set_splits_it() -> None:
    """What its token was made of never comes together: the rest is a set of its own."""
    first = token_of(subjects(*range(8)))
    half = tuple(held(number, first) for number in range(4))
    wave = brake((*half, *due(3, 4)), services(*range(7))).wave()
    assert wave.token == token_of(subjects(4, 5, 6))


def test_a_token_that_is_released_already_is_given_to_nobody() -> None:
    whole = due(6)
    guessed = token_of(subjects(*range(6)))
    wave = brake(whole, brake={"release": guessed}).wave()
    assert wave.token == token_of(subjects(*range(6)), 1)
    half = (*(held(number, wave.token) for number in range(3)), *due(3, 3))
    assert brake(half, brake={"release": guessed}).wave().token == wave.token


def test_the_token_of_an_earlier_set_of_the_same_services_is_not_used_again() -> None:
    """Released once, then all decisions revoked: a new cause may not pass by the old release."""
    first = token_of(subjects(*range(6)))
    closed = tuple(
        held(number, first, releasedAt=instant(DUE), state="Closed", reason="Renewed") for number in range(6)
    )
    again = tuple(
        one.model_copy(update={"metadata": one.metadata.model_copy(update={"name": f"again-{index}"})})
        for index, one in enumerate(due(6))
    )
    wave = brake((*closed, *again), services(*range(6))).wave()
    assert wave.token == token_of(subjects(*range(6)), 1)


def test_a_set_is_filled_also_when_it_was_released_meanwhile() -> None:
    token = token_of(subjects(*range(7)))
    released = tuple(held(number, token, releasedAt=instant(DUE)) for number in range(4))
    went = tuple(gone(number) for number in range(20, 24))
    wave = brake((*released, *went, *due(3, 4)), brake={"release": token}).wave()
    assert wave.token == token


# counting no further than needed


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Brake, bool]:
    """A brake in any state, and what a full count says."""
    count = draw(st.integers(1, 14))
    made = [decision, gone, held, lambda number: decision(number, state="Closed"), None]
    kinds = draw(st.lists(st.sampled_from(made), min_size=count, max_size=count))
    decisions = tuple(make(number) for number, make in enumerate(kinds) if make is not None)
    served = tuple(
        service for number in range(count) for service in services(number, published=draw(st.booleans()))
    )
    limit = {"percent": draw(st.sampled_from([0, 10, 50, 90, 100])), "atLeast": draw(st.integers(1, 6))}
    one = brake(decisions, served, brake=limit)
    found = list(counted_by(one))
    base = {service.registration for service in served if service.published}
    base |= {counted.subject[0] for counted in found if counted.part is Part.GONE}
    fresh = any(counted.part in FRESH for counted in found)
    number = len({counted.subject[:2] for counted in found})
    return one, fresh and number > limit["atLeast"] and number * 100 > limit["percent"] * len(base)


@given(fleets())
def test_it_engages_by_all_that_counts(case: tuple[Brake, bool]) -> None:
    one, expected = case
    assert one.engages() is expected


@given(fleets(), st.randoms())
def test_the_order_of_what_is_counted_changes_nothing(case: tuple[Brake, bool], chance: Any) -> None:
    one, _ = case
    decisions, served = list(one.fleet.decisions), list(one.fleet.services)
    chance.shuffle(decisions)
    chance.shuffle(served)
    other = replace(one, fleet=Fleet(tuple(served), tuple(decisions)))
    assert other.engages() is one.engages()
    assert other.wave().token == one.wave().token


# when to look again


@given(
    st.lists(st.tuples(st.integers(-40, 80), st.integers(0, 60)), max_size=8),
    st.integers(-10, 10),
)
def test_the_next_look_is_that_of_asking_each_decision(hours: list[tuple[int, int]], later: int) -> None:
    """Those whose promise lies beyond the best instant found are not asked; the answer is the same."""
    now = DUE + timedelta(hours=later)
    decisions = tuple(
        decision(
            number,
            {"effectiveAt": instant(DUE + timedelta(hours=promised))},
            undeferredAt=instant(DUE + timedelta(hours=promised + moved)),
        )
        for number, (promised, moved) in enumerate(hours)
    )
    template = known()
    alone = [
        decide_template(
            TemplateWorld(template.template, template.catalogue, fleet=Fleet((), some)), now, POLICY
        ).next_at
        for some in ((), *((one,) for one in decisions))
    ]
    world = TemplateWorld(template.template, template.catalogue, fleet=Fleet((), decisions))
    assert decide_template(world, now, POLICY).next_at == min(filter(None, alone), default=None)
