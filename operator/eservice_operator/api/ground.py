# SPDX-License-Identifier: Apache-2.0
"""R8: what a decision to unpublish rests on: the dates it came from, its ground, a wait for a renewal."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import Date, DateTime, Duration, SemVer, Short, list_map, text
from eservice_operator.api.lifecycle import LagMeasure


class DecidedVersion(Model):
    """A template version with the dates that were in effect when it was decided."""

    version: SemVer
    """Its number."""
    released: Date
    """When it was released."""
    published: Date | None = None
    """When its migration instruction was published, or would be."""
    withdrawn_at: Date | None = None
    """From when it was recalled."""
    replace_by: Date | None = None
    """The last day of services on it after its recall."""


class DecisionInputs(Model):
    """Everything that the dates of a decision follow from, so that it can be computed again years later."""

    versions: Annotated[
        tuple[DecidedVersion, ...], Field(max_length=128, json_schema_extra=list_map("version"))
    ] = ()
    """All versions of the template."""
    migrate_within: Duration
    """The template's migrateWithin."""
    notice_period: Duration
    """The template's noticePeriod."""
    enforce_from: Date | None = None
    """The template's enforceFrom."""
    last_warning: Duration | None = None
    """The last step of the template's warnBefore; recorded where the day of the decision that it replaces had
    passed without it, as there is time for that step then."""
    time_zone: Short
    """The zone in which dates are days, such as Europe/Riga."""


class Fairness(Model):
    """The institution has done its part of a renewal: the decision waits for the others, once."""

    release: Short
    """The release that was on its way when the wait began."""
    since: Date
    """The day on which the wait began."""
    until: Date
    """The last day of the wait: five working days after the installation is due."""


class Ground(Model):
    """Why a release is overdue, as a decision recorded it later than in its spec: by then it was another."""

    since: DateTime
    """When it was recorded."""
    current_version: SemVer | None = None
    """The template version that was the current one by then."""
    caused_by: SemVer | None = None
    """The template version that makes the release overdue; absent when its own recall does."""
    maximum_lag: Duration
    """The template's maximumLag by then."""
    lag_measure: LagMeasure
    """The template's lagMeasure by then: ReleaseGap or SinceSuperseded."""
    overdue_since: Date
    """The first day on which the release is overdue."""
    inputs: DecisionInputs | None = None
    """What the dates follow from: kubectl eservice replay computes them again."""
    inputs_hash: Annotated[str, text(r"^[0-9a-f]{16}$", "write 16 hexadecimal digits", most=16)]
    """Hash of the facts of the decision with this ground in the place of the one in its spec."""
