# SPDX-License-Identifier: Apache-2.0
"""Who looks again when something changes that access to web services rests on (`access_news`: what of it)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from eservice_operator.cluster import indexes
from eservice_operator.cluster.consumers import owner_key
from eservice_operator.cluster.holders import reach_of, web_services_of
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.access_news import is_news, leaves, listed_anew

GRANT: Final = "WebServiceGrant"
WEB_SERVICE: Final = "WebService"
ASSIGNMENT: Final = "AgentAssignment"
ESERVICE: Final = "EService"
REGISTRATION: Final = "EServiceRegistration"
SNAPSHOT: Final = "ControllerRevision"

Keys = Iterator[ObjectKey]


def access_keys(change: Change, store: Store) -> Keys:
    """The keys whose access a change concerns: by the object as it was, and as it is."""
    concerned = CONCERNED.get(change.key.kind)
    told = [obj for obj in (change.before, change.after) if obj is not None]
    if concerned is None or (len(told) > 1 and not is_news(*told)):
        return
    if change.key.kind == ASSIGNMENT and len(told) > 1 and not leaves(*told):
        codes = listed_anew(*told)
        if codes is not None:
            yield from _of_customers(told[-1], codes, store)
            return
    if change.key.kind == REGISTRATION and (len(told) == 1 or reach_of(told[0]) != reach_of(told[1])):
        for obj in told:
            yield from web_services_of(obj, store)
    for obj in told:
        yield from concerned(obj, store)


def of_grant(grant: Manifest, store: Store) -> Keys:
    """Its web service, its consumer, its assignment with the customers, and the grants that it tests for."""
    namespace, spec = grant["metadata"]["namespace"], grant.get("spec") or {}
    place = f"{namespace}/{spec.get('webService')}"
    yield ObjectKey(WEB_SERVICE, namespace, str(spec.get("webService")))
    yield from _consumer(grant)
    agent = part(spec, "agent", "assignment")
    if agent:
        yield ObjectKey(ASSIGNMENT, namespace, agent)
        yield from _asking(store, indexes.AGENT, f"{namespace}/{agent}")
    if store.by_index(WEB_SERVICE, indexes.TESTED_AS, place):
        yield from _tested_by(grant, place, store)


def _tested_by(grant: Manifest, place: str, store: Store) -> Keys:
    """The grants, and the e-services, of the consumer's registration at what is tested at ``place``."""
    production = {_where(one) for one in store.by_index(WEB_SERVICE, indexes.TESTED_AS, place)}
    for consumer in _consumer(grant):
        service = store.get(*consumer) or {}
        yield from _of_registration(str(part(service, "spec", "registration")), production, store)


def _of_registration(registration: str, places: set[str], store: Store) -> Keys:
    """The grants of a registration's e-services for some web services, and these e-services."""
    for service in store.by_index(ESERVICE, indexes.REGISTRATION, registration):
        for other in store.by_index(GRANT, indexes.CONSUMER, _where(service)):
            if f"{other['metadata']['namespace']}/{part(other, 'spec', 'webService')}" in places:
                yield key_of(other)
                yield key_of(service)


def of_web_service(web_service: Manifest, store: Store) -> Keys:
    """All that is answered, asked or proved of it, and the grants of those that are tested at it."""
    place = _where(web_service)
    yield from _around(place, store)
    for test in store.by_index("ConnectionTest", indexes.WEB_SERVICE, place):
        yield key_of(test)
    yield from _tried_at(place, store)


def _tried_at(place: str, store: Store) -> Keys:
    """The web services that are tested at ``place``, with their grants and the consumers."""
    for other in store.by_index(WEB_SERVICE, indexes.TESTED_AS, place):
        yield key_of(other)
        for grant in store.by_index(GRANT, indexes.WEB_SERVICE, _where(other)):
            yield key_of(grant)
            yield from _consumer(grant)


def _around(place: str, store: Store) -> Keys:
    for grant in store.by_index(GRANT, indexes.WEB_SERVICE, place):
        yield key_of(grant)
        yield from _consumer(grant)
    for assignment in store.by_index(ASSIGNMENT, indexes.WEB_SERVICE, place):
        yield key_of(assignment)
    yield from _asking(store, indexes.USES, place)


def of_assignment(assignment: Manifest, store: Store) -> Keys:
    """Its web service, its connections with the agent's application, and who orders through it."""
    namespace, place = assignment["metadata"]["namespace"], _where(assignment)
    yield ObjectKey(WEB_SERVICE, namespace, str(part(assignment, "spec", "webService")))
    for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
        yield key_of(grant)
        yield from _consumer(grant)
    yield from _asking(store, indexes.AGENT, place)


def _of_customers(assignment: Manifest, codes: frozenset[str], store: Store) -> Keys:
    """Its web service, its application, and of those who order through it the institutions of these codes.

    Whoever belongs to nobody knows which is looked at, too.
    """
    namespace, place = assignment["metadata"]["namespace"], _where(assignment)
    yield ObjectKey(WEB_SERVICE, namespace, str(part(assignment, "spec", "webService")))
    for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
        yield from _consumer(grant)
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


