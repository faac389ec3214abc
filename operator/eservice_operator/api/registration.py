# SPDX-License-Identifier: Apache-2.0
"""EServiceRegistration and EServiceIdentifier: the Agency's register of e-services (R1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import Environment, LocalizedTitle, Model, ObjectMeta, SignedDocument, Status
from eservice_operator.api.fields import (
    Day,
    Email,
    HostPattern,
    Instant,
    Line,
    Message,
    Name,
    ObjectName,
    Phone,
    Short,
    Url,
    cel,
    list_map,
    rules,
    text,
)
from eservice_operator.api.notices import Notices

Identifier = Annotated[str, text(r"^EP-[0-9]{6}$", "write EP- and six digits, such as EP-000042", most=9)]
"""The number of an e-service, such as EP-000042."""
InstitutionCode = Annotated[
    str,
    text(
        r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        "write the code with letters, digits, -, _ and . only, such as 90000054163",
        most=63,
    ),
]
"""The institution's code in the national register; also the value of a label."""


class Contact(Model):
    """A person of the institution."""

    name: Short
    """Name of the person."""
    email: Email
    """Where notices go."""
    phone: Phone | None = None
    """Telephone number."""
    role: Short | None = None
    """What the person does for the e-service, such as Owner."""


class Institution(Model):
    """The institution that is responsible for the e-service."""

    name: Short
    """Name or abbreviation of the institution."""
    code: InstitutionCode
    """Its code in the national register."""
    contacts: Annotated[
        tuple[Contact, ...], Field(min_length=1, max_length=16, json_schema_extra=list_map("email"))
    ]
    """Who is told what happens to the e-service; at least one person."""


class AgencyContact(Model):
    """The contact person at the Agency."""

    name: Short
    """Name of the person."""
    email: Email
    """Address of the person."""


class ScenarioStudy(Model):
    """The scenario that the institution studied before it applied."""

    url: Url
    """Where the scenario is kept."""


class Application(Model):
    """The signed application for registration, with its time stamp."""

    document: SignedDocument
    """The signed form."""
    signer: Short
    """Who signed it for the institution."""
    signed_at: Day
    """The day of the signature."""
    timestamp: Instant
    """The instant of the trusted time stamp on the signature."""


class EnvironmentNamespace(Model):
    """The namespace of the e-service in one environment."""

    environment: Environment
    """Test, Acceptance or Production."""
    name: Name
    """The namespace; created, or adopted when an administrator has labelled it for the institution."""


class EnvironmentHost(Model):
    """A host that the e-service may use in one environment."""

    environment: Environment
    """Test, Acceptance or Production."""
    host: HostPattern
    """A host, or ``*.`` and a domain, which stands for any single label before it."""


class SubjectKind(StrEnum):
    """Kind of an RBAC subject."""

    USER = "User"
    GROUP = "Group"


class Subject(Model):
    """A person or a group."""

    kind: SubjectKind
    """Whether it is a User or a Group."""
    name: Line
    """Name of the user or the group as the cluster knows it."""


Subjects = Annotated[tuple[Subject, ...], Field(max_length=64, json_schema_extra=list_map("kind", "name"))]


class Access(Model):
    """Who of the institution works on the e-service."""

    developers: Subjects = ()
    """They maintain the EService objects."""
    testers: Subjects = ()
    """They test; they have no rights in Production."""
    verifiers: Subjects = ()
    """They verify an installation in Production before the public sees it (R6), and may do nothing else
    there."""
    api_publishers: Subjects = ()
    """They publish web services."""


class Suspension(Model):
    """The Agency takes all e-services of the registration off the public route."""

    reason: Line
    """Why they are taken off; shown to the institution."""


