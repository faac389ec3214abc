# SPDX-License-Identifier: Apache-2.0
"""EService: one e-service in one environment (R3 to R8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from eservice_operator.api.acts import Notices
from eservice_operator.api.base import (
    LIST_ATOMIC,
    LIST_SET,
    Date,
    DateTime,
    Email,
    Environment,
    Host,
    Image,
    Line,
    LocalizedText,
    Message,
    Model,
    Name,
    ObjectMeta,
    ObjectName,
    Phone,
    SemVer,
    Sha256,
    Short,
    Status,
    TemplateRef,
    Url,
    cel,
    list_map,
    rules,
)
from eservice_operator.api.reasons import Gate, Phase
from eservice_operator.api.registration import Identifier
from eservice_operator.api.workload import Workload


class Source(Model):
    """The source from which the release was built (R4)."""

    repository: Url
    """Where the source is kept."""
    revision: Short
    """The commit or the tag."""


class DocumentKind(StrEnum):
    """The documents of a full delivery (R4)."""

    INSTRUCTIONS = "Instructions"
    DESCRIPTION = "Description"
    TERMS = "Terms"
    REQUIREMENTS_SPECIFICATION = "RequirementsSpecification"
    DESIGN_DESCRIPTION = "DesignDescription"


class Document(Model):
    """A document of the delivery, pinned by its digest."""

    kind: DocumentKind
    """Which document it is."""
    url: Url
    """Where it is kept."""
    sha256: Sha256
    """SHA-256 of the document."""


Documents = Annotated[tuple[Document, ...], Field(max_length=5, json_schema_extra=list_map("kind"))]


class DeliveredWebService(Model):
    """A web service made within the e-service; its documents belong to the delivery (R4)."""

    name: Name
    """Name of the web service."""
    documents: Documents = ()
    """Its RequirementsSpecification and DesignDescription."""


class Release(Model):
    """What is delivered: with the template version it is the release that acts and verifications name."""

    image: Image
    """The image; in Production by digest."""
    source: Source | None = None
    """The source it was built from."""
    documents: Documents = ()
    """The documents of the delivery."""
    web_services: Annotated[
        tuple[DeliveredWebService, ...], Field(max_length=32, json_schema_extra=list_map("name"))
    ] = ()
    """Web services made within the e-service."""


class WebServiceRef(Model):
    """A WebService of a holder."""

    namespace: Name
    """Namespace of the holder's WebService."""
    name: Name
    """Name of the WebService."""


class Use(Model):
    """A web service that the e-service asks to call (R3)."""

    name: Name
    """What the e-service calls it; the folder of its binding."""
    web_service: WebServiceRef
    """The holder's WebService."""
    contract_version: Short | None = None
    """SOAP: the contract version; absent for REST."""
    agent: Name | None = None
    """The agent through whose connection the call goes (R9)."""


class Catalogue(Model):
    """The description in the public service catalogue (R4)."""

    url: Url | None = None
    """Where the catalogue shows the e-service."""
    title: LocalizedText = LocalizedText()
    """What the e-service is called."""
    description: LocalizedText = LocalizedText()
    """What the e-service does."""
    channels: Annotated[tuple[Short, ...], Field(max_length=16, json_schema_extra=LIST_SET)] = ()
    """How people reach it, such as Web."""


class Support(Model):
    """Whom people ask for help."""

    email: Email | None = None
    """Address for help."""
    phone: Phone | None = None
    """Telephone for help."""


class Pause(Model):
    """The institution takes the e-service off the public route for a while."""

    reason: Line
    """Why; shown to people."""
    until: DateTime | None = None
    """When it comes back by itself; without it, when paused is removed."""


class Publication(Model):
    """How the public reaches the e-service."""

    hosts: Annotated[tuple[Host, ...], Field(min_length=1, max_length=16, json_schema_extra=LIST_SET)]
    """The public hosts; each must be among the registration's hosts for the environment."""
    path: Annotated[
        str, StringConstraints(min_length=1, max_length=1024, pattern=r"^/[A-Za-z0-9/._~-]*$")
    ] = "/"
    """The path prefix that is served."""
    catalogue: Catalogue = Catalogue()
    """The description in the public service catalogue."""
    support: Support = Support()
    """Whom people ask for help."""
    paused: Pause | None = None
    """Takes the e-service off the public route for a while."""


