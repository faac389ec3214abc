# SPDX-License-Identifier: Apache-2.0
"""R8 on several e-services of one template: what one wrong date does, and what it does not.

Eight e-services are public on 3.0.0. The brake lets five go within 24 hours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.conditions import find
from eservice_operator.core.counting import WINDOW
from eservice_operator.core.dates import instant
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, NAME, SECOND, TEMPLATE, at, image

EIGHT = "abcdefgh"
KNOWN = at("2027-02-01")
DUE = at("2027-06-01", "00:00")
LATE = at("2027-07-01")
FOUR = worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION))
"""4.0.0 makes 3.0.0 overdue on 2027-06-01; applied later than that it does so at once."""


@pytest.fixture
def fleet() -> PureFleet:
    return PureFleet.of(EIGHT)


@pytest.fixture
def held(fleet: PureFleet) -> PureFleet:
    """A template edit has made all eight overdue at once."""
    fleet.put_template(FOUR)
    fleet.settle(LATE)
    return fleet


def the_token(fleet: PureFleet) -> str:
    (token,) = fleet.tokens()
    return token


def renew(fleet: PureFleet, name: str, now: str, version: str = "4.0.0", letter: str = "d") -> None:
    """An institution moves to another version, with everything that belongs to it."""
    cluster, place = fleet.members[name], f"{NAME}-{name}"
    release = {"image": image(letter), "template": {"version": version}}
    cluster.edit_service(release={"image": image(letter)}, template={"version": version})
    cluster.put(worlds.act(f"act-{letter}", spec={"eService": {"name": place}} | release))
    verified = {"eService": place, "verifiedAt": f"{now}T07:00:00Z"} | release
    created = {"creationTimestamp": f"{now}T07:00:00Z"}
    cluster.put(worlds.verification(f"passed-{letter}", metadata=created, spec=verified))


# one wrong date


def test_not_even_the_first_of_many_goes(held: PureFleet) -> None:
    assert held.served() == list(EIGHT)
    assert held.held() == list(EIGHT)
    decisions = held.decisions().values()
    assert {one.status.reason for one in decisions} == {Reason.BRAKE}
    assert all(the_token(held) in one.status.message for one in decisions)
    status = held.template_status(LATE)
    (one,) = status.held
    assert (one.token, one.count, one.since) == (the_token(held), 8, LATE)
    assert list(one.decisions) == sorted(decision.metadata.name for decision in decisions)
    engaged = find(status.conditions, ConditionType.BRAKE_ENGAGED)
    assert engaged is not None
    assert f"8 under the token {the_token(held)}" in engaged.message
    assert f"kubectl eservice release-brake {TEMPLATE}" in engaged.message


def test_each_is_held_as_soon_as_it_is_decided_upon(fleet: PureFleet) -> None:
    """Before any template is reconciled, and before the others have decisions."""
    fleet.put_template(FOUR)
    for name in EIGHT:
        fleet.members[name].settle(LATE)
        decision = fleet.decisions()[name].status
        assert (decision.state, decision.reason) == (DecisionState.HELD, Reason.BRAKE)
        assert decision.hold_token is None
    assert fleet.served() == list(EIGHT)


def test_who_waits_for_a_set_asks_again_at_once_and_then_ever_less(fleet: PureFleet) -> None:
    """R8: a deferral of the others leaves no set to make, and then nothing else wakes who is free."""
    fleet.put_template(FOUR)
    member, looks = fleet.members["a"], [LATE]
    while looks[-1] < LATE + timedelta(minutes=5):
        decided = member.settle(looks[-1])
        assert decided is not None
        assert decided.next_at is not None
        assert fleet.decisions()["a"].status.reason == Reason.BRAKE
        looks.append(decided.next_at)
    waits = [(after - before).total_seconds() for before, after in pairwise(looks)]
    assert waits[:3] == [1, 1, 1]
    assert waits == sorted(waits)
    assert waits[-1] == 60
    assert len(waits) < 20


def test_waves_on_different_days_are_counted_by_the_day() -> None:
    """24 e-services and the brake's default, 10 % and 5: five are told on one day, five on another."""
    names = "abcdefghijklmnopqrstuvwx"
    fleet = PureFleet.of(names)
    fleet.policy = replace(fleet.policy, channels=((Channel.EMAIL, ""),))
    for cluster in fleet.members.values():
        cluster.policy = fleet.policy
    policy = {"noticePeriod": "P14D", "holdUninformed": "P3M"}
    fleet.put_template(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle=policy))
    fleet.settle(LATE)
    now = LATE
    for told, day in (("abcde", at("2027-07-02")), ("fghij", at("2027-07-05"))):
        fleet.advance(now, day)
        now = day
        for name in told:
            decision = ("UnpublishDecision", "", f"{NAME}-{name}-production-001")
            fleet.members[name].objects[decision]["status"]["informedAt"] = instant(day)
        fleet.settle(now)
    fleet.advance(now, at("2027-07-17", "00:00"))
    assert fleet.gone() == list("abcde")
    fleet.advance(at("2027-07-17", "00:00"), at("2027-07-20", "00:00"))
    assert fleet.gone() == list("abcdefghij")
    assert fleet.served() == list(names[10:]), "nobody was told yet"


