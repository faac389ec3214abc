# SPDX-License-Identifier: Apache-2.0
"""Steps of a ladder, and what of a decision is told: at most one thing at a time, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus, Installation
from eservice_operator.api.notices import Channel, Notice, NoticeKind
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.core.addressees import recipients
from eservice_operator.core.dates import day_after_end, start_of_day
from eservice_operator.core.decision_tidings import next_step, of_decision, passed_step, warning_steps
from eservice_operator.core.tidings import of_change
from tests.support import worlds
from tests.support.postal import BOTH, PostalCluster, postal, sent
from tests.support.worlds import DAY, RIGA, SECOND, at

LADDER = ("P6M", "P3M", "P1M", "P7D")
EFFECT = date(2027, 6, 1)
AT = start_of_day(EFFECT, RIGA)
NOW = at("2027-02-01")


def notice(day: date, kind: NoticeKind = NoticeKind.UNPUBLISH_SCHEDULED) -> Notice:
    return sent(kind, NOW, day)


def status(state: DecisionState = DecisionState.SCHEDULED, **fields: object) -> UnpublishDecisionStatus:
    known = {"state": state, "effective_at": AT, "warned_at": NOW, "notices": (notice(EFFECT),)}
    return UnpublishDecisionStatus.model_validate(known | fields)


def told(
    old: UnpublishDecisionStatus,
    new: UnpublishDecisionStatus,
    now: datetime = NOW,
    informed: datetime | None = NOW,
) -> NoticeKind | None:
    tiding = of_decision(old, new, informed, LADDER, now, RIGA)
    return None if tiding is None else tiding.kind


def test_the_steps_are_starts_of_local_days() -> None:
    days = ["2026-12-01", "2027-03-01", "2027-05-01", "2027-05-25"]
    assert warning_steps(EFFECT, LADDER, RIGA) == tuple(at(day, "00:00") for day in days)
    assert warning_steps(EFFECT, ("P0D", "P1M", "P1M"), RIGA) == (at("2027-05-01", "00:00"),)


def test_a_warning_comes_with_its_step_not_before() -> None:
    step = at("2027-03-01", "00:00")
    assert told(status(), status(), step - SECOND) is None
    assert told(status(), status(), step) is NoticeKind.UNPUBLISH_WARNING
    assert told(status(warned_at=step), status(), step + DAY) is None


def test_nothing_is_said_of_what_is_held_or_done() -> None:
    late = at("2027-06-02")
    for state in (DecisionState.HELD, DecisionState.EFFECTIVE):
        assert told(status(), status(state), late) is None
    never = status(warned_at=None, notices=())
    assert told(never, status(DecisionState.HELD), late) is NoticeKind.UNPUBLISH_SCHEDULED
    assert told(never, status(DecisionState.EFFECTIVE), late) is None


def test_a_moved_day_is_told_to_those_who_know_of_one() -> None:
    later = status(effective_at=day_after_end(date(2027, 7, 31), RIGA))
    assert told(status(), later) is NoticeKind.UNPUBLISH_MOVED
    assert told(status(), later, informed=None) is None
    assert told(status(notices=()), later) is None
    twice = (notice(EFFECT), notice(date(2027, 8, 1), NoticeKind.UNPUBLISH_MOVED))
    assert told(status(notices=twice), later) is None
    assert told(status(notices=twice), status()) is NoticeKind.UNPUBLISH_MOVED, "and back"


def test_only_an_early_end_cancels() -> None:
    closed = status(DecisionState.CLOSED)
    assert told(status(), closed) is NoticeKind.UNPUBLISH_CANCELLED
    assert told(status(DecisionState.HELD), closed) is NoticeKind.UNPUBLISH_CANCELLED
    for before in (status(DecisionState.EFFECTIVE), closed, status(notices=())):
        assert told(before, closed) is None


def test_a_status_that_nobody_wrote_before_tells_nothing() -> None:
    late = EServiceStatus(
        observed_generation=1,
        installation=Installation(due_by=date(2026, 10, 19), overdue_since=date(2026, 10, 20)),
    )
    assert of_change(EServiceStatus(), late) == ()
    assert [one.kind for one in of_change(EServiceStatus(observed_generation=1), late)] == [
        NoticeKind.INSTALLATION_OVERDUE
    ]
    assert of_change(late, late) == ()


def test_whoever_is_to_verify_is_told_so_by_a_first_status_too() -> None:
    """The Pods may be there before anything was said: in the second that it is held back, or a restart."""
    cluster = PostalCluster()
    cluster.put(worlds.template(), worlds.registration(), worlds.act(), worlds.eservice())
    cluster.settle(NOW)
    cluster.forget()
    cluster.objects[cluster.service_place]["status"] = {"observedGeneration": -1}
    cluster.settle(NOW)
    assert cluster.told_of() == ["VerificationWanted"]
    assert "VerificationWanted" in [note.reason for note in cluster.told], "an Event says the same"
    cluster.settle(NOW + DAY)
    assert cluster.told_of() == ["VerificationWanted"]


# the duty to migrate (R7), on a real course of days: its last day is 2028-06-01

FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
LATE = at("2028-06-02", "00:00")


def obliged(enforcement: str, maximum_lag: str, *, channels: bool = True) -> PostalCluster:
    """4.0.0 is announced, by default to people who are told of things."""
    cluster = postal()
    if not channels:
        cluster.policy = worlds.POLICY
    lifecycle = {"enforcement": enforcement, "maximumLag": maximum_lag}
    cluster.put(worlds.template(FOUR, lifecycle=lifecycle))
    cluster.settle(NOW)
    return cluster


@pytest.mark.parametrize("maximum_lag", ["P18M", "P9Y"])
def test_who_is_late_to_migrate_is_told_so_overdue_by_the_other_rule_or_not(maximum_lag: str) -> None:
    cluster = obliged("Warn", maximum_lag)
    cluster.advance(NOW, LATE - SECOND)
    cluster.forget()
    cluster.settle(LATE - SECOND)
    assert cluster.told_of() == []
    cluster.advance(LATE - SECOND, LATE)
    assert cluster.told_of() == ["MigrationOverdue"]
    assert [note.reason for note in cluster.told] == ["MigrationOverdue"], "an Event says the same"
    cluster.edit_service(workload={"replicas": 3})
    cluster.advance(LATE, LATE + 30 * DAY)
    assert cluster.told_of() == ["MigrationOverdue"]


def test_what_is_off_the_public_route_is_not_called_late() -> None:
    cluster = obliged("Enforce", "P18M")
    cluster.advance(NOW, LATE + DAY)
    assert not cluster.routed()
    assert "MigrationOverdue" not in cluster.told_of()


def test_channels_that_come_after_the_duty_began_tell_its_day_and_that_it_is_late() -> None:
    cluster = obliged("Warn", "P9Y", channels=False)
    cluster.policy = replace(worlds.POLICY, channels=BOTH)
    cluster.forget()
    cluster.settle(NOW + DAY)
    assert cluster.told_of() == ["MigrationDue"]
    assert cluster.told == [], "an Event told it when the duty began"
    cluster.advance(NOW + DAY, LATE)
    assert cluster.told_of() == ["MigrationDue", "MigrationOverdue"]


def test_channels_that_come_after_its_last_day_do_not_tell_the_duty() -> None:
    cluster = obliged("Warn", "P9Y", channels=False)
    cluster.advance(NOW, LATE)
    cluster.policy = replace(worlds.POLICY, channels=BOTH)
    cluster.forget()
    cluster.settle(LATE + DAY)
    assert cluster.told_of() == []


# a first start sends nothing about the past


@pytest.mark.parametrize("lost", [(), ("EService",), ("EService", "UnpublishDecision")])
def test_an_effect_of_the_past_is_told_to_nobody(lost: tuple[str, ...]) -> None:
    """Channels that are set up after the effect, or a status that was lost: nothing is made up for."""
    cluster = obliged("Enforce", "P18M", channels=bool(lost))
    cluster.advance(NOW, at("2027-06-10"))
    assert not cluster.routed()
    for place, body in cluster.objects.items():
        if place[0] in lost:
            body.pop("status", None)
    cluster.policy = replace(worlds.POLICY, channels=BOTH)
    cluster.forget()
    cluster.settle(at("2027-06-10", "15:00"))
    assert [one.status.state for one in cluster.decisions] == [DecisionState.EFFECTIVE]
    assert not cluster.routed()
    assert (cluster.told_of(), cluster.sent) == ([], [])


def test_contacts_that_differ_only_in_the_case_of_the_domain_are_one() -> None:
    emails = ("A@pmlp.example", "A@PMLP.example", "a@pmlp.example")
    contacts = [{"name": email[0], "email": email} for email in emails]
    body = worlds.registration(spec={"institution": {"contacts": contacts}})
    policy = replace(worlds.POLICY, channels=((Channel.EMAIL, ""),))
    found = recipients(policy, EServiceRegistration.model_validate(body))
    assert [one.address for one in found] == ["A@pmlp.example", "a@pmlp.example", "j@agency.example"]


days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
ladders = st.lists(st.sampled_from(["P1Y", "P6M", "P3M", "P31D", "P1M", "P2W", "P7D", "P1D"]), max_size=6)


@given(days, ladders.map(tuple), st.lists(st.integers(0, 900), max_size=12))
def test_each_step_is_told_at_most_once_and_the_latest_always(
    day: date, ladder: tuple[str, ...], hours: list[int]
) -> None:
    """Looked at whenever: what is told is the latest step, and the next instant is never missed."""
    steps = warning_steps(day, ladder, RIGA)
    assert list(steps) == sorted(set(steps))
    now = warned = datetime(2019, 1, 1, tzinfo=UTC)
    seen = []
    for pause in hours:
        now += timedelta(hours=pause * 24)
        step = passed_step(steps, warned, now)
        if step is not None:
            assert step == max(one for one in steps if one <= now)
            seen.append(step)
            warned = now
        following = next_step(steps, now)
        assert following == min((one for one in steps if one > now), default=None)
    assert len(set(seen)) == len(seen)
