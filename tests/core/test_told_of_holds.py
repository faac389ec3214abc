# SPDX-License-Identifier: Apache-2.0
"""R8: whom a hold is told: nobody is left believing that an e-service leaves when it does not.

The e-services are public on 3.0.0; 4.0.0 makes them overdue on 2027-06-01.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.core.letters import Letter
from tests.support import worlds
from tests.support.postal import BOTH, PostalCluster, accepts, postal, refuses
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, NOW, TEMPLATE, at

POLICY = replace(worlds.POLICY, channels=BOTH)
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
RECALLED = worlds.version("4.0.0", "2027-05-01", "2027-06-01", at="2027-06-02")
KNOWN, DUE, AFTER = at("2027-02-01"), at("2027-06-01", "00:00"), at("2027-06-02")
EIGHT = "abcdefgh"


@pytest.fixture
def fleet() -> PureFleet:
    """Eight e-services at rest, whose people are told by mail."""
    made = PureFleet(policy=POLICY, kind=PostalCluster)
    made.templates[TEMPLATE] = worlds.template()
    for name in EIGHT:
        made.join(name)
    made.settle(NOW)
    for cluster in made.members.values():
        cluster.forget()
    return made


@pytest.fixture
def surprised(fleet: PureFleet) -> PureFleet:
    """All of them are overdue the moment that the version is known."""
    fleet.put_template(worlds.template(FOUR))
    fleet.settle(AFTER)
    assert {one.status.reason for one in fleet.decisions().values()} == {Reason.BRAKE}
    return fleet


@pytest.fixture
def announced() -> PostalCluster:
    """One e-service, announced for the first of June."""
    cluster = postal()
    cluster.put(worlds.template(FOUR))
    cluster.settle(KNOWN)
    return cluster


def letters(cluster: PostalCluster) -> list[Letter]:
    """What the contact was told of the unpublication."""
    return [
        one for one in cluster.sent if one.recipient == "a@pmlp.example" and one.kind.value.startswith("Unp")
    ]


def told(cluster: PostalCluster) -> list[str]:
    return [one.kind.value for one in letters(cluster)]


def each(fleet: PureFleet) -> list[list[str]]:
    """What each institution was told, those that were told the same once."""
    clusters = [one for one in fleet.members.values() if isinstance(one, PostalCluster)]
    return [list(one) for one in {tuple(told(cluster)) for cluster in clusters}]


def first(fleet: PureFleet) -> PostalCluster:
    cluster = fleet.members["a"]
    assert isinstance(cluster, PostalCluster)
    return cluster


def status(cluster: PostalCluster) -> UnpublishDecisionStatus:
    return cluster.decisions[0].status


# the brake


def test_an_announcement_of_what_the_brake_holds_says_so(surprised: PureFleet) -> None:
    assert each(surprised) == [["UnpublishScheduled"]], "and once is enough"
    (letter,) = letters(first(surprised))
    assert (letter.facts["held"], str(letter.due)) == ("Brake", "2027-06-02")
    assert {one.status.informed_at for one in surprised.decisions().values()} == {AFTER}
    surprised.advance(AFTER, AFTER + 90 * DAY)
    assert each(surprised) == [["UnpublishScheduled"]]


def test_a_released_set_is_told_by_what_happens(surprised: PureFleet) -> None:
    surprised.release(next(iter(surprised.tokens())))
    surprised.settle(AFTER + DAY)
    assert surprised.served() == []
    assert each(surprised) == [["UnpublishScheduled", "Unpublished"]]


def test_whoever_was_told_a_day_is_told_that_the_brake_holds_it(fleet: PureFleet) -> None:
    fleet.put_template(worlds.template(FOUR))
    fleet.advance(KNOWN, AFTER)
    (kinds,) = each(fleet)
    assert Counter(kinds) == {"UnpublishScheduled": 1, "UnpublishWarning": 3, "UnpublishHeld": 1}
    held = letters(first(fleet))[-1]
    assert (held.kind.value, held.facts["held"], str(held.due)) == ("UnpublishHeld", "Brake", "2027-06-01")
    fleet.release(next(iter(fleet.tokens())))
    fleet.settle(AFTER + DAY)
    (kinds,) = each(fleet)
    assert kinds[-2:] == ["UnpublishHeld", "Unpublished"]


def test_a_wrong_version_that_is_withdrawn_is_told_to_all(surprised: PureFleet) -> None:
    surprised.put_template(worlds.template((*worlds.VERSIONS, RECALLED)))
    surprised.advance(AFTER + DAY, AFTER + 90 * DAY)
    assert {one.status.reason for one in surprised.decisions().values()} == {Reason.NO_LONGER_OVERDUE}
    assert each(surprised) == [["UnpublishScheduled", "UnpublishHeld"]]
    assert letters(first(surprised))[-1].facts["held"] == "NoLongerOverdue"


def test_what_comes_and_goes_is_told_once(surprised: PureFleet) -> None:
    for day in range(1, 4):
        surprised.put_template(worlds.template(FOUR, lifecycle={"enforcement": "Warn"}))
        surprised.settle(AFTER + day * DAY)
        surprised.trust_clock(trusted=False)
        surprised.put_template(worlds.template(FOUR))
        surprised.settle(AFTER + day * DAY)
        surprised.trust_clock(trusted=True)
    assert each(surprised) == [["UnpublishScheduled", "UnpublishHeld"]]


def test_an_event_says_so_too(fleet: PureFleet) -> None:
    fleet.put_template(worlds.template(FOUR))
    fleet.advance(KNOWN, AFTER)
    (note,) = [one for one in first(fleet).told if one.reason == "UnpublishHeld"]
    name = first(fleet).decisions[0].metadata.name
    assert (note.type, note.text) == ("Warning", f"due on 2027-06-01 and held: Brake ({name})")


# other holds


def test_a_ground_that_is_lost_is_told_on_the_day(announced: PostalCluster) -> None:
    announced.put(worlds.template(FOUR, lifecycle={"enforcement": "Warn"}))
    announced.advance(KNOWN + DAY, DUE + 90 * DAY)
    assert told(announced) == ["UnpublishScheduled", "UnpublishHeld"]
    held = letters(announced)[-1]
    assert (held.at, held.facts["held"]) == (DUE, "NotEnforced")


def test_a_template_that_is_gone_is_told(announced: PostalCluster) -> None:
    announced.remove(("EServiceTemplate", "", TEMPLATE))
    announced.settle(DUE)
    assert letters(announced)[-1].facts["held"] == "TemplateUnknown"


def test_a_hold_that_was_told_informs_nobody() -> None:
    cluster = postal()
    cluster.channel = lambda letter, now: (
        accepts(letter, now) if letter.kind.value == "UnpublishHeld" else refuses(letter, now)
    )
    cluster.put(worlds.template(FOUR))
    cluster.settle(KNOWN)
    cluster.put(worlds.template(FOUR, lifecycle={"enforcement": "Warn"}))
    cluster.settle(DUE)
    assert "UnpublishHeld" not in told(cluster), "nobody knew of a day"
    assert status(cluster).informed_at is None


def test_a_short_wait_of_the_operators_own_is_not_told(announced: PostalCluster) -> None:
    announced.policy = replace(announced.policy, clock_trusted=False)
    announced.settle(DUE)
    assert status(announced).reason == Reason.CLOCK_SKEW
    assert told(announced) == ["UnpublishScheduled"]


def test_what_is_held_no_longer_is_not_told_any_more(announced: PostalCluster) -> None:
    announced.channel = refuses
    announced.put(worlds.template(FOUR, lifecycle={"enforcement": "Warn"}))
    announced.settle(DUE)
    name = announced.decisions[0].metadata.name
    revoked = {"at": "2027-06-01", "reason": "an error"}
    announced.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    announced.settle(DUE)
    states = {one.state.value for one in status(announced).notices if one.kind.value == "UnpublishHeld"}
    assert states == {"Superseded"}