def test_nothing_is_let_go_by_time(held: PureFleet) -> None:
    held.advance(LATE, LATE + 90 * DAY)
    assert held.served() == list(EIGHT)
    assert len(held.frozen) == 8


def test_a_release_lets_exactly_that_set_go(held: PureFleet) -> None:
    for name in EIGHT:
        held.members[name].forget()
    held.release(the_token(held))
    held.settle(LATE + DAY)
    assert held.served() == []
    assert held.gone() == list(EIGHT)
    status = held.template_status(LATE + DAY)
    assert status.held == ()
    assert find(status.conditions, ConditionType.BRAKE_ENGAGED) is None
    for cluster in held.members.values():
        assert cluster.writes()["Delete HTTPRoute"] == 1


@pytest.mark.parametrize("token", ["0123456789", "", "*"])
def test_another_token_lets_nobody_go(held: PureFleet, token: str) -> None:
    held.set_policy(brake={"release": token or None})
    held.advance(LATE, LATE + 3 * DAY)
    assert held.served() == list(EIGHT)


def test_a_token_cannot_be_released_before_it_is_given(fleet: PureFleet) -> None:
    """Whoever computes it beforehand gains nothing: the set is called otherwise then."""
    rehearsal = PureFleet.of(EIGHT)
    rehearsal.put_template(FOUR)
    rehearsal.settle(LATE)
    fleet.put_template(
        worlds.merged(FOUR, {"spec": {"lifecycle": {"brake": {"release": the_token(rehearsal)}}}})
    )
    fleet.settle(LATE)
    assert fleet.served() == list(EIGHT)


def test_what_was_released_passes_for_ever(held: PureFleet) -> None:
    held.release(the_token(held))
    held.settle(LATE)
    deferral = {"eService": {"name": f"{NAME}-a"}}
    held.members["a"].put(worlds.deferral("2027-08-01", spec=deferral))
    held.release("0123456789")
    held.settle(LATE + DAY)
    assert held.served() == ["a"], "a deferral brings it back"
    held.advance(LATE + DAY, at("2027-08-03"))
    assert held.served() == []


# announced long before


def test_a_wave_that_is_foreseen_is_held_a_day_before(fleet: PureFleet) -> None:
    fleet.put_template(FOUR)
    fleet.advance(KNOWN, DUE - WINDOW)
    assert fleet.held() == []
    fleet.advance(DUE - WINDOW, DUE - WINDOW + SECOND)
    assert fleet.held() == list(EIGHT)
    fleet.advance(DUE - WINDOW + SECOND, DUE + 3 * DAY)
    assert fleet.served() == list(EIGHT)
    assert len(fleet.tokens()) == 1
    fleet.release(the_token(fleet))
    fleet.settle(DUE + 4 * DAY)
    assert fleet.served() == []


