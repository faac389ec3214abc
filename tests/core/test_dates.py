# SPDX-License-Identifier: Apache-2.0
"""Calendar periods, local days and working days: every boundary by hand, the rest by property."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.dates import (
    Calendar,
    Period,
    add_period,
    add_working_days,
    day_after_end,
    following_day,
    instant,
    is_working_day,
    local_day,
    parse_instant,
    parse_period,
    start_of_day,
    subtract_period,
)
from tests.core.strategies_catalogue import any_days, any_periods, fact_days, more_examples

RIGA = ZoneInfo("Europe/Riga")
ZONES = (
    "Europe/Riga",
    "UTC",
    "America/Sao_Paulo",  # midnight skipped on the first day of summer time until 2017
    "Asia/Beirut",  # the same, to this day
    "America/Havana",  # the first hour of a day happens twice
    "America/St_Johns",  # until 2011 a day began, ended after a minute and began again
    "America/Toronto",  # 1919: the clock went from 23:30 to 00:30
    "Pacific/Apia",  # 2011-12-30 did not exist
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
modern_days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
ODD_DAYS = (
    ("America/Sao_Paulo", date(2017, 10, 15)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2022, 3, 27)),
    ("America/Havana", date(2024, 11, 3)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("America/St_Johns", date(2007, 3, 11)),
    ("America/Toronto", date(1919, 3, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Europe/Riga", date(2026, 3, 29)),
    ("Europe/Riga", date(2026, 10, 25)),
)
odd_days = st.builds(
    lambda odd, offset: (odd[1] + timedelta(days=offset), ZoneInfo(odd[0])),
    st.sampled_from(ODD_DAYS),
    st.integers(-1, 1),
)
days_in_zones = st.one_of(odd_days, odd_days, st.tuples(modern_days, zones))
"""Days of any kind, and many of those whose midnight is unusual."""


def d(text: str) -> date:
    return date.fromisoformat(text)


# --- periods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, months, days",
    [
        ("P18M", 18, 0),
        ("P1Y6M", 18, 0),
        ("P2Y", 24, 0),
        ("P7D", 0, 7),
        ("P2W", 0, 14),
        ("P1M2W3D", 1, 17),
        ("P1Y2M3W4D", 14, 25),
        ("P0D", 0, 0),
        ("P0M", 0, 0),
        ("P08M", 8, 0),
        ("P999999Y", 11_999_988, 0),
    ],
)
def test_a_period_of_whole_calendar_units_is_understood(text: str, months: int, days: int) -> None:
    assert parse_period(text) == Period(months, days)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "18M",
        "p18m",
        " P18M",
        "P18M\n",
        "P1.5Y",
        "P1,5M",
        "-P1M",
        "P-1M",
        "+P1M",
        "P6M1Y",
        "P1M1M",
        "PT24H",
        "P1DT",
        "P1DT12H",
        "P1000000D",
        "P١٨M",
        "18 months",
        "P" + "9" * 5000 + "D",
    ],
)
def test_anything_else_is_refused_and_the_message_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="for example P18M") as refused:
        parse_period(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    "anchor, period, expected",
    [
        ("2024-02-01", "P18M", "2025-08-01"),
        ("2024-08-31", "P18M", "2026-02-28"),
        ("2022-08-31", "P18M", "2024-02-29"),
        ("2024-02-29", "P12M", "2025-02-28"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-01-31", "P2M", "2024-03-31"),
        ("2024-03-31", "P1M", "2024-04-30"),
        ("2024-12-31", "P2M", "2025-02-28"),
        ("2024-01-31", "P1M1D", "2024-03-01"),
        ("2023-12-31", "P1D", "2024-01-01"),
        ("2024-02-28", "P1D", "2024-02-29"),
        ("2024-06-15", "P2W", "2024-06-29"),
        ("2024-06-15", "P0D", "2024-06-15"),
        ("9999-11-30", "P1M", "9999-12-30"),
        ("9999-12-01", "P1M", "9999-12-31"),
        ("9999-12-31", "P1D", "9999-12-31"),
        ("2024-01-01", "P999999Y999999D", "9999-12-31"),
    ],
)
def test_adding_a_period(anchor: str, period: str, expected: str) -> None:
    assert add_period(d(anchor), parse_period(period)) == d(expected)


@pytest.mark.parametrize(
    "anchor, period, expected",
    [
        ("2025-08-01", "P18M", "2024-02-01"),
        ("2026-08-31", "P6M", "2026-02-28"),
        ("2024-08-31", "P6M", "2024-02-29"),
        ("2028-02-29", "P1Y", "2027-02-28"),
        ("2026-03-31", "P1M", "2026-02-28"),
        ("2026-01-15", "P1M", "2025-12-15"),
        ("2026-03-31", "P1M1D", "2026-02-27"),
        ("2026-03-01", "P7D", "2026-02-22"),
        ("2026-06-15", "P0D", "2026-06-15"),
        ("0001-01-31", "P1M", "0001-01-01"),
        ("0001-01-01", "P1D", "0001-01-01"),
        ("2024-01-01", "P999999Y999999D", "0001-01-01"),
    ],
)
def test_subtracting_a_period(anchor: str, period: str, expected: str) -> None:
    assert subtract_period(d(anchor), parse_period(period)) == d(expected)


@given(any_days, any_periods)
def test_period_arithmetic_is_total_and_goes_the_right_way(day: date, period: Period) -> None:
    assert subtract_period(day, period) <= day <= add_period(day, period)


@more_examples
@given(st.one_of(fact_days, modern_days), st.integers(0, 3), any_periods)
def test_period_arithmetic_keeps_the_order_of_days(earlier: date, apart: int, period: Period) -> None:
    later = earlier + timedelta(days=apart)
    assert add_period(earlier, period) <= add_period(later, period)
    assert subtract_period(earlier, period) <= subtract_period(later, period)


@given(modern_days, st.integers(0, 600))
def test_months_keep_the_day_of_the_month_or_clamp_to_its_end(day: date, months: int) -> None:
    result = add_period(day, Period(months, 0))
    assert (result.year * 12 + result.month) - (day.year * 12 + day.month) == months
    assert result.day == min(day.day, monthrange(result.year, result.month)[1])


@given(modern_days, st.integers(0, 600))
def test_subtracting_months_undoes_adding_them_but_for_clamped_days(day: date, months: int) -> None:
    back = subtract_period(add_period(day, Period(months, 0)), Period(months, 0))
    assert (back.year, back.month) == (day.year, day.month)
    assert back == day or 28 <= back.day < day.day


def test_the_day_after_the_last_one_that_can_be_written_does_not_exist() -> None:
    assert following_day(d("2024-02-28")) == d("2024-02-29")
    assert following_day(d("9999-12-30")) == d("9999-12-31")
    assert following_day(date.max) is None


# --- local days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone, day, start",
    [
        ("Europe/Riga", "2026-01-15", "2026-01-14T22:00:00Z"),
        ("Europe/Riga", "2026-07-15", "2026-07-14T21:00:00Z"),
        ("Europe/Riga", "2026-03-29", "2026-03-28T22:00:00Z"),  # the day of 23 hours
        ("Europe/Riga", "2026-03-30", "2026-03-29T21:00:00Z"),
        ("Europe/Riga", "2026-10-25", "2026-10-24T21:00:00Z"),  # the day of 25 hours
        ("Europe/Riga", "2026-10-26", "2026-10-25T22:00:00Z"),
        ("UTC", "2026-03-29", "2026-03-29T00:00:00Z"),
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00Z"),  # starts at 01:00
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z"),  # starts at 01:00
        ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"),  # the first of two midnights
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30:00Z"),  # lasts a minute, is broken off, goes on
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"),  # starts at 00:30
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),  # no such day: the next one's start
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-01-01", "2026-01-01T11:00:00Z"),
    ],
)
def test_the_first_instant_of_a_local_day(zone: str, day: str, start: str) -> None:
    found = start_of_day(d(day), ZoneInfo(zone))
    assert found == datetime.fromisoformat(start)
    assert found.tzinfo is UTC


def test_a_local_day_ends_where_the_next_one_starts() -> None:
    assert day_after_end(d("2026-03-29"), RIGA) - start_of_day(d("2026-03-29"), RIGA) == timedelta(hours=23)
    assert day_after_end(d("2026-10-25"), RIGA) - start_of_day(d("2026-10-25"), RIGA) == timedelta(hours=25)
    assert day_after_end(d("2026-12-31"), RIGA) == datetime(2026, 12, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "instant, day",
    [
        ("2026-06-30T20:59:59Z", "2026-06-30"),
        ("2026-06-30T21:00:00Z", "2026-07-01"),
        ("2026-12-31T21:59:59.999999Z", "2026-12-31"),
        ("2026-12-31T22:00:00Z", "2027-01-01"),
        ("2026-06-30T23:59:59+03:00", "2026-06-30"),
        ("2026-06-30T23:59:59-10:00", "2026-07-01"),
    ],
)
def test_the_local_day_of_an_instant(instant: str, day: str) -> None:
    assert local_day(datetime.fromisoformat(instant), RIGA) == d(day)


def test_an_instant_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        local_day(datetime(2026, 1, 1), RIGA)  # noqa: DTZ001 - the very mistake


@given(days_in_zones)
def test_no_earlier_instant_belongs_to_the_day(case: tuple[date, ZoneInfo]) -> None:
    day, zone = case
    start = start_of_day(day, zone)
    assert local_day(start, zone) >= day
    assert local_day(start - timedelta(microseconds=1), zone) < day


@given(days_in_zones)
def test_days_follow_each_other_without_gap_or_overlap(case: tuple[date, ZoneInfo]) -> None:
    day, zone = case
    assert start_of_day(day, zone) <= day_after_end(day, zone) == start_of_day(day + timedelta(days=1), zone)


@given(any_days, zones, st.integers(-1439, 1439))
def test_local_days_are_total_up_to_the_ends_of_the_calendar(day: date, zone: ZoneInfo, minutes: int) -> None:
    start = start_of_day(day, zone)
    assert start.tzinfo is UTC
    assert start <= day_after_end(day, zone)
    elsewhere = timezone(timedelta(minutes=minutes))
    for edge in (datetime.min, datetime.max):
        assert local_day(edge.replace(tzinfo=elsewhere), zone).year in (1, 9999)


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_and_the_last_day_of_the_calendar_saturate(zone: str) -> None:
    assert start_of_day(date.min, ZoneInfo(zone)) <= datetime(1, 1, 2, tzinfo=UTC)
    assert day_after_end(date.max, ZoneInfo(zone)) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "at, text",
    [
        (datetime(2026, 11, 22, 2, 30, 59, 999_999, tzinfo=UTC), "2026-11-22T02:30:59Z"),
        (datetime(2026, 7, 1, 0, 0, tzinfo=RIGA), "2026-06-30T21:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_instants_are_written_in_utc(at: datetime, text: str) -> None:
    assert instant(at) == text


def test_an_instant_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="aware"):
        instant(datetime(2026, 1, 1))  # noqa: DTZ001 - the very mistake


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_instant_reads_back_without_its_fraction(at: datetime) -> None:
    assert parse_instant(instant(at)) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-06-30T21:00:00Z", datetime(2026, 6, 30, 21, tzinfo=UTC)),
        ("2026-07-01T00:00:00.5+03:00", datetime(2026, 6, 30, 21, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-07-01T00:00:00", None),
        ("2026-07-01", None),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+10:00", None),
    ],
)
def test_only_instants_are_read(text: str, expected: datetime | None) -> None:
    assert parse_instant(text) == expected


@given(st.text(max_size=40))
def test_reading_an_instant_is_total(text: str) -> None:
    found = parse_instant(text)
    assert found is None or found.tzinfo is UTC


# --- working days ----------------------------------------------------------------------------------------


def latvian_calendar() -> Calendar:
    """The calendar as the shell builds it: days off by law, and weekends worked for a day moved."""
    country = holidays.country_holidays("LV", years=range(2025, 2029))
    return Calendar(frozenset(country), frozenset(country.weekend_workdays))


LATVIA = latvian_calendar()
PLAIN = Calendar(frozenset(), frozenset())


@pytest.mark.parametrize(
    "day, working",
    [
        ("2026-01-01", False),
        ("2026-01-02", False),  # a Friday, moved to
        ("2026-01-17", True),  # this Saturday
        ("2026-01-18", False),
        ("2026-01-24", False),
        ("2026-04-02", True),
        ("2026-04-03", False),  # Good Friday
        ("2026-04-06", False),  # Easter Monday
        ("2026-04-07", True),
        ("2026-05-04", False),
        ("2026-06-22", False),  # a Monday, moved to
        ("2026-06-27", True),  # this Saturday
        ("2026-06-23", False),  # Līgo
        ("2026-06-24", False),  # Jāņi
        ("2026-06-25", True),
        ("2026-11-18", False),
        ("2026-12-23", True),
        ("2026-12-24", False),
        ("2026-12-25", False),
        ("2026-12-26", False),
        ("2026-12-31", False),
    ],
)
def test_latvian_days_off_and_working_saturdays(day: str, working: bool) -> None:
    assert is_working_day(d(day), LATVIA) is working


def test_a_holiday_on_a_worked_weekend_is_worked_and_a_weekday_holiday_stays_one() -> None:
    both = Calendar(
        frozenset({d("2026-01-17"), d("2026-01-19")}), frozenset({d("2026-01-17"), d("2026-01-19")})
    )
    assert is_working_day(d("2026-01-17"), both)
    assert not is_working_day(d("2026-01-19"), both)


@pytest.mark.parametrize(
    "start, count, due",
    [
        ("2026-02-02", 10, "2026-02-16"),  # nothing but weekends between
        ("2026-01-12", 10, "2026-01-23"),  # the Saturday of the 17th counts
        ("2026-01-16", 1, "2026-01-17"),
        ("2025-12-30", 1, "2026-01-05"),
        ("2026-03-26", 10, "2026-04-13"),  # over Easter: Friday and Monday off
        ("2026-04-02", 10, "2026-04-20"),
        ("2026-04-03", 10, "2026-04-20"),  # counted from a day off
        ("2026-04-24", 10, "2026-05-12"),  # 1 and 4 May off
        ("2026-06-12", 10, "2026-06-30"),  # Līgo: 22, 23, 24 off, Saturday 27 worked
        ("2026-06-19", 10, "2026-07-07"),
        ("2026-12-10", 10, "2026-12-28"),  # Christmas: Thursday and Friday off
        ("2026-12-18", 10, "2027-01-07"),  # and New Year
        ("2026-12-23", 1, "2026-12-28"),
        ("2026-02-02", 0, "2026-02-02"),
        ("2026-02-07", 0, "2026-02-07"),
    ],
)
def test_working_days_over_latvian_holidays(start: str, count: int, due: str) -> None:
    assert add_working_days(d(start), count, LATVIA) == d(due)


def test_fewer_than_no_working_days_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="-1"):
        add_working_days(d("2026-02-02"), -1, PLAIN)


def test_working_days_end_with_the_calendar() -> None:
    assert add_working_days(date.max, 1, PLAIN) == date.max
    assert add_working_days(date.max - timedelta(days=3), 10, PLAIN) == date.max


near_days = st.dates(date(2026, 1, 1), date(2026, 3, 31))
calendars = st.builds(Calendar, st.frozensets(near_days, max_size=30), st.frozensets(near_days, max_size=10))


@given(near_days, st.integers(1, 40), calendars)
def test_exactly_that_many_working_days_lie_after_the_start_up_to_the_due_day(
    start: date, count: int, calendar: Calendar
) -> None:
    due = add_working_days(start, count, calendar)
    between = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]
    assert sum(is_working_day(day, calendar) for day in between) == count
    assert is_working_day(due, calendar)


@given(near_days, st.integers(0, 6), st.integers(0, 40), calendars)
def test_a_later_start_is_never_due_earlier(
    earlier: date, apart: int, count: int, calendar: Calendar
) -> None:
    later = earlier + timedelta(days=apart)
    assert add_working_days(earlier, count, calendar) <= add_working_days(later, count, calendar)
