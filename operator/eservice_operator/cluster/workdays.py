# SPDX-License-Identifier: Apache-2.0
"""The working days of a country: public holidays, moved days and working Saturdays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import holidays

from eservice_operator.core.dates import Calendar

YEARS_BACK = 5
YEARS_AHEAD = 5

DE_FACTO = "de_facto"
"""Days that offices are closed without being public holidays, where a country has them."""


def calendar_of(country: str, years: Iterable[int]) -> Calendar:
    """The calendar of a country for those years.

    Holidays that fall on a weekend are left in; they change nothing. Raises ``NotImplementedError`` for a
    country that the package does not know.
    """
    supported = holidays.country_holidays(country).supported_categories
    categories = ("public", DE_FACTO) if DE_FACTO in supported else ("public",)
    known = holidays.country_holidays(country, years=tuple(years), categories=categories)
    days: list[date] = list(known)
    working: Iterable[date] = getattr(known, "weekend_workdays", ())
    return Calendar(holidays=frozenset(days), working_weekends=frozenset(working))


def years_around(year: int) -> range:
    """The years that deadlines can fall into: acts may be years old, deadlines are weeks ahead."""
    return range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
