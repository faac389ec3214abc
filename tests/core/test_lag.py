# SPDX-License-Identifier: Apache-2.0
"""R7 and R8: when a service built on one version of a template has to move, and when it is overdue."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.dates import parse_period
from eservice_operator.core.lag import Lag, LagPolicy, Measure, measure_lag
from eservice_operator.core.versions import Catalogue, CatalogueVersion
from tests.core.oracle_catalogue import (
    current_on,
    every_day,
    higher_versions,
    migration_due_days,
    overdue_days,
    plus,
    publications,
    references,
)
from tests.core.strategies_catalogue import (
    LAST_DAY,
    MEASURES,
    SAMPLE,
    Shuffle,
    any_catalogues,
    any_days,
    any_policies,
    catalogue_of,
    catalogues,
    catalogues_and_used,
    day,
    days,
    fact_days,
    lags_at_the_limit,
    lags_with_a_draft,
    policies,
    shuffles,
    version,
)

ONE_DAY = timedelta(days=1)
NO_LAG = Lag(None, None, None, None, 0)


def policy(measure: Measure = "ReleaseGap", maximum: str = "P18M", within: str = "P12M") -> LagPolicy:
    return LagPolicy(parse_period(maximum), measure, parse_period(within))


GAP = policy("ReleaseGap")
SUPERSEDED = policy("SinceSuperseded")


def used(catalogue: Catalogue, text: str) -> CatalogueVersion:
    found = catalogue.find(text)
    assert found is not None
    return found


# --- the sample of the product description -----------------------------------------------------------------


@pytest.mark.parametrize(
    "measure, text, overdue_since, migrate_by, caused_by",
    [
        # released 20 months apart: overdue as soon as 3.0.0 is current
        ("ReleaseGap", "2.0.0", "2025-11-01", "2026-11-01", "3.0.0"),
        # 18 months after 2025-11-01 are 2027-05-01
        ("SinceSuperseded", "2.0.0", "2027-05-02", "2026-11-01", "3.0.0"),
        ("ReleaseGap", "3.0.0", None, None, None),
        ("SinceSuperseded", "3.0.0", None, None, None),
        ("ReleaseGap", "3.1.0", None, None, None),
        ("SinceSuperseded", "3.1.0", None, None, None),
    ],
)
def test_the_sample_template(
    measure: Measure, text: str, overdue_since: str | None, migrate_by: str | None, caused_by: str | None
) -> None:
    lag = measure_lag(SAMPLE, used(SAMPLE, text), policy(measure), day("2026-11-22"))
    assert lag.overdue_since == (None if overdue_since is None else day(overdue_since))
    assert lag.migrate_by == (None if migrate_by is None else day(migrate_by))
    assert lag.caused_by is (None if caused_by is None else used(SAMPLE, caused_by))
    assert lag.at_risk is None


def test_the_answers_of_a_day_follow_from_the_dates() -> None:
    lag = measure_lag(SAMPLE, used(SAMPLE, "2.0.0"), GAP, day("2025-10-31"))
    assert not lag.overdue(day("2025-10-31"))
    assert lag.overdue(day("2025-11-01"))
    assert not lag.migration_due(day("2026-11-01"))
    assert lag.migration_due(day("2026-11-02"))
    assert not NO_LAG.overdue(date.max)
    assert not NO_LAG.migration_due(date.max)


@pytest.mark.parametrize(
    "text, on, behind",
    [
        ("2.0.0", "2025-10-31", 0),  # nothing higher is current yet
        ("2.0.0", "2025-11-01", 608),  # 2024-02-01 to 2025-10-01
        ("2.0.0", "2030-01-01", 608),  # a gap between releases does not grow with time
        ("3.0.0", "2030-01-01", 0),
        ("3.1.0", "2030-01-01", 0),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_days_behind(measure: Measure, text: str, on: str, behind: int) -> None:
    assert measure_lag(SAMPLE, used(SAMPLE, text), policy(measure), day(on)).days_behind == behind


# --- boundaries of both measures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "released, next_released, overdue",
    [
        ("2024-02-01", "2025-07-31", False),
        ("2024-02-01", "2025-08-01", False),  # exactly 18 months
        ("2024-02-01", "2025-08-02", True),
        ("2024-08-31", "2026-02-28", False),  # 18 months end with February
        ("2024-08-31", "2026-03-01", True),
        ("2022-08-31", "2024-02-29", False),
        ("2022-08-31", "2024-03-01", True),
        ("2024-02-29", "2025-08-29", False),
        ("2024-02-29", "2025-08-30", True),
        ("2024-02-28", "2025-08-28", False),
        ("2024-02-28", "2025-08-29", True),
        ("2023-12-31", "2025-06-30", False),
        ("2023-12-31", "2025-07-01", True),
    ],
)
def test_release_gap_of_exactly_the_maximum_is_not_overdue(
    released: str, next_released: str, overdue: bool
) -> None:
    old = version("1.0.0", released, released)
    new = version("2.0.0", next_released, "2027-01-10")
    lag = measure_lag(catalogue_of(old, new), old, GAP, day("2027-01-10"))
    assert lag.overdue_since == (day("2027-01-10") if overdue else None)
    assert lag.caused_by is (new if overdue else None)


@pytest.mark.parametrize(
    "published, last_good_day",
    [
        ("2024-02-01", "2025-08-01"),
        ("2024-08-31", "2026-02-28"),
        ("2022-08-31", "2024-02-29"),
        ("2024-02-29", "2025-08-29"),
        ("2024-09-29", "2026-03-29"),  # the day of 23 hours in Riga
        ("2025-04-25", "2026-10-25"),  # and of 25
    ],
)
def test_since_superseded_the_last_day_is_included(published: str, last_good_day: str) -> None:
    old = version("1.0.0", "2020-01-01", "2020-01-01")
    new = version("2.0.0", "2020-01-02", published)
    lag = measure_lag(catalogue_of(old, new), old, SUPERSEDED, day(published))
    assert not lag.overdue(day(last_good_day))
    assert lag.overdue(day(last_good_day) + ONE_DAY)
    assert lag.overdue_since == day(last_good_day) + ONE_DAY


def test_a_maximum_lag_of_nothing() -> None:
    nothing = "P0D"
    old = version("1.0.0", "2024-01-01", "2024-01-01")
    same_day = version("1.1.0", "2024-01-01", "2024-03-01")
    new = version("1.2.0", "2024-01-02", "2024-05-01")
    found = catalogue_of(old, same_day, new)
    gap = measure_lag(found, old, policy("ReleaseGap", nothing, nothing), day("2024-06-01"))
    assert (gap.overdue_since, gap.migrate_by) == (day("2024-05-01"), day("2024-03-01"))
    superseded = measure_lag(found, old, policy("SinceSuperseded", nothing), day("2024-06-01"))
    assert superseded.overdue_since == day("2024-03-02")


@pytest.mark.parametrize("measure", MEASURES)
def test_what_lies_behind_the_end_of_the_calendar_never_comes(measure: Measure) -> None:
    old = version("1.0.0", "2024-01-01", "2024-01-01")
    new = version("2.0.0", "2030-01-01", "2030-01-01")
    lag = measure_lag(catalogue_of(old, new), old, policy(measure, "P9000Y", "P9000Y"), day("2030-01-01"))
    assert lag.overdue_since is None
    assert not lag.overdue(date.max)
    assert lag.migrate_by == date.max
    assert not lag.migration_due(date.max)


# --- what counts as a higher version -----------------------------------------------------------------------

OLD = version("1.0.0", "2020-01-01", "2020-01-01")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "other",
    [
        version("2.0.0-rc.1", "2023-01-01", "2023-01-01"),  # a pre-release
        version("2.0.0", "2023-01-01"),  # no instruction
        version("2.0.0", "2023-01-01", "2023-01-01", withdrawn_at="2023-02-01"),  # withdrawn
        version("2.0.0", "2023-01-01", "2023-01-01", withdrawn_at="2099-01-01"),  # announced to be
        version("2.0.0", "2023-01-01", "2023-01-01", withdrawn_at="2099-01-01", replace_by="2099-02-01"),
        version("0.9.0", "2023-01-01", "2023-01-01"),  # a lower number, released later
        version("1.0.0-rc.9", "2023-01-01", "2023-01-01"),
    ],
    ids=lambda other: f"{other.text} withdrawn {other.withdrawn_at}",
)
def test_these_make_nobody_lag(measure: Measure, other: CatalogueVersion) -> None:
    lag = measure_lag(catalogue_of(OLD, other), OLD, policy(measure), day("2022-12-31"))
    assert lag == NO_LAG


@pytest.mark.parametrize("measure", MEASURES)
def test_alone_in_the_catalogue_or_not_in_it_at_all(measure: Measure) -> None:
    assert measure_lag(catalogue_of(OLD), OLD, policy(measure), date.max) == NO_LAG
    assert measure_lag(Catalogue(()), OLD, policy(measure), date.max) == NO_LAG


@pytest.mark.parametrize("measure", MEASURES)
def test_a_version_that_is_no_longer_listed_is_still_compared_by_its_number(measure: Measure) -> None:
    listed = version("2.0.0", "2023-01-01", "2023-01-01")
    assert measure_lag(catalogue_of(listed), OLD, policy(measure), date.max).caused_by is listed


@pytest.mark.parametrize("measure", MEASURES)
def test_a_pre_release_in_use_does_not_lag(measure: Measure) -> None:
    candidate = version("1.0.0-rc.1", "2020-01-01", "2020-01-01")
    new = version("3.0.0", "2023-01-01", "2023-01-01")
    assert measure_lag(catalogue_of(candidate, OLD, new), candidate, policy(measure), date.max) == NO_LAG


@pytest.mark.parametrize("measure", MEASURES)
def test_ahead_of_the_current_version_there_is_no_lag(measure: Measure) -> None:
    ahead = version("4.0.0", "2019-01-01")
    new = version("3.0.0", "2023-01-01", "2023-01-01")
    assert measure_lag(catalogue_of(OLD, new, ahead), ahead, policy(measure), date.max) == NO_LAG


def test_a_higher_number_that_was_released_earlier() -> None:
    backport = version("2.9.0", "2024-06-01", "2024-06-01")
    major = version("3.0.0", "2022-01-01", "2022-02-01")
    found = catalogue_of(backport, major)
    gap = measure_lag(found, backport, GAP, day("2026-01-01"))
    assert (gap.overdue_since, gap.days_behind) == (None, 0)
    assert gap.migrate_by == day("2023-02-01")
    # 3.0.0 has been the recommended one since before 2.9.0 existed
    assert measure_lag(found, backport, SUPERSEDED, day("2026-01-01")).overdue_since == day("2023-08-02")


def test_a_lower_number_released_later_is_no_reference_because_it_never_became_current() -> None:
    major = version("3.0.0", "2021-01-01", "2021-01-01")
    backport = version("2.9.0", "2024-06-01", "2024-06-01")
    lag = measure_lag(catalogue_of(OLD, major, backport), OLD, GAP, day("2026-01-01"))
    assert lag.overdue_since is None
    assert lag.days_behind == (major.released - OLD.released).days


def test_the_reference_stays_the_latest_release_that_was_ever_current() -> None:
    """A newer number with an older release date must not make anybody un-overdue (time alone never does)."""
    first = version("2.0.0", "2022-01-01", "2022-01-01")
    second = version("3.0.0", "2021-01-01", "2023-01-01")
    lag = measure_lag(catalogue_of(OLD, first, second), OLD, GAP, day("2024-01-01"))
    assert (lag.overdue_since, lag.caused_by) == (day("2022-01-01"), first)
    assert lag.days_behind == (first.released - OLD.released).days


def test_the_first_version_that_is_too_far_away_is_the_cause() -> None:
    near = version("2.0.0", "2021-07-01", "2021-07-10")  # exactly 18 months
    far = version("3.0.0", "2021-07-02", "2021-08-01")
    farther = version("4.0.0", "2022-07-02", "2022-08-01")
    lag = measure_lag(catalogue_of(farther, near, OLD, far), OLD, GAP, day("2023-01-01"))
    assert (lag.overdue_since, lag.caused_by) == (day("2021-08-01"), far)
    assert lag.migrate_by == day("2022-07-10")


def test_of_two_versions_published_on_one_day_the_higher_one_is_the_cause() -> None:
    one = version("2.0.0", "2022-01-01", "2022-02-01")
    other = version("3.0.0", "2022-01-01", "2022-02-01")
    found = catalogue_of(one, other, OLD)
    assert measure_lag(found, OLD, GAP, day("2023-01-01")).caused_by is other
    assert measure_lag(found, OLD, SUPERSEDED, day("2023-01-01")).caused_by is other


@pytest.mark.parametrize("measure, since", [("ReleaseGap", "2027-03-01"), ("SinceSuperseded", "2028-09-02")])
def test_a_publication_in_the_future_is_already_known(measure: Measure, since: str) -> None:
    coming = version("2.0.0", "2026-06-01", "2027-03-01")
    today = day("2026-11-22")
    lag = measure_lag(catalogue_of(OLD, coming), OLD, policy(measure), today)
    assert not lag.overdue(today)
    assert (lag.overdue_since, lag.migrate_by) == (day(since), day("2028-03-01"))
    assert lag.days_behind == 0


# --- recall ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "withdrawn_at, replace_by, since",
    [
        ("2021-01-01", "2021-03-31", "2021-04-01"),
        ("2021-01-01", "2021-01-01", "2021-01-02"),
        ("2021-01-01", "2020-06-30", "2021-01-01"),  # a date before the recall counts from the recall
        ("2099-01-01", "2099-02-28", "2099-03-01"),  # announced
        ("2021-01-01", None, None),
        ("2021-01-01", "9999-12-31", None),
    ],
)
def test_a_recalled_version_in_use(
    measure: Measure, withdrawn_at: str, replace_by: str | None, since: str | None
) -> None:
    recalled = version("1.0.0", "2020-01-01", "2020-01-01", withdrawn_at=withdrawn_at, replace_by=replace_by)
    lag = measure_lag(catalogue_of(recalled), recalled, policy(measure), day("2020-06-01"))
    assert lag.overdue_since == (None if since is None else day(since))
    assert lag.caused_by is (None if since is None else recalled)
    assert lag.migrate_by is None


@pytest.mark.parametrize(
    "replace_by, since, caused_by",
    [
        ("2021-12-30", "2021-12-31", "1.0.0"),
        ("2021-12-31", "2022-01-01", "2.0.0"),  # on the same day the lag is named: it says where to go
        ("2022-01-01", "2022-01-01", "2.0.0"),
        (None, "2022-01-01", "2.0.0"),  # without a date the recall adds nothing, and takes nothing away
    ],
)
def test_of_recall_and_lag_the_earlier_counts(replace_by: str | None, since: str, caused_by: str) -> None:
    recalled = version("1.0.0", "2020-01-01", "2020-01-01", withdrawn_at="2021-01-01", replace_by=replace_by)
    new = version("2.0.0", "2022-01-01", "2022-01-01")
    lag = measure_lag(catalogue_of(recalled, new), recalled, GAP, day("2023-01-01"))
    assert lag.overdue_since == day(since)
    assert lag.caused_by is not None
    assert lag.caused_by.text == caused_by


def test_a_recall_reaches_a_pre_release_too() -> None:
    recalled = version(
        "2.0.0-rc.1", "2020-01-01", "2020-01-01", withdrawn_at="2021-01-01", replace_by="2021-02-01"
    )
    lag = measure_lag(catalogue_of(recalled), recalled, GAP, day("2021-01-01"))
    assert lag.overdue_since == day("2021-02-02")


def test_a_recall_may_put_a_later_release_in_the_place_of_an_earlier_one() -> None:
    """R8 compares with the current version, and that is then 2.5.0: the one way a recall can hurt."""
    backport = version("2.5.0", "2022-01-01", "2022-02-01")
    major = version("3.0.0", "2021-01-01", "2021-02-01")
    assert measure_lag(catalogue_of(OLD, backport, major), OLD, GAP, date.max).overdue_since is None
    recalled = replace(major, withdrawn_at=day("2023-01-01"))
    lag = measure_lag(catalogue_of(OLD, backport, recalled), OLD, GAP, date.max)
    assert (lag.overdue_since, lag.caused_by) == (day("2023-01-01"), backport)


# --- at risk -----------------------------------------------------------------------------------------------

DRAFT = version("2.0.0", "2022-01-01")


def at_risk(*others: CatalogueVersion, on: str = "2022-06-01", of: LagPolicy = GAP) -> str | None:
    found = measure_lag(catalogue_of(OLD, *others), OLD, of, day(on)).at_risk
    return None if found is None else found.text


def test_a_released_version_without_instruction_that_would_make_it_overdue() -> None:
    assert at_risk(DRAFT) == "2.0.0"


@pytest.mark.parametrize(
    "on, expected", [("2021-12-31", None), ("2022-01-01", "2.0.0"), ("2099-01-01", "2.0.0")]
)
def test_it_warns_from_the_day_of_release(on: str, expected: str | None) -> None:
    assert at_risk(DRAFT, on=on) == expected


@pytest.mark.parametrize(
    "draft",
    [
        version("2.0.0", "2021-07-01"),  # exactly 18 months
        version("2.0.0-rc.1", "2022-01-01"),
        version("0.9.0", "2022-01-01"),
        version("2.0.0", "2022-01-01", withdrawn_at="2030-01-01"),
        version("2.0.0", "2022-01-01", "2022-09-01"),  # has an instruction: overdue on a known day instead
    ],
    ids=str,
)
def test_these_are_no_risk(draft: CatalogueVersion) -> None:
    assert at_risk(draft) is None


def test_under_since_superseded_publication_only_starts_the_clock() -> None:
    assert at_risk(DRAFT, of=SUPERSEDED) is None


def test_no_risk_below_a_current_version_that_stays() -> None:
    assert at_risk(DRAFT, version("3.0.0", "2021-01-01", "2021-01-01")) is None
    # 3.0.0 is to be current in between, and 2.0.0 would be before it
    assert at_risk(DRAFT, version("3.0.0", "2021-01-01", "2022-09-01")) == "2.0.0"
    # and after it
    assert at_risk(DRAFT, version("3.0.0", "2021-01-01", "2021-01-01", withdrawn_at="2029-01-01")) == "2.0.0"


def test_no_warning_of_what_has_happened_but_of_what_would_come_sooner() -> None:
    overdue_later = version("1.5.0", "2022-01-01", "2022-09-01")
    assert at_risk(DRAFT, overdue_later, on="2022-08-31") == "2.0.0"
    assert at_risk(DRAFT, overdue_later, on="2022-09-01") is None


def test_of_several_risks_the_highest_number_is_named() -> None:
    assert at_risk(version("2.1.0", "2022-01-01"), DRAFT, version("2.0.1", "2022-02-01")) == "2.1.0"


# --- properties --------------------------------------------------------------------------------------------


@given(any_catalogues, any_catalogues, any_policies, any_days)
def test_total(catalogue: Catalogue, elsewhere: Catalogue, of: LagPolicy, on: date) -> None:
    for one in catalogue.versions + elsewhere.versions:
        lag = measure_lag(catalogue, one, of, on)
        assert lag.days_behind >= 0
        assert (lag.overdue_since is None) == (lag.caused_by is None)
        assert lag == measure_lag(catalogue, one, of, on)
        lag.overdue(on)
        lag.migration_due(on)


def agrees_day_by_day(catalogue: Catalogue, one: CatalogueVersion, of: LagPolicy) -> None:
    overdue = overdue_days(catalogue, one, of)
    due = migration_due_days(catalogue, one, of)
    reference = references(catalogue, one)
    since = next((today for today, yes in overdue.items() if yes), None)
    for today in every_day():
        lag = measure_lag(catalogue, one, of, today)
        assert lag.overdue(today) == overdue[today]
        assert lag.migration_due(today) == due[today]
        assert lag.overdue_since == since
        ahead = (reference[today] or date.min) - one.released
        assert lag.days_behind == max(ahead.days, 0)


@given(catalogues_and_used(), policies())
def test_it_agrees_with_the_rule_read_day_by_day(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    agrees_day_by_day(*case, of)


@given(lags_at_the_limit())
def test_it_agrees_with_the_rule_at_the_limit_too(
    case: tuple[Catalogue, CatalogueVersion, LagPolicy],
) -> None:
    agrees_day_by_day(*case)


@given(catalogues_and_used(), policies())
def test_the_date_of_the_duty(case: tuple[Catalogue, CatalogueVersion], of: LagPolicy) -> None:
    catalogue, one = case
    published = publications(catalogue, one)
    expected = plus(min(published), of.migrate_within) if published else None
    assert measure_lag(catalogue, one, of, LAST_DAY).migrate_by == expected


@given(catalogues_and_used(), policies())
def test_a_later_day_never_takes_anything_back(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    catalogue, one = case
    lags = ((today, measure_lag(catalogue, one, of, today)) for today in every_day())
    for (yesterday, before), (today, after) in pairwise(lags):
        assert before.overdue(yesterday) <= after.overdue(today)
        assert before.migration_due(yesterday) <= after.migration_due(today)
        assert before.days_behind <= after.days_behind
        assert (before.overdue_since, before.migrate_by) == (after.overdue_since, after.migrate_by)


@given(catalogues(min_size=2), policies(), shuffles, days)
def test_the_order_in_the_template_does_not_matter(
    catalogue: Catalogue, of: LagPolicy, shuffle: Shuffle, on: date
) -> None:
    shuffled = shuffle(catalogue)
    for one in catalogue.versions:
        assert measure_lag(shuffled, one, of, on) == measure_lag(catalogue, one, of, on)


@given(catalogues_and_used(), policies())
def test_the_cause_is_the_used_version_itself_or_a_higher_one(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    catalogue, one = case
    lag = measure_lag(catalogue, one, of, LAST_DAY)
    if lag.caused_by is None:
        return
    assert lag.overdue_since is not None
    if lag.caused_by is one:
        assert one.withdrawn_at is not None
        assert one.replace_by is not None
        assert lag.overdue_since == max(one.withdrawn_at, one.replace_by + ONE_DAY)
    else:
        assert lag.caused_by in higher_versions(catalogue, one)
        if of.measure == "ReleaseGap":
            assert current_on(catalogue, lag.overdue_since) is lag.caused_by


@given(st.one_of(lags_at_the_limit(), lags_with_a_draft()), st.lists(days, min_size=1, max_size=4))
def test_at_risk_names_a_version_whose_instruction_published_today_would_do_it(
    case: tuple[Catalogue, CatalogueVersion, LagPolicy], some_days: list[date]
) -> None:
    catalogue, one, of = case
    limit = plus(one.released, of.maximum_lag)

    def would_become_current(draft: CatalogueVersion, today: date) -> bool:
        published = replace(draft, published=today)
        others = tuple(other for other in catalogue.versions if other is not draft)
        there = Catalogue((*others, published))
        return any(current_on(there, later) is published for later in every_day() if later >= today)

    for today in some_days:
        risks = [
            draft
            for draft in higher_versions(catalogue, one)
            if draft.published is None
            and limit < draft.released <= today
            and would_become_current(draft, today)
        ]
        lag = measure_lag(catalogue, one, of, today)
        if of.measure == "SinceSuperseded" or lag.overdue(today):
            risks = []
        assert lag.at_risk == max(risks, key=lambda draft: draft.number, default=None)


@given(catalogues(), policies(), st.data())
def test_announcing_a_recall_of_a_higher_version_makes_nobody_overdue_earlier(
    catalogue: Catalogue, of: LagPolicy, data: st.DataObject
) -> None:
    """Where a lower number was never released later than a higher one; else see the table above."""
    versions = sorted(catalogue.versions, key=lambda one: one.number)
    if of.measure == "ReleaseGap":
        releases = sorted(one.released for one in versions)
        versions = [replace(one, released=day_) for one, day_ in zip(versions, releases, strict=True)]
    catalogue = Catalogue(tuple(versions))
    recalls = [(one, other) for one in versions for other in higher_versions(catalogue, one)]
    if not recalls:
        return
    one, recalled = data.draw(st.sampled_from(recalls))
    withdrawn = replace(recalled, withdrawn_at=data.draw(fact_days))
    edited = Catalogue(tuple(withdrawn if other is recalled else other for other in versions))
    before = measure_lag(catalogue, one, of, LAST_DAY).overdue_since
    after = measure_lag(edited, one, of, LAST_DAY).overdue_since
    assert after is None or (before is not None and before <= after)
