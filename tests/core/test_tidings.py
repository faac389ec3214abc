# SPDX-License-Identifier: Apache-2.0
"""Steps of a ladder, and what of a decision is told: at most one thing at a time, nothing twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus, Installation
from eservice_operator.api.notices import Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core.dates import day_after_end, start_of_day
from eservice_operator.core.tidings import next_step, of_change, of_decision, passed_step, warning_steps
from tests.support.worlds import DAY, RIGA, SECOND, at

LADDER = ("P6M", "P3M", "P1M", "P7D")
EFFECT = date(2027, 6, 1)
AT = start_of_day(EFFECT, RIGA)
NOW = at("2027-02-01")


def notice(day: date, kind: NoticeKind = NoticeKind.UNPUBLISH_SCHEDULED) -> Notice:
    return Notice(
        id="1",
        kind=kind,
        channel=Channel.EMAIL,
        recipient="a@pmlp.example",
        state=NoticeState.SENT,
        entered=NOW,
        at=NOW,
        due=day,
    )


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
