# SPDX-License-Identifier: Apache-2.0
"""R7 and R8 read literally, one day after another: slow, obvious, and sharing no code with what it judges."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from semver import Version

from eservice_operator.core.dates import Period
from eservice_operator.core.lag import LagPolicy
from eservice_operator.core.versions import Catalogue, CatalogueVersion
from tests.core.strategies_catalogue import FIRST_DAY, LAST_DAY

ONE_DAY = timedelta(days=1)


def every_day() -> Iterator[date]:
    """The days on which anything can happen in a crowded catalogue, one before and one after."""
    today = FIRST_DAY - ONE_DAY
    while today <= LAST_DAY:
        yield today
        today += ONE_DAY


@cache
def is_higher(one: Version, other: Version) -> bool:
    """SemVer precedence as the library has it (cached: it is slow)."""
    return one > other


def plus(anchor: date, period: Period) -> date:
    """Calendar months by walking: so many months on, then back to a day that exists; then the days."""
    year, month = anchor.year, anchor.month
    for _ in range(period.months):
        month += 1
        if month > 12:
            year, month = year + 1, 1
    for number in range(anchor.day, 0, -1):
        try:
            return date(year, month, number) + ONE_DAY * period.days
        except ValueError:
            continue
    raise AssertionError(anchor)


def current_on(catalogue: Catalogue, today: date) -> CatalogueVersion | None:
    """The highest number among versions published by today, neither pre-releases nor withdrawn by today."""
    best = None
    for one in catalogue.versions:
        if one.number.prerelease is not None:
            continue
        if one.published is None or one.published > today:
            continue
        if one.withdrawn_at is not None and one.withdrawn_at <= today:
            continue
        if best is None or is_higher(one.number, best.number):
            best = one
    return best


def higher_versions(catalogue: Catalogue, used: CatalogueVersion) -> list[CatalogueVersion]:
    """Higher numbers that are no pre-releases and that nobody has announced to withdraw."""
    if used.number.prerelease is not None:
        return []
    return [
        one
        for one in catalogue.versions
        if is_higher(one.number, used.number) and one.number.prerelease is None and one.withdrawn_at is None
    ]


def references(catalogue: Catalogue, used: CatalogueVersion) -> dict[date, date | None]:
    """For each day the latest release among higher versions that have been current by then."""
    counted = higher_versions(catalogue, used)
    latest: date | None = None
    found: dict[date, date | None] = {}
    for today in every_day():
        current = current_on(catalogue, today)
        if current is not None and current in counted:
            latest = current.released if latest is None else max(latest, current.released)
        found[today] = latest
    return found


def publications(catalogue: Catalogue, used: CatalogueVersion) -> list[date]:
    """The publication dates of higher versions."""
    return [one.published for one in higher_versions(catalogue, used) if one.published is not None]


def overdue_days(catalogue: Catalogue, used: CatalogueVersion, policy: LagPolicy) -> dict[date, bool]:
    """For each day whether a service on the used version is overdue."""
    reference = references(catalogue, used)
    limit = plus(used.released, policy.maximum_lag)
    published = publications(catalogue, used)
    overdue: dict[date, bool] = {}
    for today in every_day():
        if policy.measure == "ReleaseGap":
            of_today = reference[today]
            lagging = of_today is not None and of_today > limit
        else:
            lagging = bool(published) and today > plus(min(published), policy.maximum_lag)
        recalled = used.withdrawn_at is not None and used.withdrawn_at <= today
        overdue[today] = lagging or (recalled and used.replace_by is not None and today > used.replace_by)
    return overdue


def migration_due_days(catalogue: Catalogue, used: CatalogueVersion, policy: LagPolicy) -> dict[date, bool]:
    """For each day whether the duty to migrate has been breached."""
    published = publications(catalogue, used)
    return {
        today: bool(published) and today > plus(min(published), policy.migrate_within)
        for today in every_day()
    }


def stages(catalogue: Catalogue, one: CatalogueVersion, policy: LagPolicy) -> dict[date, str]:
    """For each day the stage of a version: the first of the list that fits."""
    overdue = overdue_days(catalogue, one, policy)
    due = migration_due_days(catalogue, one, policy)
    found: dict[date, str] = {}
    for today in every_day():
        if one.withdrawn_at is not None and one.withdrawn_at <= today:
            found[today] = "Withdrawn"
        elif overdue[today]:
            found[today] = "Overdue"
        elif due[today]:
            found[today] = "MigrationDue"
        elif current_on(catalogue, today) is one:
            found[today] = "Current"
        elif one.number.prerelease is None and one.published is not None and one.published <= today:
            found[today] = "Supported"
        else:
            found[today] = "Preview"
    return found
