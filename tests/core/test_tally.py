# SPDX-License-Identifier: Apache-2.0
"""A tally that is kept up to date says what one says that is made anew, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.core.counting import Counting, Part, PublicService
from eservice_operator.core.dates import instant
from eservice_operator.core.fleet import never_forsaken, no_deferrals
from eservice_operator.core.tally import Tally
from tests.core.test_brake import DUE, FIRST, OTHER_DAY, decision, known
from tests.support.worlds import POLICY

NUMBERS = st.integers(0, 2)
"""Few, so that changes meet."""
STATES: tuple[dict[str, Any], ...] = (
    {},
    {"effectiveAt": instant(OTHER_DAY)},
    {"state": "Effective", "effectiveSince": instant(DUE)},
    {"state": "Held", "reason": "Brake", "holdToken": FIRST, "heldSince": instant(DUE)},
    {"state": "Closed", "reason": "Renewed"},
)


def counting(limit: dict[str, int]) -> Counting:
    return Counting(known(brake=limit), DUE, POLICY, no_deferrals, never_forsaken)


def another(number: int, one: UnpublishDecision) -> UnpublishDecision:
    """One more decision about the same e-service."""
    name = f"{one.spec.registration}-production-00{number}"
    return one.model_copy(update={"metadata": one.metadata.model_copy(update={"name": name})})


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, PublicService | UnpublishDecision | None]]:
    """E-services under two keys each and decisions come, change and go."""
    made: list[tuple[str, PublicService | UnpublishDecision | None]] = []
    for _ in range(draw(st.integers(1, 24))):
        number, gone = draw(NUMBERS), draw(st.integers(0, 3)) == 0
        if draw(st.booleans()):
            key = f"service {number}{draw(st.sampled_from('ab'))}"
            version = draw(st.sampled_from(["2.0.0", "3.0.0"]))
            made.append((key, None if gone else PublicService(f"e{number}", version, draw(st.booleans()))))
        else:
            one = another(draw(NUMBERS), decision(number, **draw(st.sampled_from(STATES))))
            made.append((one.metadata.name, None if gone else one))
    return made


def by_hand(one: Counting, services: list[PublicService], decisions: list[UnpublishDecision]) -> list[Any]:
    """What counts, said again without any number being kept."""
    found: list[Any] = [
        (part.value, decision.spec.registration)
        for decision in decisions
        if (part := one.part(decision)) is not None
    ]
    settled = {
        (decision.spec.registration, decision.spec.release.template.version)
        for decision in decisions
        if decision.status.state is not DecisionState.CLOSED
    }
    coming = {(one.registration, one.version) for one in services if one.published and one.version == "2.0.0"}
    return sorted([*found, *((Part.COMING.value, registration) for registration, _ in coming - settled)])


def engages_by_hand(found: list[Any], services: list[PublicService], limit: dict[str, int]) -> bool:
    base = {one.registration for one in services if one.published}
    base |= {registration for part, registration in found if part == Part.GONE.value}
    fresh = any(part in (Part.DUE.value, Part.COMING.value) for part, _ in found)
    number = len({registration for _, registration in found})
    return fresh and number > limit["atLeast"] and number * 100 > limit["percent"] * len(base)


def states(
    made: list[tuple[str, PublicService | UnpublishDecision | None]], tally: Tally
) -> Iterator[tuple[list[PublicService], list[UnpublishDecision]]]:
    """What there is after each change, once the tally was told of it."""
    there: dict[str, PublicService | UnpublishDecision] = {}
    for key, change in made:
        if isinstance(change, PublicService) or key.startswith("service"):
            tally.put_service(key, change if isinstance(change, PublicService) else None)
        else:
            tally.put_decision(key, change)
        there.pop(key, None)
        if change is not None:
            there[key] = change
        services = [one for one in there.values() if isinstance(one, PublicService)]
        yield services, [one for one in there.values() if isinstance(one, UnpublishDecision)]


@given(changes(), st.sampled_from([0, 10, 50, 90, 100]), st.integers(1, 4))
def test_it_says_what_counting_by_hand_says(made: Any, percent: int, at_least: int) -> None:
    limit = {"percent": percent, "atLeast": at_least}
    one = counting(limit)
    tally = Tally(one, (), ())
    for services, decisions in states(made, tally):
        found = sorted((counted.part.value, counted.subject[0]) for counted in tally.counted())
        assert found == by_hand(one, services, decisions)
        assert tally.engages() is engages_by_hand(found, services, limit)
        event(f"engages: {tally.engages()}")
        fresh = Tally(one, enumerate(services), decisions)
        assert [fresh.engages(mine) for mine in decisions] == [tally.engages(mine) for mine in decisions]


@given(changes(), NUMBERS)
def test_one_s_own_decision_counts_once(made: Any, number: int) -> None:
    """However it is held by now, at its instant it is one of those that are due."""
    limit = {"percent": 0, "atLeast": 1}
    tally = Tally(counting(limit), (), ())
    for services, decisions in states(made, tally):
        mine = decision(number, effectiveAt=instant(OTHER_DAY))
        others = [one for one in decisions if one.metadata.name != mine.metadata.name]
        due = Tally(tally.counting, enumerate(services), [*others, decision(number)])
        there = Tally(tally.counting, enumerate(services), [*others, mine])
        assert there.engages(mine) is due.engages()


@pytest.mark.parametrize("part", [{}, STATES[2], STATES[3]], ids=["due", "gone", "held"])
def test_many_decisions_of_one_registration_engage_nothing(part: dict[str, Any]) -> None:
    """Whoever gets them made holds up nobody's but one."""
    one = counting({"percent": 0, "atLeast": 2})
    many = [another(number, decision(1, **part)) for number in range(12)]
    tally = Tally(one, (), [*many, decision(2)])
    assert not tally.engages()
    assert not tally.engages(many[0])
    assert not tally.engages(decision(2))
    assert tally.engages(decision(3))
    tally.put_decision("a third", decision(3))
    assert tally.engages()
    assert tally.engages(another(0, decision(1, **STATES[-1]))), "the others of it still count"
    for mine in many[1:]:
        tally.put_decision(mine.metadata.name, None)
    assert tally.engages()
    tally.put_decision(many[0].metadata.name, None)
    assert not tally.engages()


def test_one_s_own_that_is_over_counts_no_more() -> None:
    tally = Tally(counting({"percent": 0, "atLeast": 2}), (), [decision(number) for number in range(3)])
    assert tally.engages(decision(2))
    assert not tally.engages(decision(2, **STATES[-1]))
