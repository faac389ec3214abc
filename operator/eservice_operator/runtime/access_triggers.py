# SPDX-License-Identifier: Apache-2.0
"""Who looks again when something changes that access to web services rests on (`access_news`: what of it)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import owner_key
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.standings import REGISTRATION, Standings
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.access_news import is_news, leaves, listed_anew
from eservice_operator.runtime.consumer_triggers import (
    ASSIGNMENT,
    ESERVICE,
    GRANT,
    SNAPSHOT,
    WEB_SERVICE,
    Keys,
    consumer_named,
    key_at,
    of_consumer,
    of_registration,
    of_snapshot,
    where,
)
from eservice_operator.runtime.owner_triggers import told_of


def access_keys(change: Change, store: Store) -> Keys:
    """The keys whose access a change concerns: by the object as it was, and as it is."""
    kind, told = change.key.kind, told_of(change)
    if (kind not in CONCERNED and kind not in BY_CHANGE) or (len(told) > 1 and not is_news(*told)):
        return
    if kind in BY_CHANGE:
        yield from BY_CHANGE[kind](told, store)
        return
    if kind == ASSIGNMENT and len(told) > 1 and not leaves(*told):
        codes = listed_anew(*told)
        if codes is not None:
            yield from _of_customers(told[-1], codes, store)
            return
    for obj in told:
        yield from CONCERNED[kind](obj, store)


def of_grant(grant: Manifest, store: Store) -> Keys:
    """Its web service, its consumer, its assignment with the customers, and the grants that it tests for."""
    namespace, spec = grant["metadata"]["namespace"], grant.get("spec") or {}
    place = f"{namespace}/{spec.get('webService')}"
    yield ObjectKey(WEB_SERVICE, namespace, str(spec.get("webService")))
    yield from consumer_named(grant)
    agent = part(spec, "agent", "assignment")
    if agent:
        yield ObjectKey(ASSIGNMENT, namespace, agent)
        yield from _asking(store, indexes.AGENT, f"{namespace}/{agent}")
    if store.by_index(WEB_SERVICE, indexes.TESTED_AS, place):
        yield from _tested_by(grant, place, store)


def _tested_by(grant: Manifest, place: str, store: Store) -> Keys:
    """The grants, and the e-services, of the consumer's registration at what is tested at ``place``."""
    production = {where(one) for one in store.by_index(WEB_SERVICE, indexes.TESTED_AS, place)}
    for consumer in consumer_named(grant):
        service = store.get(*consumer) or {}
        yield from _of_registration(str(part(service, "spec", "registration")), production, store)


def _of_registration(registration: str, places: set[str], store: Store) -> Keys:
    """The grants for some web services of the e-services that stand for a registration, and these."""
    body = store.get(REGISTRATION, "", registration)
    for service in () if body is None else store.beside(Standings).standing_for(body):
        for other in store.by_index(GRANT, indexes.CONSUMER, f"{service.namespace}/{service.name}"):
            if f"{other['metadata']['namespace']}/{part(other, 'spec', 'webService')}" in places:
                yield key_of(other)
                yield service


def of_web_service(web_service: Manifest, store: Store) -> Keys:
    """All that is answered, asked or proved of it, and the grants of those that are tested at it."""
    place = where(web_service)
    yield from _around(place, store)
    for test in store.by_index("ConnectionTest", indexes.WEB_SERVICE, place):
        yield key_of(test)
    yield from _tried_at(place, store)


def _tried_at(place: str, store: Store) -> Keys:
    """The web services that are tested at ``place``, with their grants and the consumers."""
    for other in store.by_index(WEB_SERVICE, indexes.TESTED_AS, place):
        yield key_of(other)
        for grant in store.by_index(GRANT, indexes.WEB_SERVICE, where(other)):
            yield key_of(grant)
            yield from consumer_named(grant)


def _around(place: str, store: Store) -> Keys:
    for grant in store.by_index(GRANT, indexes.WEB_SERVICE, place):
        yield key_of(grant)
        yield from consumer_named(grant)
    for assignment in store.by_index(ASSIGNMENT, indexes.WEB_SERVICE, place):
        yield key_of(assignment)
    yield from _asking(store, indexes.USES, place)


