# SPDX-License-Identifier: Apache-2.0
"""EService: one e-service in one environment (R3 to R8)."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import Environment, Model, ObjectMeta, Status, TemplateRef
from eservice_operator.api.contested import Contenders
from eservice_operator.api.course import Next, PhaseChange
from eservice_operator.api.delivery import Release
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    Date,
    DateTime,
    Day,
    Image,
    Line,
    ObjectName,
    SemVer,
    Short,
    Url,
    cel,
    list_map,
    rules,
)
from eservice_operator.api.gates import UnmetGate
from eservice_operator.api.identifier import Identifier
from eservice_operator.api.notices import Notices
from eservice_operator.api.publication import Publication
from eservice_operator.api.reasons import Phase
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.api.seen import PublicationStatus
from eservice_operator.api.used import MOST_USES, UsesStatus
from eservice_operator.api.uses import Use
from eservice_operator.api.workload import Workload

_NO_USES = "!has(self.uses) || self.uses.size() == 0 || !has(self.workload)"


class ProductionRequest(Model):
    """The institution's request to install the release in production (R4)."""

    requested_at: Day
    """The day of the request; not before the acceptance act was signed."""
    requested_by: Short
    """Who of the institution requested it."""


class EServiceSpec(Model):
    """One e-service in one environment: its release, workload, web services and publication."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.registration == oldSelf.registration",
                "registration never changes: create another EService instead",
                fieldPath=".registration",
            ),
            cel(
                "self.environment == oldSelf.environment",
                "environment never changes: create an EService in the namespace of that environment instead",
                fieldPath=".environment",
            ),
            cel(
                "self.environment != 'Production' || self.release.image.matches('@sha256:[0-9a-f]{64}$')",
                "in Production name the image by digest: write <repository>@sha256:<64 hexadecimal digits>",
                fieldPath=".release.image",
            ),
            cel(
                f"{_NO_USES} || ((!has(self.workload.volumes) || self.workload.volumes.all(v,"
                " !v.name.startsWith('binding-') && !(v.mountPath + '/').startsWith('/bindings/')))"
                " && (!has(self.workload.containers) || self.workload.containers.all(c, !has(c.volumeMounts)"
                " || c.volumeMounts.all(m, !(m.mountPath + '/').startsWith('/bindings/')))))",
                "with uses the operator mounts volumes named binding-… below /bindings: write another name"
                " and mountPath",
                fieldPath=".workload",
            ),
            cel(
                f"{_NO_USES} || ((!has(self.workload.env)"
                " || self.workload.env.all(e, e.name != 'SERVICE_BINDING_ROOT'))"
                " && (!has(self.workload.containers) || self.workload.containers.all(c, !has(c.env)"
                " || c.env.all(e, e.name != 'SERVICE_BINDING_ROOT'))))",
                "with uses the operator sets SERVICE_BINDING_ROOT: leave it out",
                fieldPath=".workload",
            ),
        )
    )

    registration: ObjectName
    """Name of its EServiceRegistration; it never changes."""
    environment: Environment
    """Test, Acceptance or Production; it never changes. The rules R2 to R8 bind Production, and gates
    marked so."""
    template: TemplateRef
    """The template version that the release is built from."""
    release: Release
    """What is delivered; with the template version it is what acts and verifications name."""
    workload: Workload = Workload()
    """How it runs."""
    uses: Annotated[tuple[Use, ...], Field(max_length=MOST_USES, json_schema_extra=list_map("name"))] = ()
    """The web services of other institutions, and own ones, that it asks to call (R3)."""
    publication: Publication
    """How the public reaches it."""
    production_request: ProductionRequest | None = None
    """The request for installation in Production (R4)."""


class ReleaseStatus(Model):
    """A release that is installed, or being installed."""

    name: Short
    """Hash of the release, and part of the names of its objects."""
    image: Image
    """The image of the release."""
    template: TemplateRef
    """The template version of the release."""


class Releases(Model):
    """The releases that exist now."""

    public: ReleaseStatus | None = None
    """The release that the public is, or would be, served."""
    candidate: ReleaseStatus | None = None
    """The release that is on its way to the public."""


class TemplateLag(Model):
    """How the public release stands to its template (R7, R8)."""

    name: ObjectName | None = None
    """Name of the template."""
    version: SemVer | None = None
    """The version in public use; the spec's before anything is public."""
    migrate_by: Date | None = None
    """The last day for migrating (R7)."""
    withdrawn_at: Date | None = None
    """From when that version is recalled; it may lie ahead."""
    overdue_since: Date | None = None
    """The first day on which the lag exceeds the maximum; it may lie ahead."""
    unpublish_at: Date | None = None
    """The first day without the public route, deferrals included."""
    decision: ObjectName | None = None
    """Name of the UnpublishDecision in force."""
    held_by: Short | None = None
    """What holds that decision up, in one word, such as Brake: the e-service stays public meanwhile."""
    warned_at: DateTime | None = None
    """Up to when the institution was warned, of the decision in force or under the policy Warn of being
    overdue: earlier steps of warnBefore are done."""