class EServiceRegistrationSpec(Model):
    """The registration of an e-service with the Agency (R1)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "!has(oldSelf.identifier) || (has(self.identifier) && self.identifier == oldSelf.identifier)",
                "identifier is given once and stays: register the e-service under another name instead",
                fieldPath=".identifier",
            ),
            cel(
                "!has(self.namespaces)"
                " || self.namespaces.all(n, n.name != 'default' && !n.name.startsWith('kube-'))",
                "a system namespace never hosts e-services: name one of the institution's own",
                fieldPath=".namespaces",
            ),
            cel(
                "!has(self.namespaces)"
                " || self.namespaces.all(n, self.namespaces.exists_one(m, m.name == n.name))",
                "two environments may not share a namespace: name one namespace for each environment",
                fieldPath=".namespaces",
            ),
        )
    )

    title: LocalizedTitle
    """What the e-service is called."""
    institution: Institution
    """Which institution is responsible."""
    agency_contact: AgencyContact
    """Whom at the Agency the institution asks."""
    scenario_study: ScenarioStudy | None = None
    """The scenario that the institution studied before it applied."""
    application: Application
    """The signed application for registration."""
    identifier: Identifier | None = None
    """Only for an e-service that has a number from an older register."""
    namespaces: Annotated[
        tuple[EnvironmentNamespace, ...], Field(max_length=3, json_schema_extra=list_map("environment"))
    ] = ()
    """One namespace for each environment."""
    hosts: Annotated[
        tuple[EnvironmentHost, ...], Field(max_length=64, json_schema_extra=list_map("environment", "host"))
    ] = ()
    """The hosts that the e-service may use in each environment."""
    access: Access = Access()
    """Who of the institution works on it."""
    suspended: Suspension | None = None
    """Takes all e-services of the registration off the public route while it is there."""


class NamespaceState(StrEnum):
    """How a namespace of a registration stands."""

    READY = "Ready"
    NOT_ONBOARDED = "NotOnboarded"
    CONFLICT = "Conflict"
    TERMINATING = "Terminating"


class NamespaceStatus(Model):
    """One namespace of the registration as observed."""

    environment: Environment
    """Test, Acceptance or Production."""
    name: Name
    """Name of the namespace."""
    state: NamespaceState
    """Ready: e-services may run in it. NotOnboarded: it exists, and no administrator has labelled it for
    the institution. Conflict: another institution or environment has it. Terminating: it is being
    deleted."""
    message: Message = ""
    """What to do when it is not Ready."""


class EServiceRegistrationStatus(Status):
    """The computed side of a registration."""

    identifier: Identifier | None = None
    """The number of the e-service: unique and never reused."""
    namespaces: Annotated[
        tuple[NamespaceStatus, ...], Field(max_length=3, json_schema_extra=list_map("environment"))
    ] = ()
    """How each namespace stands."""
    notices: Notices = ()
    """Whom the operator told: all that is on its way, the last 20 that are done, and the last of
    each kind."""


class EServiceRegistration(Model):
    """The registration of an e-service: institution, contacts, namespaces, hosts and access (R1)."""

    metadata: ObjectMeta
    spec: EServiceRegistrationSpec
    status: EServiceRegistrationStatus = EServiceRegistrationStatus()

    def namespace_for(self, environment: Environment) -> str | None:
        """The namespace that it has for an environment (R1)."""
        return next((entry.name for entry in self.spec.namespaces if entry.environment is environment), None)


class EServiceIdentifierSpec(Model):
    """A number that belongs to a registration name for good."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self == oldSelf",
                "an identifier never changes: it belongs to one registration for good, leave it",
            )
        )
    )

    identifier: Identifier
    """The number, such as EP-000042."""
    registration: ObjectName
    """Name of the registration it belongs to, also after that was deleted."""


class EServiceIdentifier(Model):
    """A number of an e-service, made once by the operator and never deleted."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.metadata.name == 'ep-' + self.spec.identifier.substring(3)",
                "the name must be the identifier in lower case, such as ep-000042",
            )
        )
    )

    metadata: ObjectMeta
    spec: EServiceIdentifierSpec
    status: Status = Status()
