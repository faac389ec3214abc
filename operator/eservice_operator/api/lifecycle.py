# SPDX-License-Identifier: Apache-2.0
"""The policy of a template: for migrating to its versions, and for unpublishing who does not (R7, R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from eservice_operator.api.base import Model
from eservice_operator.api.fields import LIST_ATOMIC, Day, Duration, Short


class LagMeasure(StrEnum):
    """How the lag behind the current version is measured (R8)."""

    RELEASE_GAP = "ReleaseGap"
    SINCE_SUPERSEDED = "SinceSuperseded"


class Enforcement(StrEnum):
    """What happens when a public e-service is overdue."""

    OBSERVE = "Observe"
    WARN = "Warn"
    ENFORCE = "Enforce"


class Brake(Model):
    """How many decisions may take effect within 24 hours before all of them are held."""

    percent: Annotated[int, Field(ge=0, le=100)] = 10
    """Share of the template's published e-services in Production, in percent."""
    at_least: Annotated[int, Field(ge=1, le=100000)] = 5
    """The brake never engages at this many decisions or fewer."""
    release: Short | None = None
    """The token of a held set of decisions that the Agency lets go."""


class Lifecycle(Model):
    """The policy for migrating and for unpublishing (R7, R8)."""

    maximum_lag: Duration = "P18M"
    """How far behind the current version a public release may be: a lag above this unpublishes, exactly
    this does not."""
    lag_measure: LagMeasure = LagMeasure.RELEASE_GAP
    """How the lag is measured. ReleaseGap: from the release of the version in use to the release of the
    current one. SinceSuperseded: the time since the instruction for a higher version was published."""
    migrate_within: Duration = "P12M"
    """How long the institution has for migrating, from the publication of a higher version."""
    warn_before: Annotated[tuple[Duration, ...], Field(max_length=12, json_schema_extra=LIST_ATOMIC)] = (
        "P6M",
        "P3M",
        "P1M",
        "P7D",
    )
    """How long before an unpublication the institution is warned, each step once."""
    notice_period: Duration = "P0D"
    """The least time between telling the institution and the unpublication."""
    enforcement: Enforcement = Enforcement.ENFORCE
    """What happens when a public e-service is overdue. Observe: it is shown. Warn: the institution is told
    too. Enforce: it is unpublished too."""
    enforce_from: Day | None = None
    """The first day on which anything is unpublished."""
    maximum_deferral: Duration = "P6M"
    """The longest deferral, counted from the day without it."""
    hold_uninformed: Duration = "P3D"
    """How long an unpublication waits until a notice of it has been accepted."""
    brake: Brake = Brake()
    """Holds all decisions of a day when they are too many, so that one wrong date does not take many
    services down."""
