# SPDX-License-Identifier: Apache-2.0
"""Calendar periods, local days and working days.

A deadline is an inclusive local day, and becomes an instant only where it meets the clock. Nothing here
raises for a date that cannot be written: arithmetic stops at the first and the last day of the calendar.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)
"""What decisions count in: no instant is finer."""
_SATURDAY = 5
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
_PERIOD = re.compile(
    r"P(?=[0-9])(?:(?P<years>[0-9]{1,6})Y)?(?:(?P<months>[0-9]{1,6})M)?"
    r"(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar months, then days."""

    months: int
    days: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """What makes a country's working days: days off, and Saturdays and Sundays worked in exchange.

    A holiday on a weekend that is worked is a working day; a weekday in ``working_weekends`` is ignored.
    """

    holidays: frozenset[date]
    working_weekends: frozenset[date]


@lru_cache(maxsize=256)  # policies are few, and each look at an e-service asks for theirs
def parse_period(text: str) -> Period:
    """The period of an ISO 8601 duration of whole years, months, weeks and days, such as ``P18M``.

    Raises:
        ValueError: for anything else; the message says what to write.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text[:40]!r} is not a period: write P and whole years (Y), months (M), weeks (W) and days (D),"
            " for example P18M, P1Y6M, P2W or P7D"
        )
    years, months, weeks, days = (int(number or 0) for number in match.groups())
    return Period(years * 12 + months, weeks * 7 + days)


def add_period(day: date, period: Period) -> date:
    """The day that many months after the anchor, in a shorter month its last one, then that many days."""
    return _add_days(_add_months(day, period.months), period.days)


def subtract_period(day: date, period: Period) -> date:
    """The day that many months before the anchor, in a shorter month its last one, then that many days."""
    return _add_days(_add_months(day, -period.months), -period.days)


def following_day(day: date) -> date | None:
    """The next day; none after the last day of the calendar."""
    return None if day == date.max else day + _ONE_DAY


@lru_cache(maxsize=4096)  # a fleet asks for the same few hundred days
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of a local day.

    That is not always midnight: where the clock jumps over midnight it is the instant of the jump, and where
    a whole day was left out it is the start of the next one. Of two midnights it is the first.
    """
    midnight = datetime.combine(day, time.min)
    before, after = (zone.utcoffset(midnight.replace(fold=fold)) or timedelta() for fold in (0, 1))
    try:
        start = (midnight - before).replace(tzinfo=UTC)
        return start if before >= after else _first_instant_of(day, zone, start - (after - before), start)
    except OverflowError:
        return _FIRST_INSTANT if day.year == date.min.year else _LAST_INSTANT


def day_after_end(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) after a local day: the start of the next one."""
    following = following_day(day)
    return _LAST_INSTANT if following is None else start_of_day(following, zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The day on which an instant falls in a zone.

    Raises:
        ValueError: when the instant says nothing of its zone.
    """
    _require_aware(instant)
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Whether authorities work on a day."""
    if day.weekday() >= _SATURDAY:
        return day in calendar.working_weekends
    return day not in calendar.holidays


def add_working_days(start: date, count: int, calendar: Calendar) -> date:
    """The day on which that many working days have passed; the day after the start can be the first (R5: 10).

    Raises:
        ValueError: when ``count`` is negative.
    """
    if count < 0:
        raise ValueError(f"cannot count {count} working days")
    day: date = start
    while count > 0 and day < date.max:
        day += _ONE_DAY
        count -= is_working_day(day, calendar)
    return day


def instant(at: datetime) -> str:
    """An instant as statuses and annotations hold it: RFC 3339 in UTC, fractions of a second cut off.

    Raises:
        ValueError: when the instant says nothing of its zone.
    """
    _require_aware(at)
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_instant(text: str) -> datetime | None:
    """The instant (UTC) that such a text holds; none when it is anything but ISO 8601 with a zone."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _require_aware(at: datetime) -> None:
    if at.tzinfo is None:
        raise ValueError(f"{at} is not aware of its zone")


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _add_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _first_instant_of(day: date, zone: ZoneInfo, before: datetime, start: datetime) -> datetime:
    """The jump between ``before``, not yet that day, and ``start``; clocks jump at whole seconds."""
    while (gap := (start - before) // timedelta(seconds=1)) > 1:
        middle = before + timedelta(seconds=gap // 2)
        if local_day(middle, zone) < day:
            before = middle
        else:
            start = middle
    return start
