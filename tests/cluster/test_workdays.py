# SPDX-License-Identifier: Apache-2.0
"""Calendars of countries as the installation's due date needs them (R5)."""

from __future__ import annotations

from datetime import date

import pytest

from eservice_operator.cluster.workdays import calendar_of, years_around
from eservice_operator.core.dates import add_working_days, is_working_day


def test_latvia_moves_days_off_and_works_on_the_saturdays_instead() -> None:
    latvia = calendar_of("LV", years_around(2026))
    assert not is_working_day(date(2026, 1, 2), latvia)
    assert is_working_day(date(2026, 1, 17), latvia)
    assert not is_working_day(date(2026, 11, 18), latvia)
    assert is_working_day(date(2026, 11, 19), latvia)


def test_ten_working_days_over_the_end_of_the_year() -> None:
    latvia = calendar_of("LV", years_around(2026))
    assert add_working_days(date(2026, 11, 16), 10, latvia) == date(2026, 12, 1)


def test_swedish_offices_are_closed_on_midsummer_eve() -> None:
    assert not is_working_day(date(2026, 6, 19), calendar_of("SE", (2026,)))


def test_a_country_that_is_not_known_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        calendar_of("XX", (2026,))
