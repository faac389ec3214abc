# SPDX-License-Identifier: Apache-2.0
"""Reads the store and builds the world of one decision. Only reads, and nothing that it computed before.

An object that cannot be read is left out of other objects' worlds: an act nobody can read accepts
nothing, a template nobody can read is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import ObjectMeta, Status
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.api.webservice import WebService
from eservice_operator.cluster import indexes
from eservice_operator.cluster.admission import missing_class, missing_of
from eservice_operator.cluster.fleets import Fleets
from eservice_operator.cluster.observe_access import AccessObserver
from eservice_operator.cluster.observe_registration import registration_world
from eservice_operator.cluster.ownership import is_our_route, is_route_of
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.resources import CHILDREN
from eservice_operator.cluster.rivals import claims_of, senior_of
from eservice_operator.cluster.snapshots import snapshots_of
from eservice_operator.cluster.store import Store
from eservice_operator.cluster.verified import Verified
from eservice_operator.core.actions import Manifest
from eservice_operator.core.gateway_driver import ROUTE_KIND, gateway_of
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import preview_name, route_name
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.public_record import record_on
from eservice_operator.core.releases import Snapshot, snapshot_of
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.unread import last_known
from eservice_operator.core.world import Observed, RecordWorld, RegistrationWorld, TemplateWorld, World

RECORDS = (AcceptanceAct, UnpublishDeferral, ProductionVerification, EServiceIdentifier, ConnectionTest)
CHILD_KINDS = (*(resource.kind for resource in CHILDREN), "EndpointSlice")


class Observer:
    """Builds worlds from the store."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._reading = Reading(store, policy.cluster_networks)
        self._fleets = Fleets(store, self._reading, policy)
        self.access = AccessObserver(self._reading)

    def eservice(self, key: ObjectKey) -> World | InvalidObject | None:
        """The world of an EService; None when there is none.

        One whose spec cannot be read is seen as it was last known, as far as that goes.
        """
        read = self._reading.one(EService, key)
        if isinstance(read, EService):
            return self._world(read, self._children(read.metadata))
        return None if read is None else self._as_last_known(key, read)

    def _as_last_known(self, key: ObjectKey, invalid: InvalidObject) -> World | InvalidObject:
        metadata, _ = self.envelope(key)
        children = self._children(metadata)
        body = self._store.get(key.kind, key.namespace, key.name) or {}
        known = last_known(body, snapshots_of(metadata, self._reading))
        return invalid if known is None else self._world(known, children, invalid.errors)

    def _world(
        self, service: EService, children: dict[tuple[str, str], Observed], errors: tuple[str, ...] = ()
    ) -> World:
        reading, metadata, spec = self._reading, service.metadata, service.spec
        place = f"{metadata.namespace}/{metadata.name}"
        standing = f"{spec.registration}/{spec.environment.value}"
        decisions = reading.found(UnpublishDecision, indexes.REGISTRATION, standing)
        snapshots = snapshots_of(metadata, reading)
        routes = [child for (kind, _), child in children.items() if kind == ROUTE_KIND]
        templates = sorted(_templates_of(service, snapshots, decisions, routes))
        hosts = {*spec.publication.hosts, *(host for snapshot in snapshots for host in snapshot.hosts)}
        claims = claims_of(service, hosts, reading, self._policy)
        return World(
            service=service,
            templates={name: known for name in templates if (known := reading.template(name)) is not None},
            registration=reading.readable(EServiceRegistration, spec.registration),
            acts=reading.found(AcceptanceAct, indexes.ESERVICE, place),
            verifications=reading.found(ProductionVerification, indexes.ESERVICE, place),
            deferrals=reading.found(UnpublishDeferral, indexes.ESERVICE, place),
            decisions=decisions,
            senior=senior_of(service, reading),
            missing_gateways=self._missing_gateways(service, snapshots, routes),
            missing_class=missing_class(self._policy, self._store),
            claims=tuple(claim for claim in claims if claim.standing.holds),
            contenders=tuple(claim for claim in claims if not claim.standing.holds),
            children=children,
            snapshots=snapshots,
            leftovers=self._leftovers(metadata),
            access=self.access.of(service, snapshots),
            fleet=self._fleets.of,
            errors=errors,
        )

    def orphans(self, key: ObjectKey) -> tuple[Observed, ...]:
        """The routes that an EService left behind which is not there any more."""
        return self._leftovers(ObjectMeta(name=key.name, namespace=key.namespace))

    def template(self, key: ObjectKey) -> TemplateWorld | InvalidObject | None:
        """The world of an EServiceTemplate; None when there is none."""
        template = self._reading.one(EServiceTemplate, key)
        if not isinstance(template, EServiceTemplate):
            return template
        in_use = {}
        for version in template.spec.versions:
            public = f"{key.name}@{version.version}"
            in_use[version.version] = self._store.count("EService", indexes.PUBLIC_VERSION, public)
        known = self._reading.template(key.name)
        catalogue = catalogue_of(template) if known is None else known.catalogue
        return TemplateWorld(template, catalogue, in_use, self._fleets.of(key.name))

    def registration(self, key: ObjectKey) -> RegistrationWorld | InvalidObject | None:
        """The world of an EServiceRegistration; None when there is none."""
        registration = self._reading.one(EServiceRegistration, key)
        if not isinstance(registration, EServiceRegistration):
            return registration
        return registration_world(registration, self._reading, self._policy)

    def record(self, key: ObjectKey) -> RecordWorld | InvalidObject | None:
        """The world of a record; None when there is none."""
        model = next(model for model in RECORDS if model.__name__ == key.kind)
        record = self._reading.one(model, key)
        match record:
            case AcceptanceAct() | UnpublishDeferral():
                named = record.spec.e_service
                return RecordWorld(record, self._reading.service(named.namespace, named.name))
            case ProductionVerification():
                service = self._reading.service(key.namespace, record.spec.e_service)
                return RecordWorld(record, service, newest=self._counts(record))
            case ConnectionTest():
                tested = record.spec.web_service
                found = self._reading.readable(WebService, tested.name, tested.namespace)
                return RecordWorld(record, web_service=found)
            case EServiceIdentifier():
                return RecordWorld(record)
            case InvalidObject():
                return record
            case _:
                return None

    def generation(self, key: ObjectKey) -> int | None:
        """The generation of an object; None when there is none."""
        body = self._store.get(key.kind, key.namespace, key.name)
        return None if body is None else int(body["metadata"].get("generation", 0))

    def envelope(self, key: ObjectKey) -> tuple[ObjectMeta, Status]:
        """The metadata and the status of an object whose spec cannot be read."""
        return self._reading.envelope(key)

    def _counts(self, verification: ProductionVerification) -> bool:
        """Whether no newer verification speaks of the same release."""
        kind, metadata = ProductionVerification, verification.metadata
        body = self._store.get(kind.__name__, metadata.namespace, metadata.name)
        newer = () if body is None else self._store.beside(Verified).newer(body)
        return not any(self._reading.readable(kind, key.name, key.namespace) for key in newer)

    def _children(self, owner: ObjectMeta) -> dict[tuple[str, str], Observed]:
        """Own children: by what makes them ours, and only where we put them; a label elsewhere does nothing.

        The routes also by their names: no owner reference speaks for one that lost its labels.
        """
        found = {}
        for kind in CHILD_KINDS:
            home = self._policy.routes_namespace if kind == ROUTE_KIND else owner.namespace
            for body in self._store.by_index(kind, indexes.OWNER, owner.uid):
                if body["metadata"].get("namespace") == home:
                    found[kind, body["metadata"]["name"]] = Observed(body)
        for route in self._routes(owner):
            if is_route_of(route, owner.uid):
                found[ROUTE_KIND, route["metadata"]["name"]] = Observed(route)
        return found

    def _routes(self, owner: ObjectMeta) -> Iterator[Manifest]:
        """Whatever has the name of one of its routes in the Agency's namespace."""
        for name in (route_name, preview_name):
            place = name(owner.namespace, owner.name)
            route = self._store.get(ROUTE_KIND, self._policy.routes_namespace, place)
            if route is not None:
                yield route

    def _missing_gateways(
        self, service: EService, snapshots: Iterable[Snapshot], routes: Iterable[Observed]
    ) -> frozenset[GatewayRef]:
        """Of the Gateways that its routes are on, or may come onto, those that are known not to be there."""
        releases = (snapshot_of(service), *snapshots)
        named = {self._policy.gateway, *(one.gateway for one in releases), *map(gateway_of, routes)}
        return frozenset(missing_of((one for one in named if one is not None), self._store))

    def _leftovers(self, owner: ObjectMeta) -> tuple[Observed, ...]:
        """Our routes by those names that are of another owner; of whichever, where there is none any more."""
        ours = (route for route in self._routes(owner) if is_our_route(route))
        return tuple(Observed(route) for route in ours if not owner.uid or not is_route_of(route, owner.uid))


def _templates_of(
    service: EService,
    snapshots: Iterable[Snapshot],
    decisions: Iterable[UnpublishDecision],
    routes: Iterable[Observed],
) -> set[str]:
    """The templates that a decision about the EService can ask about."""
    released = (*snapshots, service.status.release.public, *map(record_on, routes))
    wanted = {service.spec.template.name, *(one.template.name for one in released if one is not None)}
    return wanted | {decision.spec.release.template.name for decision in decisions}