def test_a_set_that_is_released_before_its_day_goes_on_its_day(fleet: PureFleet) -> None:
    fleet.put_template(FOUR)
    fleet.advance(KNOWN, DUE - timedelta(hours=5))
    fleet.release(the_token(fleet))
    fleet.settle(DUE - timedelta(hours=4))
    assert fleet.served() == list(EIGHT)
    assert {one.status.state for one in fleet.decisions().values()} == {DecisionState.SCHEDULED}
    fleet.advance(DUE - timedelta(hours=4), DUE - SECOND)
    assert fleet.served() == list(EIGHT)
    fleet.advance(DUE - SECOND, DUE)
    assert fleet.served() == []


def test_few_enough_go_on_their_day() -> None:
    fleet = PureFleet.of("abcde")
    fleet.put_template(FOUR)
    fleet.advance(KNOWN, DUE)
    assert fleet.served() == []
    assert fleet.tokens() == set()


# sets that shrink and grow


def test_members_leave_a_set_and_the_rest_stays_held_however_few(held: PureFleet) -> None:
    renew(held, "a", "2027-07-01")
    held.advance(LATE, LATE + DAY)
    assert held.decisions()["a"].status.reason == Reason.RENEWED
    for name in "bcd":
        cluster = held.members[name]
        place = "UnpublishDecision", "", held.decisions()[name].metadata.name
        cluster.edit(place, spec={"revoked": {"at": "2027-07-03", "reason": "an emergency"}})
    held.members["e"].put(worlds.deferral("2027-08-31", spec={"eService": {"name": f"{NAME}-e"}}))
    held.advance(LATE + DAY, LATE + 10 * DAY)
    assert held.held() == ["f", "g", "h"]
    assert held.decisions()["e"].status.reason == Reason.DEFERRED
    assert held.served() == list(EIGHT)
    (one,) = held.template_status(LATE + 10 * DAY).held
    assert one.count == 4, "the deferred one is still in it"
    held.release(the_token(held))
    held.settle(LATE + 10 * DAY)
    assert held.gone() == ["f", "g", "h"]
    held.advance(LATE + 10 * DAY, at("2027-09-01"))
    assert held.gone() == ["e", "f", "g", "h"]


def test_later_ones_form_a_set_of_their_own_and_are_released_apart(held: PureFleet) -> None:
    first, later = the_token(held), LATE + timedelta(hours=6)
    late = held.join("i")
    late.put(worlds.template())
    late.settle(LATE)  # public before the new version was applied there
    late.put(held.templates[TEMPLATE])
    held.settle(later)
    tokens = held.tokens()
    assert len(tokens) == 2
    assert held.decisions()["i"].status.hold_token != first
    assert [one.count for one in held.template_status(later).held] == [8, 1]
    held.release(first)
    held.settle(later)
    assert held.served() == ["i"]
    (second,) = tokens - {first}
    held.release(second)
    held.settle(later)
    assert held.served() == []


def test_a_single_one_passes_a_day_after_a_set_was_held(held: PureFleet) -> None:
    late = held.join("i")
    late.put(worlds.template())
    late.settle(LATE)
    late.put(held.templates[TEMPLATE])
    held.settle(LATE + WINDOW)
    assert held.gone() == ["i"]
    assert held.held() == list(EIGHT)


# crashes


@given(st.integers(0, 8), st.permutations(EIGHT))
@settings(max_examples=8)
def test_a_crash_in_the_middle_of_freezing_goes_on_with_the_same_token(done: int, order: list[str]) -> None:
    fleet = PureFleet.of(EIGHT)
    fleet.put_template(FOUR)
    fleet.crash_after = done
    fleet.settle(LATE, order)
    fleet.crash_after = None
    fleet.settle(LATE + timedelta(hours=1), reversed(order))
    assert fleet.served() == list(EIGHT)
    assert len(fleet.tokens()) == 1
    fleet.release(the_token(fleet))
    fleet.settle(LATE + timedelta(hours=2))
    assert fleet.served() == []


def test_a_crash_while_the_set_is_let_go_lets_the_rest_go_too(held: PureFleet) -> None:
    held.release(the_token(held))
    held.members["a"].settle(LATE)
    held.members["b"].settle(LATE)
    assert len(held.served()) == 6
    held.settle(LATE + 2 * DAY)
    assert held.served() == []
    assert len(held.frozen) == 8