class Installation(Model):
    """The installation in Production (R5)."""

    due_by: Date | None = None
    """The last of the ten working days for installing."""
    installed_at: DateTime | None = None
    """When the release was first available."""
    overdue_since: Date | None = None
    """The first day after the term, while the release is not installed."""


MOST_REMOVED = 16


class EServiceStatus(Status):
    """The computed side of an e-service."""

    phase: Phase | None = None
    """Where it is in its life, for people; machines read the conditions. Pending: it waits for people, as
    status.gates says, and not for its verification alone. Installing: its Pods are coming up, or the gateway
    does not serve it. AwaitingVerification: installed, and not verified. Published: the public is served.
    Updating: it is served, and another release is on its way. Unpublished: taken off the public route (R8).
    Paused: taken off by the institution or the Agency. Invalid: only a change of spec can mend it.
    Terminating: it is being deleted."""
    identifier: Identifier | None = None
    """The number of the e-service, from its registration."""
    public_url: Annotated[Url | None, Field(alias="publicURL")] = None
    """Where the public reaches it, while it is served."""
    preview_url: Annotated[Url | None, Field(alias="previewURL")] = None
    """Where the candidate can be looked at before the public sees it, while a Gateway for that serves it."""
    publication: PublicationStatus = PublicationStatus()
    """What the operator saw of the publication from outside, where it looks."""
    release: Releases = Releases()
    """The releases that exist now."""
    template: TemplateLag = TemplateLag()
    """How the public release stands to its template."""
    last_decision: RememberedDecision | None = None
    """The last UnpublishDecision as it was last seen: what it decided goes on should somebody delete it."""
    installation: Installation = Installation()
    """The installation in Production."""
    gates: Annotated[tuple[UnmetGate, ...], Field(max_length=32, json_schema_extra=list_map("gate"))] = ()
    """Every gate that is not passed."""
    contested: Contenders = ()
    """Who else has or wants one of its hosts; of many the first 16."""
    removed_annotations: Annotated[
        tuple[Line, ...], Field(max_length=MOST_REMOVED, json_schema_extra=LIST_ATOMIC)
    ] = ()
    """Annotations of others that were taken off its Ingress since that is there; of many the first 16."""
    uses: UsesStatus = ()
    """How each web service that spec.uses names stands."""
    next: Next | None = None
    """What happens next by itself, when, and why."""
    notices: Notices = ()
    """Whom the operator told what: all that is on its way, the last 20 that are done, and the last of
    each kind."""
    history: Annotated[tuple[PhaseChange, ...], Field(max_length=20, json_schema_extra=LIST_ATOMIC)] = ()
    """The last 20 changes of phase."""


class EService(Model):
    """One e-service in one environment: its release, how it runs and how the public reaches it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.metadata.name.size() <= 40"
                " && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
                "write a name of at most 40 of a-z, 0-9 and - that begins with a letter",
            )
        )
    )

    metadata: ObjectMeta
    spec: EServiceSpec
    status: EServiceStatus = EServiceStatus()