def of_assignment(assignment: Manifest, store: Store) -> Keys:
    """Its web service, its connections with the agent's application, and who orders through it."""
    namespace, place = assignment["metadata"]["namespace"], where(assignment)
    yield ObjectKey(WEB_SERVICE, namespace, str(part(assignment, "spec", "webService")))
    for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
        yield key_of(grant)
        yield from consumer_named(grant)
    yield from _asking(store, indexes.AGENT, place)


def _of_customers(assignment: Manifest, codes: frozenset[str], store: Store) -> Keys:
    """Its web service, its application, and of those who order through it the institutions of these codes.

    Whoever belongs to nobody knows which is looked at, too.
    """
    namespace, place = assignment["metadata"]["namespace"], where(assignment)
    yield ObjectKey(WEB_SERVICE, namespace, str(part(assignment, "spec", "webService")))
    for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
        yield from consumer_named(grant)
    for key in _asking(store, indexes.AGENT, place):
        named = str(part(store.get(*key) or {}, "spec", "registration"))
        registration = store.get("EServiceRegistration", "", named) or {}
        code = part(registration, "spec", "institution", "code")
        if code is None or code in codes:
            yield key


def of_connection_test(test: Manifest, store: Store) -> Keys:
    """The grants, and the e-services, of whom it speaks."""
    spec = test["spec"]
    place = f"{spec['webService']['namespace']}/{spec['webService']['name']}"
    yield from _of_registration(spec["registration"], {place}, store)


def of_service(service: Manifest, store: Store) -> Keys:
    """The web services behind which it is, or one of the same e-service; an agent's customers, too."""
    owner = owner_key(service)
    for place in {where(service), f"{owner.namespace}/{owner.name}"}:
        for web_service in store.by_index(WEB_SERVICE, indexes.BACKEND, place):
            yield key_of(web_service)
            yield from _around(where(web_service), store)
    if owner.name:
        for grant in store.by_index(GRANT, indexes.CONSUMER, f"{owner.namespace}/{owner.name}"):
            agent = part(grant, "spec", "agent", "assignment")
            if agent:
                yield from _asking(store, indexes.AGENT, f"{grant['metadata']['namespace']}/{agent}")


def of_namespace(namespace: Manifest, store: Store) -> Keys:
    """The web services in it, which administrators confirm by its labels."""
    for web_service in store.by_index(WEB_SERVICE, indexes.NAMESPACE, namespace["metadata"]["name"]):
        yield key_of(web_service)
        yield from _around(where(web_service), store)
        yield from _tried_at(where(web_service), store)


def of_right(right: Manifest, store: Store) -> Keys:
    """The web services beside a Role, or a binding to one of a grant, by which somebody may invoke them."""
    for namespace in indexes.INDEXES[right["kind"], indexes.NAMESPACE](right):
        for web_service in store.by_index(WEB_SERVICE, indexes.NAMESPACE, namespace):
            yield key_of(web_service)


def of_binding(binding: Manifest, store: Store) -> Keys:
    """The grant that it says it rests on, if there is one."""
    for place in indexes.INDEXES["ConfigMap", indexes.GRANT](binding):
        key = key_at(GRANT, place)
        if store.get(*key) is not None:
            yield key


def _asking(store: Store, index: str, value: str) -> Keys:
    for service in store.by_index(ESERVICE, index, value):
        yield key_of(service)
    for snapshot in store.by_index(SNAPSHOT, index, value):
        yield owner_key(snapshot)


CONCERNED: Final[dict[str, Callable[[Manifest, Store], Keys]]] = {
    GRANT: of_grant,
    WEB_SERVICE: of_web_service,
    ASSIGNMENT: of_assignment,
    "ConnectionTest": of_connection_test,
    SNAPSHOT: of_snapshot,
    "Service": of_service,
    "Namespace": of_namespace,
    "Role": of_right,
    "RoleBinding": of_right,
    "ConfigMap": of_binding,
}
BY_CHANGE: Final[dict[str, Callable[[tuple[Manifest, ...], Store], Keys]]] = {
    ESERVICE: of_consumer,
    REGISTRATION: of_registration,
}
"""Kinds of which the object as it was and as it is say together what is new."""