def test_down_for_a_week_over_several_small_deadlines() -> None:
    """Two on each of four days would have gone one after another; on return all are due at once."""
    fleet = PureFleet.of(EIGHT)
    fleet.put_template(FOUR)
    fleet.settle(KNOWN)
    for index, name in enumerate(EIGHT):
        until = f"2027-06-0{2 + index // 2}"
        deferral = {"eService": {"name": f"{NAME}-{name}"}}
        fleet.members[name].put(worlds.deferral(until, spec=deferral))
    fleet.settle(KNOWN + DAY)
    fleet.settle(at("2027-06-09"))
    assert fleet.served() == list(EIGHT)
    assert fleet.held() == list(EIGHT)
    assert len(fleet.tokens()) == 1


def test_the_same_deadlines_with_the_operator_there() -> None:
    fleet = PureFleet.of(EIGHT)
    fleet.put_template(FOUR)
    fleet.settle(KNOWN)
    for index, name in enumerate(EIGHT):
        deferral = {"eService": {"name": f"{NAME}-{name}"}}
        fleet.members[name].put(worlds.deferral(f"2027-06-0{2 + index // 2}", spec=deferral))
    fleet.advance(KNOWN + DAY, at("2027-06-09"))
    assert fleet.served() == []
    assert fleet.tokens() == set()


def test_deferrals_that_are_revoked_together_are_a_wave() -> None:
    fleet = PureFleet.of(EIGHT)
    fleet.put_template(FOUR)
    fleet.settle(KNOWN)
    for name in EIGHT:
        spec = {"eService": {"name": f"{NAME}-{name}"}}
        fleet.members[name].put(worlds.deferral("2027-09-30", spec=spec))
    fleet.advance(KNOWN + DAY, LATE)
    for name in EIGHT:
        revoked = {"at": "2027-07-01", "reason": "by mistake"}
        fleet.members[name].edit(("UnpublishDeferral", "", "deferral-1"), spec={"revoked": revoked})
    fleet.members["a"].settle(LATE)
    assert fleet.served() == list(EIGHT), "not even the first of them"
    fleet.advance(LATE, LATE + 9 * DAY)
    assert fleet.held() == list(EIGHT)
    assert fleet.served() == list(EIGHT)


# what does not count


def test_a_wrong_version_that_is_withdrawn_holds_them_and_a_release_changes_nothing(held: PureFleet) -> None:
    recalled = worlds.version("4.0.0", "2027-05-01", "2027-06-01", at="2027-07-02")
    held.put_template(worlds.template((*worlds.VERSIONS, recalled)))
    held.settle(LATE + DAY)
    held.release(the_token(held))
    held.settle(LATE + DAY)
    assert held.served() == list(EIGHT)
    assert {one.status.reason for one in held.decisions().values()} == {Reason.NO_LONGER_OVERDUE}


