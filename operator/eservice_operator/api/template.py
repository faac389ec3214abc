# SPDX-License-Identifier: Apache-2.0
"""EServiceTemplate: the versions of a template (R7, R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import Model, ObjectMeta, Status
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Date,
    DateTime,
    Day,
    Email,
    Line,
    Message,
    ObjectName,
    SemVer,
    Short,
    Url,
    cel,
    list_map,
    rules,
)
from eservice_operator.api.lifecycle import Lifecycle
from eservice_operator.api.notices import Notices


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
    published: Day
    """The local day on which it was, or will be, published; the version can be current from that day."""


class Withdrawal(Model):
    """A recall: the version is not current and goes live nowhere."""

    at: Day
    """The day from which the version is withdrawn."""
    reason: Line
    """Why it is withdrawn; shown to the institutions."""
    replace_by: Day | None = None
    """The last day of public services on the version; they are unpublished after it."""


class TemplateVersion(Model):
    """One version of the template; versions are never removed."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.released == oldSelf.released",
                "released never changes: add a new version instead",
                fieldPath=".released",
            ),
            cel(
                "!has(oldSelf.withdrawn) || has(self.withdrawn)",
                "a withdrawal stays: release a new version instead of taking it back",
                fieldPath=".withdrawn",
            ),
            cel(
                "!has(self.migrationInstruction) || self.migrationInstruction.published >= self.released",
                "migrationInstruction.published must not be before released: write a later day",
                fieldPath=".migrationInstruction",
            ),
            cel(
                "!has(self.withdrawn) || !has(self.withdrawn.replaceBy)"
                " || self.withdrawn.replaceBy >= self.withdrawn.at",
                "withdrawn.replaceBy must not be before withdrawn.at: write a later day",
                fieldPath=".withdrawn",
            ),
        )
    )

    version: SemVer
    """Its number: SemVer 2.0 without build metadata, such as 3.0.0. A pre-release is never current."""
    released: Day
    """The day on which the version was released; it never changes."""
    migration_instruction: MigrationInstruction | None = None
    """How to move to the version; without it the version is never current, whatever its number."""
    withdrawn: Withdrawal | None = None
    """Recalls the version: it is no longer current and goes live nowhere. A withdrawal stays."""


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
    """Every version there has been; versions are never removed."""
    lifecycle: Lifecycle = Lifecycle()
    """The policy for migrating and unpublishing."""


class VersionStage(StrEnum):
    """What a version is on a day, computed from the dates."""

    PREVIEW = "Preview"
    """A pre-release, or a version whose migration instruction is not published."""
    CURRENT = "Current"
    """The version to migrate to."""
    SUPPORTED = "Supported"
    """Published and not current; nothing is due yet."""
    MIGRATION_DUE = "MigrationDue"
    """Services on it have breached the duty to migrate (R7)."""
    OVERDUE = "Overdue"
    """Services on it are overdue (R8)."""
    WITHDRAWN = "Withdrawn"
    """Recalled."""


class VersionStatus(Model):
    """One version as the operator sees it."""

    version: SemVer
    """The number of the version."""
    stage: VersionStage
    """What the version is today. Preview: no instruction is published yet. Current: the highest published
    one. Supported: lower, and in time. MigrationDue: the time for migrating is over. Overdue: the lag is
    above the maximum. Withdrawn: recalled."""
    published_at: Date | None = None
    """The publication date in effect: recorded on the day it took effect, and kept."""
    e_services: Annotated[int, Field(ge=0)] = 0
    """How many e-services serve the public on this version in Production."""


class NextTransition(Model):
    """The next day on which a version changes its stage."""

    at: Date
    """The day of the change."""
    message: Message
    """What changes then."""


class HeldSet(Model):
    """Decisions that the brake holds together until the Agency releases them."""

    token: Short
    """What lifecycle.brake.release has to name to let them take effect."""
    since: DateTime
    """When the brake engaged."""
    count: Annotated[int, Field(ge=0)] = 0
    """How many decisions it still holds."""
    decisions: Annotated[tuple[ObjectName, ...], Field(max_length=100, json_schema_extra=LIST_ATOMIC)] = ()
    """Their names, the first 100."""
    caused_by: Annotated[tuple[SemVer, ...], Field(max_length=128, json_schema_extra=LIST_ATOMIC)] = ()
    """The versions that make them overdue: newer ones, or those in use that were recalled."""


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
    held: Annotated[tuple[HeldSet, ...], Field(max_length=16, json_schema_extra=list_map("token"))] = ()
    """The sets of decisions that the brake holds, the newest 16."""
    notices: Notices = ()
    """Whom at the Agency the operator told: all that is on its way, the last 20 that are done, and the last
    of each kind."""


class EServiceTemplate(Model):
    """A template of e-services: its versions, and the policy for migrating and unpublishing (R7, R8)."""

    metadata: ObjectMeta
    spec: EServiceTemplateSpec
    status: EServiceTemplateStatus = EServiceTemplateStatus()
