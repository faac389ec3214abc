# SPDX-License-Identifier: Apache-2.0
"""EServiceRegistration: the Agency's register of e-services (R1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import Environment, LocalizedTitle, Model, ObjectMeta, SignedDocument, Status
from eservice_operator.api.fields import (
    Day,
    HostPattern,
    Instant,
    Line,
    Message,
    Name,
    Short,
    Url,
    cel,
    list_map,
    rules,
)
from eservice_operator.api.identifier import Identifier
from eservice_operator.api.notices import Notices
from eservice_operator.api.people import Access, AgencyContact, Institution


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
    uid: Short | None = None
    """The namespace that was Ready last: its labels of Pod Security are kept as they were, also when it is
    labelled for somebody else since."""


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
