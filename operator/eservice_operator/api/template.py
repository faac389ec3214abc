# SPDX-License-Identifier: Apache-2.0
"""EServiceTemplate: the versions of a template and its lifecycle policy (R7, R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import (
    LIST_ATOMIC,
    Date,
    Duration,
    Email,
    Line,
    Message,
    Model,
    ObjectMeta,
    SemVer,
    Short,
    Status,
    Url,
    cel,
    list_map,
    rules,
)


class LagMeasure(StrEnum):
    """How the lag behind the current version is measured (R8)."""

    RELEASE_GAP = "ReleaseGap"
    SINCE_SUPERSEDED = "SinceSuperseded"


class Enforcement(StrEnum):
    """What happens when a public e-service is overdue."""

    OBSERVE = "Observe"
    WARN = "Warn"
    ENFORCE = "Enforce"


class Owner(Model):
    """Who maintains the template."""

    name: Short
    """Name of the owner."""
    email: Email
    """Where questions about the template go."""


class MigrationInstruction(Model):
    """How to move to a version; once published, the version can become the current one."""

    url: Url
    """Where the instruction is read."""
    published: Date
    """The local day on which it was, or will be, published."""


class Withdrawal(Model):
    """A recall: the version is not current and goes live nowhere."""

    at: Date
    """The day from which the version is withdrawn."""
    reason: Line
    """Why; shown to the institutions."""
    replace_by: Date | None = None
    """Public services on the version are unpublished after this day."""


class TemplateVersion(Model):
    """One version of the template; versions are never removed."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("self.released == oldSelf.released", "released never changes: add a new version instead"),
            cel(
                "!has(oldSelf.withdrawn) || has(self.withdrawn)",
                "a withdrawal stays: release a new version instead of taking it back",
            ),
            cel(
                "!has(self.migrationInstruction) || self.migrationInstruction.published >= self.released",
                "migrationInstruction.published must not be before released",
            ),
            cel(
                "!has(self.withdrawn) || !has(self.withdrawn.replaceBy) || self.withdrawn.replaceBy >= self.withdrawn.at",
                "withdrawn.replaceBy must not be before withdrawn.at",
            ),
        )
    )

    version: SemVer
    """SemVer 2.0 without build metadata, such as 3.0.0; a pre-release is never current."""
    released: Date
    """The day the version was released; immutable."""
    migration_instruction: MigrationInstruction | None = None
    """Without it the version is not current, whatever its number."""
    withdrawn: Withdrawal | None = None
    """Recalls the version."""


class Brake(Model):
    """How many decisions may take effect within 24 hours before all of them are held."""

    percent: Annotated[int, Field(ge=0, le=100)] = 10
    """Share of the template's published e-services, in percent."""
    at_least: Annotated[int, Field(ge=1, le=100000)] = 5
    """The brake never engages at this many or fewer."""
    release: Short | None = None
    """The token of a held set that the Agency lets go."""


class Lifecycle(Model):
    """The policy for migrating and for unpublishing (R7, R8)."""

    maximum_lag: Duration = "P18M"
    """A lag above this unpublishes; exactly this does not."""
    lag_measure: LagMeasure = LagMeasure.RELEASE_GAP
    """ReleaseGap: the gap between two release dates. SinceSuperseded: the time since a higher version was published."""
    migrate_within: Duration = "P12M"
    """How long after a higher version was published the institution has to migrate."""
    warn_before: Annotated[tuple[Duration, ...], Field(max_length=12, json_schema_extra=LIST_ATOMIC)] = (
        "P6M",
        "P3M",
        "P1M",
        "P7D",
    )
    """How long before an unpublication the institution is warned."""
    notice_period: Duration = "P0D"
    """The least time between the announcement and its effect."""
    enforcement: Enforcement = Enforcement.ENFORCE
    """Observe shows, Warn also tells, Enforce also unpublishes."""
    enforce_from: Date | None = None
    """No unpublication before this day."""
    maximum_deferral: Duration = "P6M"
    """The longest deferral, counted from the undeferred date."""
    hold_uninformed: Duration = "P3D"
    """How long an unpublication waits for a notice to be accepted."""
    brake: Brake = Brake()
    """Stops a wrong date from taking many services down at once."""


class EServiceTemplateSpec(Model):
    """A template from which institutions build e-services."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "!has(oldSelf.versions) || oldSelf.versions.all(o, has(self.versions)"
                " && self.versions.exists(n, n.version == o.version))",
                "versions are never removed: withdraw the version instead",
                fieldPath=".versions",
            ),
        )
    )

    owner: Owner
    """Who maintains the template."""
    versions: Annotated[
        tuple[TemplateVersion, ...], Field(max_length=128, json_schema_extra=list_map("version"))
    ] = ()
    """Every version there has been."""
    lifecycle: Lifecycle = Lifecycle()
    """The policy for migrating and unpublishing."""


class VersionStage(StrEnum):
    """What a version is on a day, computed from the dates."""

    PREVIEW = "Preview"
    CURRENT = "Current"
    SUPPORTED = "Supported"
    MIGRATION_DUE = "MigrationDue"
    OVERDUE = "Overdue"
    WITHDRAWN = "Withdrawn"


class VersionStatus(Model):
    """One version as the operator sees it."""

    version: SemVer
    """The version."""
    stage: VersionStage
    """Preview, Current, Supported, MigrationDue, Overdue or Withdrawn."""
    published_at: Date | None = None
    """The publication date in effect: recorded when it took effect, and kept."""
    e_services: Annotated[int, Field(ge=0)] = 0
    """How many e-services serve the public on this version in Production."""


class NextTransition(Model):
    """The next day on which a version changes its stage."""

    at: Date
    """The day."""
    message: Message
    """What changes then."""


class EServiceTemplateStatus(Status):
    """The computed side of a template."""

    current_version: SemVer | None = None
    """The highest version with a published migration instruction."""
    versions: Annotated[
        tuple[VersionStatus, ...], Field(max_length=128, json_schema_extra=list_map("version"))
    ] = ()
    """Stage and use of each version."""
    e_services: Annotated[int, Field(ge=0)] = 0
    """How many e-services serve the public from this template in Production."""
    next_transition: NextTransition | None = None
    """What changes next, and when."""


class EServiceTemplate(Model):
    """Versions of a template with release dates and migration instructions, and the policy that follows from them."""

    metadata: ObjectMeta
    spec: EServiceTemplateSpec
    status: EServiceTemplateStatus = EServiceTemplateStatus()