def test_a_date_edited_back_does_not_count_once_it_took_effect(held: PureFleet) -> None:
    """Its publication is recorded: the set stays held, and the Agency is told of the edit."""
    later = worlds.merged(worlds.NEXT_VERSION, {"migrationInstruction": {"published": "2029-01-01"}})
    held.put_template(worlds.template((*worlds.VERSIONS, later), status=held.templates[TEMPLATE]["status"]))
    held.settle(LATE + DAY)
    assert held.held() == list(EIGHT)
    ready = find(held.template_status(LATE + DAY).conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == Reason.HISTORY_CHANGED


def test_a_date_edited_back_in_time_makes_nobody_go(fleet: PureFleet) -> None:
    fleet.put_template(FOUR)
    fleet.advance(KNOWN, DUE - timedelta(hours=12))
    assert fleet.held() == list(EIGHT)
    later = worlds.merged(worlds.NEXT_VERSION, {"migrationInstruction": {"published": "2029-01-01"}})
    fleet.put_template(worlds.template((*worlds.VERSIONS, later)))
    fleet.advance(DUE - timedelta(hours=11), DUE + 30 * DAY)
    assert fleet.served() == list(EIGHT)
    assert {one.status.effective_at for one in fleet.decisions().values()} == {at("2029-01-01", "00:00")}


def test_two_templates_do_not_mix() -> None:
    fleet = PureFleet.of("abcde")
    other = worlds.template(metadata={"name": "other", "uid": "uid-other"})
    fleet.templates["other"] = other
    for cluster in fleet.members.values():
        cluster.put(other)
    for name in "vwxyz":
        fleet.join(name, template="other")
    fleet.settle(worlds.NOW)
    fleet.put_template(FOUR)
    fleet.put_template(worlds.merged(FOUR, {"metadata": {"name": "other", "uid": "uid-other"}}))
    fleet.settle(LATE)
    assert fleet.served() == []


def test_the_public_release_counts_whatever_the_spec_names(fleet: PureFleet) -> None:
    """Half of them have begun a renewal, to another template even; the public is served the old one."""
    for name in "abcd":
        fleet.members[name].edit_service(template={"name": "other", "version": "1.0.0"})
    fleet.put_template(FOUR)
    fleet.settle(LATE)
    assert fleet.held() == list(EIGHT)


def test_forgiven_decisions_do_not_count(held: PureFleet) -> None:
    for name in "abc":
        place = "UnpublishDecision", "", held.decisions()[name].metadata.name
        revoked = {"at": "2027-07-01", "reason": "an emergency"}
        held.members[name].edit(place, spec={"revoked": revoked})
    held.settle(LATE)
    assert held.held() == list("defgh")
    assert all(len(cluster.decisions) == 1 for cluster in held.members.values())
    assert held.template_status(LATE).held[0].count == 5


def test_a_deleted_e_service_leaves_a_decision_that_the_agency_can_close(held: PureFleet) -> None:
    place = held.members["a"].service_place
    held.members["a"].remove(place)
    held.settle(LATE)
    assert "EService" not in {kind for kind, *_ in held.members["a"].objects}
    assert held.template_status(LATE).held[0].count == 8, "it is shown"
    decision = held.decisions()["a"]
    revoked = {"at": "2027-07-01", "reason": "the e-service is no more"}
    held.members["a"].edit(("UnpublishDecision", "", decision.metadata.name), spec={"revoked": revoked})
    held.settle(LATE)
    status = held.decisions()["a"].status
    assert (status.state, status.reason, status.closed_at) == (DecisionState.CLOSED, Reason.REVOKED, LATE)
    assert held.template_status(LATE).held[0].count == 7


def test_with_a_clock_that_is_not_trusted_nothing_new_goes() -> None:
    fleet = PureFleet.of("ab")
    fleet.put_template(FOUR)
    fleet.settle(KNOWN)
    fleet.trust_clock(trusted=False)
    fleet.settle(DUE)
    assert {one.status.reason for one in fleet.decisions().values()} == {Reason.CLOCK_SKEW}
    assert fleet.template_status(DUE).versions[-1].published_at is None, "nor is its day recorded"
    fleet.trust_clock(trusted=True)
    fleet.settle(DUE + SECOND)
    assert fleet.served() == []
    fleet.trust_clock(trusted=False)
    fleet.settle(DUE + DAY)
    assert fleet.served() == [], "what is in effect stays so"


# 2 to 3, and back to 2


def test_a_service_that_went_back_is_counted_again() -> None:
    fleet = PureFleet.of(EIGHT)
    fleet.put_template(FOUR)
    fleet.settle(LATE)
    first = the_token(fleet)
    for name in EIGHT:
        renew(fleet, name, "2027-07-02")
    fleet.advance(LATE + DAY, LATE + 2 * DAY)
    assert {one.status.reason for one in fleet.decisions().values()} == {Reason.RENEWED}
    assert fleet.held() == []
    assert fleet.template_status(LATE + 2 * DAY).held == ()
    fleet.release(first)
    for name in EIGHT:
        fleet.members[name].edit_service(release={"image": image("a")}, template={"version": "3.0.0"})
    fleet.set_policy(enforcement="Warn")
    fleet.advance(LATE + 2 * DAY, LATE + 3 * DAY)
    fleet.set_policy(enforcement="Enforce")
    fleet.settle(LATE + 4 * DAY)
    assert fleet.served() == list(EIGHT), "the old release lets nobody go"
    assert fleet.held() == list(EIGHT)
    assert len(fleet.tokens()) == 2
