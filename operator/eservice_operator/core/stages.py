# SPDX-License-Identifier: Apache-2.0
"""The stage of each version of a template, as its status shows it, and when the next one changes."""

from __future__ import annotations

from datetime import date

from eservice_operator.api.template import VersionStage
from eservice_operator.core.dates import following_day
from eservice_operator.core.lag import Lag, LagPolicy, measure_lag
from eservice_operator.core.versions import Catalogue, CatalogueVersion, current, is_withdrawn


def stage_of(catalogue: Catalogue, version: CatalogueVersion, policy: LagPolicy, day: date) -> VersionStage:
    """The stage of a version on a day.

    The first that fits of Withdrawn, Overdue, MigrationDue, Current, Supported (published, whether or not it
    ever was current) and Preview. A version without an instruction grows old like any other: overtaken by
    published ones it becomes MigrationDue and Overdue.
    """
    return _stage(catalogue, version, measure_lag(catalogue, version, policy, day), day)


def next_transition(catalogue: Catalogue, policy: LagPolicy, day: date) -> date | None:
    """The first day after ``day`` on which the current version or the stage of any version is another one.

    None when by the known dates nothing changes any more.
    """
    lags = [(version, measure_lag(catalogue, version, policy, day)) for version in catalogue.versions]

    def answers(on: date) -> list[VersionStage]:
        # the current version needs no mention: it alone is at the stage Current
        return [_stage(catalogue, version, lag, on) for version, lag in lags]

    today = answers(day)
    turns = {
        turn for version, lag in lags for turn in _turns(version, lag) if turn is not None and turn > day
    }
    return next((turn for turn in sorted(turns) if answers(turn) != today), None)


def _stage(catalogue: Catalogue, version: CatalogueVersion, lag: Lag, day: date) -> VersionStage:
    if is_withdrawn(version, day):
        return VersionStage.WITHDRAWN
    if lag.overdue(day):
        return VersionStage.OVERDUE
    if lag.migration_due(day):
        return VersionStage.MIGRATION_DUE
    if current(catalogue, day) == version:
        return VersionStage.CURRENT
    if version.published is not None and version.published <= day and not version.is_prerelease:
        return VersionStage.SUPPORTED
    return VersionStage.PREVIEW


def _turns(version: CatalogueVersion, lag: Lag) -> tuple[date | None, ...]:
    """The days on which its stage can change: with those of all versions, also those of the current one."""
    duty_ends = None if lag.migrate_by is None else following_day(lag.migrate_by)
    return version.published, version.withdrawn_at, lag.overdue_since, duty_ends
