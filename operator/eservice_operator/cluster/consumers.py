# SPDX-License-Identifier: Apache-2.0
"""Who offers web services and who asks for them, as the store has them: `Offer`, `Consumer` and `Order`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.eservice import EService
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import WebService
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import owners_of
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.rivals import senior_of
from eservice_operator.cluster.snapshots import SNAPSHOT_KIND, known_service, snapshots_of, uses_of
from eservice_operator.cluster.store import key_of
from eservice_operator.core.access.case import Consumer, Offer, Order, Pods
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner, owned_by

SERVICE = EService.__name__


class Parties:
    """Who offers and who asks, in one look: each is read once, as nothing changes meanwhile."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._offers: dict[tuple[str, str], Offer | None] = {}
        self._consumers: dict[tuple[str, str], Consumer | None] = {}

    def offer(self, namespace: str, name: str) -> Offer | None:
        """A WebService with what decides whether it may be opened; None where none can be read."""
        if (namespace, name) not in self._offers:
            web_service = self.reading.readable(WebService, name, namespace)
            self._offers[namespace, name] = None if web_service is None else self.offered(web_service)
        return self._offers[namespace, name]

    def offered(self, web_service: WebService) -> Offer:
        """The offer of a WebService, with the one at which it is tested."""
        reading, at = self.reading, web_service.spec.tested_as
        trial = None if at is None else reading.readable(WebService, at.name, at.namespace)
        return Offer(
            web_service,
            namespace_labels=_labels(web_service, reading),
            pods=_backend(web_service, reading),
            trial=None if trial is None else Offer(trial, _labels(trial, reading)),
            cluster_networks=reading.cluster_networks,
        )

    def consumer(self, namespace: str, name: str) -> Consumer | None:
        """The EService of that name as one that asks for web services; None where there is none."""
        if (namespace, name) not in self._consumers:
            service = known_service(ObjectKey(SERVICE, namespace, name), self.reading)
            found = None if service is None else consumer_of(service, self.reading)
            self._consumers[namespace, name] = found
        return self._consumers[namespace, name]

    def orders_of(self, place: WebServiceRef) -> Iterator[Order]:
        """Every e-service that asks for a web service, once for each use, by namespace and name."""
        for consumer in self._asking(indexes.USES, place):
            for use in consumer.uses:
                if use.web_service == place:
                    bound = use.agent is not None and is_bound(consumer, use, self.reading)
                    yield Order(consumer, use, bound=bound)

    def orders_through(self, agent: str, place: WebServiceRef) -> Iterator[Order]:
        """Those that ask for a web service through an agent (the name of an assignment)."""
        named = WebServiceRef(namespace=place.namespace, name=agent)
        unread = self.reading.unreadable(WebService.__name__, place.name, place.namespace)
        unread |= self.reading.unreadable(AgentAssignment.__name__, agent, place.namespace)
        for consumer in self._asking(indexes.AGENT, named):
            for use in consumer.uses:
                if use.agent == agent and use.web_service == place:
                    yield Order(consumer, use, unread, is_bound(consumer, use, self.reading))

    def _asking(self, index: str, named: WebServiceRef) -> Iterator[Consumer]:
        for key in sorted(_keys(index, named, self.reading)):
            consumer = self.consumer(key.namespace, key.name)
            if consumer is not None:
                yield consumer


def _labels(web_service: WebService, reading: Reading) -> Mapping[str, str]:
    """Those of its namespace."""
    namespace = reading.store.get("Namespace", "", web_service.metadata.namespace)
    return (part(namespace, "metadata", "labels") or {}) if namespace else {}


