# SPDX-License-Identifier: Apache-2.0
"""How far a version in use lags behind its template, and since when that is too far (R7, R8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from eservice_operator.core.dates import Period, add_period, following_day
from eservice_operator.core.versions import Catalogue, CatalogueVersion, Succession, current_by

Cause = tuple[date, CatalogueVersion]
"""A day, and the version that gives it its meaning."""

Measure = Literal["ReleaseGap", "SinceSuperseded"]


@dataclass(frozen=True, slots=True)
class LagPolicy:
    """The part of a template's lifecycle policy that dates follow from."""

    maximum_lag: Period
    measure: Measure
    migrate_within: Period


@dataclass(frozen=True, slots=True)
class Lag:
    """What follows for a service on one version. Its dates are local days, the same on whatever day one asks.

    Attributes:
        overdue_since: the first day on which it is overdue, also one to come; none when nothing leads there.
        caused_by: the version that makes it so; the used one itself when its own recall does.
        migrate_by: the last day on which the duty to migrate is kept (R7).
        at_risk: a released version without an instruction that would make it overdue by getting one.
        days_behind: from the release of the used version to that of the one compared with; 0 if negative.
    """

    overdue_since: date | None
    caused_by: CatalogueVersion | None
    migrate_by: date | None
    at_risk: CatalogueVersion | None
    days_behind: int

    def overdue(self, day: date) -> bool:
        """R8: whether the service is overdue on that day."""
        return self.overdue_since is not None and self.overdue_since <= day

    def migration_due(self, day: date) -> bool:
        """R7: whether the duty to migrate is breached on that day."""
        return self.migrate_by is not None and self.migrate_by < day


@dataclass(frozen=True, slots=True)
class Prospects:
    """What the lag of a version follows from on whatever day: of two that are equal, each day's lag is, too.

    But for ``days_behind``, which is only shown.

    Attributes:
        overdue: the first day on which it is overdue, and why.
        migrate_by: the last day on which the duty to migrate is kept.
        drafts: the versions without an instruction that would make it overdue, with one.
        successions: who was or will be current, when, where that matters because there are drafts.
    """

    overdue: Cause | None
    migrate_by: date | None
    drafts: tuple[CatalogueVersion, ...]
    successions: tuple[Succession, ...]

    def at_risk(self, day: date) -> CatalogueVersion | None:
        """The highest version, released without an instruction, that would be too far away once current."""
        due_already = self.overdue is not None and self.overdue[0] <= day
        drafts = [one for one in self.drafts if one.released <= day]
        if due_already or not drafts:
            return None
        highest = max(drafts, key=lambda one: one.precedence)
        to_come = (one for since, one in self.successions if since > day)
        in_its_way = [current_by(self.successions, day), *to_come]
        gets_its_turn = any(one is None or one.precedence < highest.precedence for one in in_its_way)
        return highest if gets_its_turn else None


def measure_lag(catalogue: Catalogue, used: CatalogueVersion, policy: LagPolicy, day: date) -> Lag:
    """The lag of a service on the used version, as known on that day (R7, R8)."""
    found = prospects(catalogue, used, policy)
    compared = _compared(catalogue, used)
    gaps = (one.released - used.released for since, one in compared if since <= day)
    return Lag(
        overdue_since=None if found.overdue is None else found.overdue[0],
        caused_by=None if found.overdue is None else found.overdue[1],
        migrate_by=found.migrate_by,
        at_risk=found.at_risk(day),
        days_behind=max([timedelta(), *gaps]).days,
    )


def prospects(catalogue: Catalogue, used: CatalogueVersion, policy: LagPolicy) -> Prospects:
    """What is known of a service on the used version by the dates of all versions.

    Only higher versions count: no pre-releases, and none with an entry of withdrawal, even one whose day is
    still to come. So announcing the recall of a version ends what it causes, and no later day brings it back.
    Which version has been current, on the other hand, follows ``withdrawn_at`` by its day. (So a recall can
    hurt in one case: where a lower number was released later than the recalled one, it becomes the current
    version, with which R8 compares.) A pre-release in use has no lag.

    A recalled version in use is overdue after ``replace_by``, if it has one, and not before its withdrawal.
    Of recall and lag the earlier counts; on the same day the lag is named, which says where to go.
    """
    higher = [one for one in catalogue.versions if _counts(one, used)]
    published = _first_published(higher)
    lagging = _lagging(_compared(catalogue, used), published, used, policy)
    drafts = tuple(_drafts(higher, used, policy))
    return Prospects(
        overdue=_earlier(lagging, _recalled(used)),
        migrate_by=None if published is None else add_period(published[0], policy.migrate_within),
        drafts=drafts,
        successions=catalogue.successions if drafts else (),
    )


def _compared(catalogue: Catalogue, used: CatalogueVersion) -> list[Cause]:
    """The higher versions in the order in which they became current, and since when."""
    return [(since, one) for since, one in catalogue.successions if one is not None and _counts(one, used)]


def _counts(one: CatalogueVersion, used: CatalogueVersion) -> bool:
    """Whether a version is a higher one, published or not."""
    return (
        one.withdrawn_at is None
        and one.precedence > used.precedence
        and not one.is_prerelease
        and not used.is_prerelease
    )


def _first_published(higher: list[CatalogueVersion]) -> Cause | None:
    """The first publication among higher versions; of several on one day that of the highest."""
    published = [(one.published, one) for one in higher if one.published is not None]
    first = min((since for since, _ in published), default=None)
    of_that_day = (cause for cause in published if cause[0] == first)
    return max(of_that_day, key=lambda cause: cause[1].precedence, default=None)


def _lagging(
    compared: list[Cause], published: Cause | None, used: CatalogueVersion, policy: LagPolicy
) -> Cause | None:
    """The first day on which the lag exceeds the maximum, and the version that it is behind.

    ``compared`` holds the higher versions in the order in which they became current.
    """
    match policy.measure:
        case "ReleaseGap":
            limit = add_period(used.released, policy.maximum_lag)
            return next((cause for cause in compared if cause[1].released > limit), None)
        case "SinceSuperseded":
            if published is None:
                return None
            since = following_day(add_period(published[0], policy.maximum_lag))
            return None if since is None else (since, published[1])


def _recalled(used: CatalogueVersion) -> Cause | None:
    """The first day on which a recalled version may no longer be in use."""
    if used.withdrawn_at is None or used.replace_by is None:
        return None
    since = following_day(used.replace_by)
    return None if since is None else (max(since, used.withdrawn_at), used)


def _earlier(one: Cause | None, other: Cause | None) -> Cause | None:
    """The one with the earlier day; the first where they are the same."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda cause: cause[0])


def _drafts(
    higher: list[CatalogueVersion], used: CatalogueVersion, policy: LagPolicy
) -> list[CatalogueVersion]:
    """The higher versions without an instruction that are too far away.

    Under SinceSuperseded there is none: publication only starts the clock there.
    """
    if policy.measure == "SinceSuperseded":
        return []
    limit = add_period(used.released, policy.maximum_lag)
    return [one for one in higher if one.published is None and one.released > limit]