def of_eservice(service: Manifest, store: Store) -> Keys:
    """The grants that name it, and the web services and assignments that it asks for.

    Also those of others beside it under one registration: the oldest of them stands for it.
    """
    registration = str(part(service, "spec", "registration"))
    beside = (
        other
        for other in store.by_index(ESERVICE, indexes.REGISTRATION, registration)
        if other["metadata"]["namespace"] == service["metadata"]["namespace"]
        and other["metadata"]["name"] != service["metadata"]["name"]
    )
    for one in (service, *beside):
        for grant in store.by_index(GRANT, indexes.CONSUMER, _where(one)):
            yield key_of(grant)
        yield from _asked_for(one, store)


def of_snapshot(snapshot: Manifest, store: Store) -> Keys:
    """The same by what a remembered release asks for."""
    if set(indexes.INDEXES[SNAPSHOT, indexes.USES](snapshot)):
        owner = owner_key(snapshot)
        for grant in store.by_index(GRANT, indexes.CONSUMER, f"{owner.namespace}/{owner.name}"):
            yield key_of(grant)
        yield from _asked_for(snapshot, store)


def _asked_for(obj: Manifest, store: Store) -> Keys:
    for place in indexes.INDEXES[obj["kind"], indexes.USES](obj):
        yield _key(WEB_SERVICE, place)
    for place in indexes.INDEXES[obj["kind"], indexes.AGENT](obj):
        yield _key(ASSIGNMENT, place)
        for grant in store.by_index(GRANT, indexes.ASSIGNMENT, place):
            yield from _consumer(grant)


def of_service(service: Manifest, store: Store) -> Keys:
    """The web services behind which it is, or one of the same e-service; an agent's customers, too."""
    owner = owner_key(service)
    for place in {_where(service), f"{owner.namespace}/{owner.name}"}:
        for web_service in store.by_index(WEB_SERVICE, indexes.BACKEND, place):
            yield key_of(web_service)
            yield from _around(_where(web_service), store)
    if owner.name:
        for grant in store.by_index(GRANT, indexes.CONSUMER, f"{owner.namespace}/{owner.name}"):
            agent = part(grant, "spec", "agent", "assignment")
            if agent:
                yield from _asking(store, indexes.AGENT, f"{grant['metadata']['namespace']}/{agent}")


def of_registration(registration: Manifest, store: Store) -> Keys:
    """The grants of its e-services, and what these ask for."""
    name = registration["metadata"]["name"]
    for service in store.by_index(ESERVICE, indexes.REGISTRATION, name):
        yield from of_eservice(service, store)


def of_namespace(namespace: Manifest, store: Store) -> Keys:
    """The web services in it, which administrators confirm by its labels."""
    for web_service in store.by_index(WEB_SERVICE, indexes.NAMESPACE, namespace["metadata"]["name"]):
        yield key_of(web_service)
        yield from _around(_where(web_service), store)
        yield from _tried_at(_where(web_service), store)


def of_right(right: Manifest, store: Store) -> Keys:
    """The web services beside a Role, or a binding to one of a grant, by which somebody may invoke them."""
    for namespace in indexes.INDEXES[right["kind"], indexes.NAMESPACE](right):
        for web_service in store.by_index(WEB_SERVICE, indexes.NAMESPACE, namespace):
            yield key_of(web_service)


def of_binding(binding: Manifest, store: Store) -> Keys:
    """The grant that it says it rests on, if there is one."""
    for place in indexes.INDEXES["ConfigMap", indexes.GRANT](binding):
        key = _key(GRANT, place)
        if store.get(*key) is not None:
            yield key


CONCERNED: Final[dict[str, Callable[[Manifest, Store], Keys]]] = {
    GRANT: of_grant,
    WEB_SERVICE: of_web_service,
    ASSIGNMENT: of_assignment,
    "ConnectionTest": of_connection_test,
    ESERVICE: of_eservice,
    SNAPSHOT: of_snapshot,
    "Service": of_service,
    REGISTRATION: of_registration,
    "Namespace": of_namespace,
    "Role": of_right,
    "RoleBinding": of_right,
    "ConfigMap": of_binding,
}


def _consumer(grant: Manifest) -> Keys:
    for place in indexes.INDEXES[GRANT, indexes.CONSUMER](grant):
        yield _key(ESERVICE, place)


def _asking(store: Store, index: str, value: str) -> Keys:
    for service in store.by_index(ESERVICE, index, value):
        yield key_of(service)
    for snapshot in store.by_index(SNAPSHOT, index, value):
        yield owner_key(snapshot)


def _where(obj: Manifest) -> str:
    return f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"


def _key(kind: str, place: str) -> ObjectKey:
    namespace, _, name = place.partition("/")
    return ObjectKey(kind, namespace, name)
