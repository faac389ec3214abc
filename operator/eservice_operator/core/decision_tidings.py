# SPDX-License-Identifier: Apache-2.0
"""What there is to tell of a decision (R8): its day, the warnings of it, and that it came to nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.core.dates import instant, local_day, parse_period, start_of_day, subtract_period
from eservice_operator.core.ledger import ANNOUNCING, heard_days, informed_at
from eservice_operator.core.tidings import Tiding


@lru_cache(maxsize=4096)
def warning_steps(day: date, warn_before: tuple[str, ...], zone: ZoneInfo) -> tuple[datetime, ...]:
    """The starts of the local days on which a warning of something on ``day`` is due, in order."""
    days = {subtract_period(day, parse_period(step)) for step in warn_before}
    return tuple(start_of_day(one, zone) for one in sorted(days) if one < day)


def passed_step(steps: Iterable[datetime], warned_at: datetime, now: datetime) -> datetime | None:
    """The latest step that came since the last warning; the ones before it are not made up for."""
    return max((step for step in steps if warned_at < step <= now), default=None)


def next_step(steps: Iterable[datetime], now: datetime) -> datetime | None:
    """The next step to come."""
    return min((step for step in steps if step > now), default=None)


def of_decision(
    old: UnpublishDecisionStatus,
    new: UnpublishDecisionStatus,
    informed: datetime | None,
    warn_before: tuple[str, ...],
    now: datetime,
    zone: ZoneInfo,
) -> Tiding | None:
    """What there is to tell of a decision now: at most one thing, the gravest.

    ``new`` is the status as it is judged now, ``informed`` since when the institution knows of it: before
    that there is nothing to correct when the day moves.
    """
    day = None if new.effective_at is None else local_day(new.effective_at, zone)
    if new.state is DecisionState.CLOSED:
        ended_early = old.state not in {DecisionState.CLOSED, DecisionState.EFFECTIVE}
        told = heard_days(old.notices)
        cancelled = Tiding(NoticeKind.UNPUBLISH_CANCELLED, "closed", _day_told(told or old.notices))
        return cancelled if ended_early and (told or heard(old)) else None
    if new.state is DecisionState.EFFECTIVE or day is None:
        return None
    if old.warned_at is None:
        return Tiding(NoticeKind.UNPUBLISH_SCHEDULED, "decided", day)
    if announced_anew(old, new):
        kind = NoticeKind.UNPUBLISH_MOVED if heard(old) else NoticeKind.UNPUBLISH_SCHEDULED
        return _another_day(kind, day, now)
    if new.state is not DecisionState.SCHEDULED:
        return None
    last = _day_told(old.notices)
    if informed is not None and last is not None and last != day:
        return _another_day(NoticeKind.UNPUBLISH_MOVED, day, now)
    step = passed_step(warning_steps(day, warn_before, zone), old.warned_at, now)
    return None if step is None else Tiding(NoticeKind.UNPUBLISH_WARNING, f"{day} step {instant(step)}", day)


def _another_day(kind: NoticeKind, day: date, now: datetime) -> Tiding:
    """A day in the place of one that was told: another matter each time it is told, also of the same day."""
    return Tiding(kind, f"{day} told {instant(now)}", day)


def announced_anew(old: UnpublishDecisionStatus, new: UnpublishDecisionStatus) -> bool:
    """Whether a decision whose day had passed without a ground for it has another day now."""
    return new.announced_at is not None and new.announced_at != old.announced_at


def heard(status: UnpublishDecisionStatus) -> bool:
    """Whether somebody of the institution was told a day: for anybody else the next one is the first."""
    return status.informed_at is not None or informed_at(status.notices) is not None


def _day_told(notices: tuple[Notice, ...]) -> date | None:
    return next((notice.due for notice in reversed(notices) if notice.kind in ANNOUNCING), None)