def _backend(web_service: WebService, reading: Reading) -> Pods | None:
    """The Pods behind its Service; None without such a Service, or where that says not which Pods.

    Behind a Service of an e-service of ours are all Pods of that: another release is another selector, and no
    consumer is to be cut off while as many policies are written as there are consumers.
    """
    wanted, namespace = web_service.spec.backend.service, web_service.metadata.namespace
    body = None if wanted is None else reading.store.get("Service", namespace, wanted.name)
    if wanted is None or body is None:
        return None
    selector = part(body, "spec", "selector") or {}
    ports = [_target(port) for port in _tcp_ports(body) if port.get("port") == wanted.port]
    if not selector or not ports:
        return None
    owner = _owner_of(body, reading)
    if owner is not None and selector.get(names.ESERVICE_LABEL) == owner.name:
        return _own_pods(owner, reading)
    return Pods(namespace, selector, tuple(ports))


def _owner_of(service: Manifest, reading: Reading) -> Owner | None:
    """The EService beside it that a Service belongs to, if it does."""
    for uid in owners_of(service):
        for body in reading.store.by_index(SERVICE, indexes.UID, uid):
            place = body["metadata"]["namespace"], body["metadata"]["name"]
            if place[0] == service["metadata"]["namespace"]:
                return Owner(*place, uid)
    return None


def consumer_of(service: EService, reading: Reading) -> Consumer:
    """An EService as one that asks for web services."""
    metadata, named = service.metadata, service.spec.registration
    registration = reading.readable(EServiceRegistration, named)
    unread = reading.unreadable(SERVICE, metadata.name, metadata.namespace)
    if registration is None:
        unread |= reading.unreadable(EServiceRegistration.__name__, named)
    return Consumer(
        service=service,
        registration=registration,
        senior=senior_of(service, reading),
        uses=uses_of(service, snapshots_of(metadata, reading)),
        pods=_own_pods(Owner.of(service.metadata), reading),
        unread=unread,
    )


def _own_pods(owner: Owner, reading: Reading) -> Pods | None:
    """All Pods of an e-service, on the ports that its Services lead to."""
    mine = reading.store.by_index("Service", indexes.OWNER, owner.uid)
    bodies = [body for body in mine if body["metadata"].get("namespace") == owner.namespace]
    ports = {_target(port) for body in bodies for port in _tcp_ports(body)}
    return Pods(owner.namespace, owner.pod_selector, tuple(sorted(ports, key=str))) if ports else None


def is_bound(consumer: Consumer, use: Use, reading: Reading) -> bool:
    """Whether an e-service has its binding of a use."""
    namespace, name = consumer.place
    binding = reading.store.get("ConfigMap", namespace, binding_of(name, use))
    return binding is not None and owned_by(binding["metadata"], consumer.service.metadata.uid)


def _keys(index: str, named: WebServiceRef, reading: Reading) -> set[ObjectKey]:
    value, store = f"{named.namespace}/{named.name}", reading.store
    keys = {key_of(body) for body in store.unordered(SERVICE, index, value)}
    return keys | {owner_key(body) for body in store.unordered(SNAPSHOT_KIND, index, value)}


def ordering_through(place: WebServiceRef, reading: Reading) -> dict[str, set[str]]:
    """The UIDs of the e-services that order through an assignment, by namespace."""
    found: dict[str, set[str]] = {}
    for key in _keys(indexes.AGENT, place, reading):
        body = reading.store.get(SERVICE, key.namespace, key.name)
        if body is not None:
            found.setdefault(key.namespace, set()).add(body["metadata"]["uid"])
    return found


def owner_key(child: Manifest) -> ObjectKey:
    """The key of the EService that a child names by its label; whether that owns it is another question."""
    labels = part(child, "metadata", "labels") or {}
    return ObjectKey(SERVICE, child["metadata"].get("namespace", ""), labels.get(names.ESERVICE_LABEL, ""))


def _tcp_ports(service: Manifest) -> Iterator[Mapping[str, Any]]:
    ports = part(service, "spec", "ports") or ()
    return (port for port in ports if port.get("protocol", "TCP") == "TCP")


def _target(port: Mapping[str, Any]) -> int | str:
    target: int | str = port.get("targetPort") or port["port"]
    return target