class ProductionRequest(Model):
    """The institution's request to install the release in production (R4)."""

    requested_at: Date
    """The day of the request; not before the acceptance act was signed."""
    requested_by: Short
    """Who requested it."""


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
                "environment never changes: create another EService in the namespace of that environment instead",
                fieldPath=".environment",
            ),
            cel(
                "self.environment != 'Production' || self.release.image.matches('@sha256:[0-9a-f]{64}$')",
                "in Production the image must be named by digest: write image: <repository>@sha256:<64 hexadecimal digits>",
                fieldPath=".release.image",
            ),
        )
    )

    registration: ObjectName
    """Name of its EServiceRegistration; immutable."""
    environment: Environment
    """Test, Acceptance or Production; immutable."""
    template: TemplateRef
    """The template version that the release is built from."""
    release: Release
    """What is delivered."""
    workload: Workload = Workload()
    """How it runs."""
    uses: Annotated[tuple[Use, ...], Field(max_length=64, json_schema_extra=list_map("name"))] = ()
    """The web services that it asks to call."""
    publication: Publication
    """How the public reaches it."""
    production_request: ProductionRequest | None = None
    """The request for installation in Production."""


class GateOwner(StrEnum):
    """Who has to supply what a gate misses."""

    INSTITUTION = "Institution"
    AGENCY = "Agency"
    HOLDER = "Holder"
    OPERATOR = "Operator"


class UnmetGate(Model):
    """A gate that is not passed."""

    gate: Gate
    """Which gate."""
    blocks: Annotated[str, StringConstraints(pattern=r"^(Install|Publish)$", max_length=7)]
    """Install or Publish."""
    reason: Short
    """Why, in one word."""
    message: Message
    """What is missing."""
    owner: GateOwner
    """Who has to supply it."""
    rule: Annotated[str, StringConstraints(pattern=r"^R[0-9]{1,2}$", max_length=3)]
    """The rule it comes from."""
    since: DateTime
    """Since when it is not passed."""


class ReleaseStatus(Model):
    """A release that is installed, or being installed."""

    name: Short
    """Hash of the release; part of the names of its objects."""
    image: Image
    """Its image."""
    template: TemplateRef
    """Its template version."""


class Releases(Model):
    """The releases that exist now."""

    public: ReleaseStatus | None = None
    """The release that the public is, or would be, served."""
    candidate: ReleaseStatus | None = None
    """The release that is on its way to the public."""


class TemplateLag(Model):
    """How the public release stands to its template (R7, R8)."""

    name: ObjectName | None = None
    """The template."""
    version: SemVer | None = None
    """The version in public use; the spec's before anything is public."""
    migrate_by: Date | None = None
    """The last day for migrating (R7)."""
    overdue_since: Date | None = None
    """The first day on which the lag exceeds the maximum; it may lie ahead."""
    unpublish_at: Date | None = None
    """The first day without the public route, deferrals included."""
    decision: ObjectName | None = None
    """The UnpublishDecision in force."""


class Installation(Model):
    """The installation in Production (R5)."""

    due_by: Date | None = None
    """The last of the ten working days."""
    installed_at: DateTime | None = None
    """When the release was first available."""


class Next(Model):
    """What happens next by itself."""

    action: Short
    """What, such as Unpublish."""
    at: DateTime
    """When."""
    why: Message
    """Why."""


class PhaseChange(Model):
    """A change of phase."""

    at: DateTime
    """When it changed."""
    phase: Phase
    """To which phase."""
    reason: Short
    """Why."""
    inputs_hash: Annotated[str, StringConstraints(max_length=16)] = ""
    """Hash of the facts that it was decided on."""


class EServiceStatus(Status):
    """The computed side of an e-service."""

    phase: Phase | None = None
    """A summary for people; machines read the conditions."""
    identifier: Identifier | None = None
    """The registration's number."""
    public_url: Annotated[Url | None, Field(alias="publicURL")] = None
    """Where the public reaches it, while it does."""
    release: Releases = Releases()
    """The releases that exist now."""
    template: TemplateLag = TemplateLag()
    """How the public release stands to its template."""
    installation: Installation = Installation()
    """The installation in Production."""
    gates: Annotated[tuple[UnmetGate, ...], Field(max_length=32, json_schema_extra=list_map("gate"))] = ()
    """Every gate that is not passed."""
    next: Next | None = None
    """What happens next by itself."""
    notices: Notices = ()
    """The last 20 notices."""
    history: Annotated[tuple[PhaseChange, ...], Field(max_length=20, json_schema_extra=LIST_ATOMIC)] = ()
    """The last 20 changes of phase."""


class EService(Model):
    """One e-service in one environment: what is released, how it runs, what it uses and how the public reaches it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
                "the name must begin with a letter, hold only a-z, 0-9 and -, and have at most 40 characters",
            )
        )
    )

    metadata: ObjectMeta
    spec: EServiceSpec
    status: EServiceStatus = EServiceStatus()
