# SPDX-License-Identifier: Apache-2.0
"""The frozen values that a decision is made on: one object and everything its decision depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.contested import Standing
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import NO_ACCESS, Access
from eservice_operator.core.actions import Ref, ref_of
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.letters import Delivery
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.sightings import Witnessed
from eservice_operator.core.versions import Catalogue


@dataclass(frozen=True, slots=True)
class Observed:
    """A child as it was last seen, slimmed down to what decisions read."""

    body: Mapping[str, Any]

    @property
    def ref(self) -> Ref:
        """Which object it is."""
        return ref_of(dict(self.body))

    @property
    def uid(self) -> str:
        """Its UID."""
        return str(self.body["metadata"].get("uid", ""))

    @property
    def resource_version(self) -> str:
        """The version of it that was seen."""
        return str(self.body["metadata"].get("resourceVersion", ""))

    @property
    def generation(self) -> int:
        """Its generation; 0 for kinds without one."""
        return int(self.body["metadata"].get("generation", 0))

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.body["metadata"].get("labels") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.body["metadata"].get("annotations") or {}

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec."""
        return self.body.get("spec") or {}

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status."""
        return self.body.get("status") or {}

    @property
    def written_at(self) -> str:
        """When we last changed it, where that is kept."""
        return str(self.body.get("writtenAt", ""))

    @property
    def terminating(self) -> bool:
        """Whether it is being deleted."""
        return "deletionTimestamp" in self.body["metadata"]

    @property
    def edited(self) -> bool:
        """Whether somebody else owns fields of it beyond metadata and status."""
        return bool(self.body.get("foreignManagers"))

    @property
    def reselected(self) -> bool:
        """Whether somebody else has written the selector of this Service."""
        return bool(self.body.get("foreignSelector"))


@dataclass(frozen=True, slots=True)
class HostClaim:
    """Somebody else's claim to a host of this e-service."""

    host: str
    owner: Ref
    """The EService, the foreign HTTPRoute or the foreign Ingress."""
    standing: Standing = Standing.SERVES
    uid: str = ""
    """Of an object that is not ours."""


def no_fleet(_template: str) -> Fleet:
    """The fleet of a template that nobody uses."""
    return Fleet()


@dataclass(frozen=True)
class World:
    """One EService and everything that its decision depends on."""

    service: EService
    templates: Mapping[str, KnownTemplate] = field(default_factory=dict)
    """By name: the one that the spec names, that of the public release, and those of its decisions."""
    registration: EServiceRegistration | None = None
    acts: tuple[AcceptanceAct, ...] = ()
    verifications: tuple[ProductionVerification, ...] = ()
    deferrals: tuple[UnpublishDeferral, ...] = ()
    decisions: tuple[UnpublishDecision, ...] = ()
    """Of this registration and environment, closed ones too."""
    senior: ObjectMeta | None = None
    """The next older EService for this registration and environment here: the oldest holds the place."""
    claims: tuple[HostClaim, ...] = ()
    """Whoever has one of its hosts, or had it before: it does not get that host."""
    contenders: tuple[HostClaim, ...] = ()
    """Whoever wants one of its hosts and does not keep it from this e-service."""
    missing_gateways: frozenset[GatewayRef] = frozenset()
    """Of the Gateways that its routes are on, or may come onto: those that are not there. With a section: the
    Gateway is there, and has no such listener."""
    missing_class: str = ""
    """The class of the public Ingresses, where it is they that publish and there is none of that name."""
    children: Mapping[tuple[str, str], Observed] = field(default_factory=dict)
    """Own children by (kind, name), the public route included."""
    snapshots: tuple[Snapshot, ...] = ()
    """Remembered releases, the newest last."""
    leftovers: tuple[Observed, ...] = ()
    """The routes of an earlier EService of the same name, whose finalizer somebody removed."""
    fleet: Callable[[str], Fleet] = field(default=no_fleet, compare=False, repr=False)
    """The fleet of a template, by name: asked only when a decision is about to take effect."""
    access: Access = NO_ACCESS
    """The web services that it uses, and whom it serves as an agent's application."""
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """What became of notices since they were handed to a channel, by notice id; not in the ledger yet."""
    under_way: frozenset[str] = frozenset()
    """Ids of notices that a channel has and has not answered."""
    sightings: Witnessed | None = None
    """What answers under the public hosts, as this process has seen it; only said, never decided on."""
    errors: tuple[str, ...] = ()
    """What is wrong with a spec that cannot be read: the EService is then as last known (see `unread`)."""

    def lacks(self, gateway: GatewayRef) -> str:
        """What is known not to be there of a Gateway, in words; empty where all is, or nothing is known."""
        named = f"Gateway {gateway.namespace}/{gateway.name}"
        if gateway.whole in self.missing_gateways:
            return f"{named} does not exist"
        return f"{named} has no listener {gateway.section}" if gateway in self.missing_gateways else ""

    def child(self, kind: str, name: str) -> Observed | None:
        """The own child of that kind and name, unless it is being deleted."""
        child = self.children.get((kind, name))
        return None if child is None or child.terminating else child


@dataclass(frozen=True)
class TemplateWorld:
    """One EServiceTemplate and the e-services that serve the public from it in Production."""

    template: EServiceTemplate
    catalogue: Catalogue
    in_use: Mapping[str, int] = field(default_factory=dict)
    """Number of public e-services in Production by version."""
    fleet: Fleet = field(default_factory=Fleet)
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """What became of its notices since they were handed to a channel, by notice id."""


@dataclass(frozen=True)
class RegistrationWorld:
    """One EServiceRegistration, its identifiers, and the namespaces it names."""

    registration: EServiceRegistration
    identifiers: tuple[EServiceIdentifier, ...] = ()
    """Its own. As long as it has none, the one it asks for and the highest; all, once the last is taken."""
    namespaces: Mapping[str, Observed] = field(default_factory=dict)
    others: tuple[EServiceRegistration, ...] = ()
    """Of the others that name one of its namespaces, the oldest for each environment."""
    reserved: frozenset[str] = names.SYSTEM_NAMESPACES
    """Namespaces that never host e-services."""
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    """What became of its notices since they were handed to a channel, by notice id."""


@dataclass(frozen=True)
class RecordWorld:
    """An act, a verification, a deferral, a test or an identifier, and whether what it names is there."""

    record: AcceptanceAct | ProductionVerification | UnpublishDeferral | EServiceIdentifier | ConnectionTest
    service: EService | None = None
    newest: bool = True
    """Of verifications of one release: whether this one counts."""
    web_service: WebService | None = None
    """The one that a connection test is of."""
