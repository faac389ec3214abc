# SPDX-License-Identifier: Apache-2.0
"""Dates as people read them: ISO 8601 in the zone of the rules, with the days that are left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Days:
    """From when, and where, days are counted."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The local day."""
        return self.now.astimezone(self.zone).date()

    def day(self, value: Any) -> date | None:
        """The local day of a date or an instant, however it is written; None for anything else."""
        at = self.instant(value)
        if at is not None:
            return at.astimezone(self.zone).date()
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            return None

    def instant(self, value: Any) -> datetime | None:
        """The instant, if it is one."""
        if isinstance(value, datetime):
            return value
        if not isinstance(value, str) or "T" not in value:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return None if found.tzinfo is None else found

    def local(self, value: Any) -> str:
        """``2026-11-22 08:30`` in the zone; a date as it is; what is neither as it was written."""
        at = self.instant(value)
        return str(value) if at is None else at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")


def distance(day: date, days: Days) -> str:
    """``today``, ``in 12 days``, ``3 days ago``."""
    left = (day - days.today).days
    match left:
        case 0:
            return "today"
        case 1:
            return "tomorrow"
        case -1:
            return "yesterday"
        case _:
            return f"in {left} days" if left > 0 else f"{-left} days ago"


def on_day(value: Any, days: Days) -> str:
    """``2027-03-23 (in 121 days)``; empty where there is no day."""
    day = days.day(value)
    return "" if day is None else f"{day} ({distance(day, days)})"


def since(value: Any, days: Days) -> str:
    """``2026-11-21 (yesterday)``, or ``today, 09:47``; empty where there is no day."""
    at = days.instant(value)
    if at is None or days.day(at) != days.today:
        return on_day(value, days)
    return f"today, {at.astimezone(days.zone):%H:%M}"


def held_set(token: Any, released: Any, days: Days) -> str:
    """A set that the brake holds, by its token, or when it was let go; empty where there is none."""
    if not token:
        return ""
    return f"{token}, released {days.local(released)}" if released else str(token)
