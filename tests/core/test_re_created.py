# SPDX-License-Identifier: Apache-2.0
"""R8: an EService is deleted and created again, as GitOps does: the day that was announced stands.

It is public on 3.0.0, which 4.0.0 makes overdue on 2027-06-01. The decision is made on 2027-02-01.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import Gate, Phase, Reason
from tests.core.test_unpublication import (
    AT_DECISION,
    FOUR,
    KNOWN,
    defer,
    set_policy,
)
from tests.support import worlds
from tests.support.postal import PostalCluster, postal
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, SECOND, at, image

DUE = at("2027-06-01", "00:00")
GONE = at("2027-05-20")
BACK = at("2027-06-10")
"""When it is back: by then 3.0.0 is overdue."""


def delete(cluster: PureCluster, now: Any) -> None:
    cluster.remove(cluster.service_place)
    cluster.settle(now)
    assert not cluster.of_kind("EService")


def re_create(cluster: PureCluster, **spec: Any) -> None:
    cluster.put(worlds.eservice(metadata={"uid": f"again-{len(cluster.log)}"}, spec=spec))


@pytest.fixture
def deferred() -> PostalCluster:
    """Announced for June and deferred to the end of August, and everybody knows; then somebody deletes it."""
    cluster = postal()
    cluster.put(worlds.template(FOUR))
    cluster.settle(KNOWN)
    defer(cluster, "2027-08-31")
    cluster.advance(KNOWN + DAY, GONE)
    delete(cluster, GONE)
    cluster.forget()
    return cluster


def test_it_is_public_again_until_the_announced_day(deferred: PostalCluster) -> None:
    re_create(deferred)
    deferred.advance(BACK, at("2027-09-01", "00:00") - SECOND)
    assert deferred.routed()
    assert deferred.phase() is Phase.PUBLISHED
    assert deferred.status.template.decision == AT_DECISION[2]
    deferred.settle(at("2027-09-01", "00:00"))
    assert not deferred.routed()
    assert [one.status.state for one in deferred.decisions] == [DecisionState.EFFECTIVE]


def test_once_in_effect_it_does_not_come_back(deferred: PostalCluster) -> None:
    re_create(deferred)
    deferred.advance(BACK, at("2027-09-02"))
    delete(deferred, at("2027-09-03"))
    re_create(deferred)
    deferred.advance(at("2027-09-04"), at("2027-10-04"))
    assert not deferred.routed()
    assert Gate.TEMPLATE_SUPPORTED in deferred.gates()


@pytest.mark.parametrize(
    "spec", [{"release": {"image": image("b")}}, {}], ids=["another image", "the same image"]
)
def test_any_image_of_that_version_comes_back_as_far_as_its_act_goes(
    deferred: PostalCluster, spec: dict[str, Any]
) -> None:
    re_create(deferred, **spec)
    deferred.advance(BACK, BACK + DAY)
    assert Gate.TEMPLATE_SUPPORTED not in deferred.gates()
    assert deferred.routed() == (not spec), "no act for the other one"


def test_another_overdue_version_does_not(deferred: PostalCluster) -> None:
    re_create(deferred, template={"version": "2.0.0"})
    deferred.advance(BACK, BACK + DAY)
    (gate,) = (one for one in deferred.status.gates if one.gate is Gate.TEMPLATE_SUPPORTED)
    assert gate.reason == Reason.TEMPLATE_OVERDUE


@pytest.mark.parametrize("letter", ["a", "b"])
@pytest.mark.parametrize("at_once", [True, False], ids=["while it is gone", "long before"])
def test_what_the_agency_took_back_lets_it_back_for_good(
    deferred: PostalCluster, at_once: bool, letter: str
) -> None:
    deferred.put(worlds.act("act-b", spec={"image": image("b")}))
    re_create(deferred, release={"image": image(letter)}) if not at_once else None
    deferred.edit(AT_DECISION, spec={"revoked": {"at": "2027-06-01", "reason": "a mistake"}})
    deferred.advance(BACK, BACK + DAY)
    if not at_once:
        delete(deferred, BACK + 2 * DAY)
    re_create(deferred, release={"image": image(letter)})
    deferred.advance(BACK + 3 * DAY, BACK + 200 * DAY)
    assert Gate.TEMPLATE_SUPPORTED not in deferred.gates()
    assert deferred.routed() == (letter == "a"), "the other one is not verified"


def test_a_decision_taken_back_forgives_no_other_cause(deferred: PostalCluster) -> None:
    deferred.edit(AT_DECISION, spec={"revoked": {"at": "2027-06-01", "reason": "a mistake"}})
    deferred.put(worlds.template((*worlds.recalled("2027-05-25", "2027-05-30"), worlds.NEXT_VERSION)))
    re_create(deferred)
    deferred.advance(BACK, BACK + DAY)
    assert Gate.TEMPLATE_SUPPORTED in deferred.gates()
    assert not deferred.routed()


def test_a_revocation_to_come_lets_nothing_in_that_is_off(deferred: PostalCluster) -> None:
    re_create(deferred)
    deferred.advance(BACK, at("2027-09-02"))
    deferred.edit(AT_DECISION, spec={"revoked": {"at": "2027-09-20", "reason": "a mistake"}})
    delete(deferred, at("2027-09-03"))
    re_create(deferred)
    deferred.advance(at("2027-09-04"), at("2027-09-19"))
    assert not deferred.routed()
    deferred.advance(at("2027-09-20"), at("2027-09-21"))
    assert deferred.routed()


@pytest.mark.parametrize("letter, back", [("a", True), ("b", False)])
def test_of_a_withdrawn_version_that_was_forgiven_too(letter: str, back: bool) -> None:
    cluster = postal()
    cluster.put(worlds.template(worlds.recalled("2027-02-15", "2027-06-30")))
    cluster.advance(KNOWN, at("2027-03-01"))
    revoke(cluster)
    cluster.advance(at("2027-04-01"), at("2027-07-05"))
    assert cluster.routed()
    delete(cluster, at("2027-07-06"))
    re_create(cluster, release={"image": image(letter)})
    cluster.put(worlds.act("act-b", spec={"image": image("b")}))
    cluster.advance(at("2027-07-07"), at("2027-07-09"))
    assert cluster.routed() == back


def test_held_by_the_brake_it_comes_back(deferred: PostalCluster) -> None:
    held = {"holdToken": "abcdef0123", "heldSince": "2027-05-31T10:00:00Z"}
    deferred.objects[AT_DECISION]["status"] |= held
    deferred.remove(("UnpublishDeferral", "", "deferral-1"))
    re_create(deferred)
    deferred.advance(BACK, BACK + 30 * DAY)
    assert deferred.decisions[0].status.reason == Reason.BRAKE
    assert deferred.routed()
    set_policy(deferred, brake={"release": "abcdef0123"})
    deferred.settle(BACK + 31 * DAY)
    assert not deferred.routed()


def test_what_is_public_on_another_version_does_not_go_back(deferred: PostalCluster) -> None:
    """The decision about 3.0.0 is closed: what is public is owed nothing more."""
    renewed = {"image": image("d"), "template": {"version": "4.0.0"}}
    re_create(deferred, release={"image": image("d")}, template={"version": "4.0.0"})
    deferred.put(worlds.act("act-d", spec=renewed))
    verified = {"verifiedAt": "2027-06-10T07:00:00Z"}
    created = {"creationTimestamp": "2027-06-10T07:00:00Z"}
    deferred.put(worlds.verification("passed-d", metadata=created, spec=renewed | verified))
    deferred.advance(BACK, BACK + DAY)
    assert deferred.public_letter() == "d"
    deferred.edit_service(release={"image": image("a")}, template={"version": "3.0.0"})
    deferred.advance(BACK + DAY, BACK + 2 * DAY)
    assert deferred.public_letter() == "d"
    assert Gate.TEMPLATE_SUPPORTED in deferred.gates()


@pytest.mark.parametrize("letter, back", [("a", True), ("b", False)])
def test_of_a_withdrawn_version_only_the_image_that_was_public_comes_back(letter: str, back: bool) -> None:
    cluster = postal()
    cluster.put(worlds.template(worlds.recalled("2027-02-15", "2027-06-30")))
    cluster.advance(KNOWN, at("2027-03-01"))
    delete(cluster, at("2027-03-01"))
    re_create(cluster, release={"image": image(letter)})
    cluster.put(worlds.act("act-b", spec={"image": image("b")}))
    cluster.advance(at("2027-03-02"), at("2027-03-03"))
    assert cluster.routed() == back
    cluster.advance(at("2027-03-04"), at("2027-07-01", "00:00"))
    assert not cluster.routed()


# who is told


def test_nobody_is_told_of_another_day_while_it_is_not_public(deferred: PostalCluster) -> None:
    deferred.sent.clear()
    deferred.pods_start = False
    re_create(deferred)
    deferred.settle(GONE + DAY)
    defer(deferred, "2027-07-15", "deferral-2")
    deferred.remove(("UnpublishDeferral", "", "deferral-1"))
    deferred.advance(GONE + 2 * DAY, at("2027-07-12"))
    assert not [letter for letter in deferred.sent if letter.kind.value.startswith("Unpublish")]
    deferred.pods_start = True
    deferred.settle(at("2027-07-12"))
    deferred.advance(at("2027-07-13"), at("2027-07-14"))
    assert deferred.routed()
    told = [letter for letter in deferred.sent if letter.kind.value.startswith("Unpublish")]
    assert {(letter.kind.value, str(letter.due)) for letter in told} == {("UnpublishMoved", "2027-07-16")}


def test_a_day_that_is_cancelled_is_told_while_nothing_is_public_too(deferred: PostalCluster) -> None:
    deferred.pods_start = False
    re_create(deferred)
    deferred.settle(GONE + DAY)
    deferred.edit(AT_DECISION, spec={"revoked": {"at": "2027-05-21", "reason": "a mistake"}})
    deferred.sent.clear()
    deferred.advance(GONE + 2 * DAY, GONE + 3 * DAY)
    assert deferred.told_of() == ["UnpublishCancelled"]


def test_a_day_after_one_that_passed_is_told_while_nothing_is_public_too(deferred: PostalCluster) -> None:
    deferred.pods_start = False
    re_create(deferred)
    set_policy(deferred, enforcement="Warn")
    deferred.advance(GONE + DAY, at("2027-09-02"))
    deferred.sent.clear()
    set_policy(deferred, enforcement="Enforce")
    deferred.advance(at("2027-09-03"), at("2027-09-04"))
    assert deferred.told_of() == ["UnpublishMoved"]


# whatever happens


def revoke(cluster: PureCluster) -> None:
    for place, body in list(cluster.objects.items()):
        if place[0] == "UnpublishDecision" and not body["spec"].get("revoked"):
            cluster.edit(place, spec={"revoked": {"at": "2027-04-01", "reason": "a mistake"}})


EDITS: dict[str, Callable[[PureCluster], object]] = {
    "nothing": lambda _: None,
    "warn": lambda cluster: set_policy(cluster, enforcement="Warn"),
    "enforce": lambda cluster: set_policy(cluster, enforcement="Enforce"),
    "shorter": lambda cluster: set_policy(cluster, maximumLag="P1M"),
    "longer": lambda cluster: set_policy(cluster, maximumLag="P5Y"),
    "notice": lambda cluster: set_policy(cluster, noticePeriod="P1M"),
    "defer": lambda cluster: defer(cluster, "2027-08-31"),
    "recall": lambda cluster: cluster.put(
        worlds.template((*worlds.recalled("2027-04-25", "2027-07-10"), worlds.NEXT_VERSION))
    ),
    "revoke": revoke,
}


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from(sorted(EDITS)), st.booleans()), max_size=4),
    st.integers(1, 30),
)
@example([(1, "recall", True), (21, "nothing", False), (1, "defer", False), (1, "defer", False)], 30)
@example([(1, "recall", False), (21, "nothing", False), (1, "revoke", False)], 30)
def test_re_creation_never_gives_more_than_there_was(steps: list[tuple[int, str, bool]], away: int) -> None:
    kept, other = PureCluster(), PureCluster()
    for cluster in (kept, other):
        cluster.put(worlds.template(FOUR), worlds.registration(), worlds.act(), worlds.verification())
        cluster.put(worlds.eservice())
        cluster.advance(worlds.NOW, at("2027-04-20"))
    now = at("2027-04-20")
    for days, edit, again in [*steps, (away, "nothing", True), (60, "nothing", False)]:
        for cluster in (kept, other):
            EDITS[edit](cluster)
        if again:
            kept.settle(now)
            other.settle(now)
            delete(other, now)
            kept.advance(now, now + away * DAY)
            now += away * DAY
            re_create(other)
        for day in sorted({*range(0, days, 4), days - 1}):
            for cluster in (kept, other):
                cluster.settle(now + day * DAY)
            assert kept.routed() or not other.routed(), f"day {day} after {edit}"
        now += days * DAY
