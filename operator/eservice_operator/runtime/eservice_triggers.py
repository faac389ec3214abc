# SPDX-License-Identifier: Apache-2.0
"""Who looks again when an EService changes, a record of one, or its registration: those whom it concerns.

Whoever may write one object may write many, and each as often as they like. So nobody is woken by what says
nothing new to them, and whom a change concerns is found without going through all that might be: a note on
one of a thousand e-services that name the same registration wakes that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.reasons import ConditionType
from eservice_operator.cluster import indexes
from eservice_operator.cluster.first_come import FirstCome
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.standings import REGISTRATION, SERVICE, Standings, member_of
from eservice_operator.cluster.store import Change, Store
from eservice_operator.cluster.verified import Verified
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.owner_triggers import found, owner_of_child, told_of

ACT, VERIFICATION, DEFERRAL = "AcceptanceAct", "ProductionVerification", "UnpublishDeferral"
Keys = Iterator[ObjectKey]


def reads_alike(before: Manifest, after: Manifest) -> bool:
    """Whether both versions of an object can be read, or neither."""
    if before.get("spec") == after.get("spec"):
        return True
    read = [isinstance(parse(body["kind"], body), InvalidObject) for body in (before, after)]
    return read[0] == read[1]


def around_eservice(change: Change, store: Store) -> Keys:
    """Rivals for its place and hosts, its templates, the records about it."""
    told = told_of(change)
    if len(told) > 1 and _identity(told[0]) == _identity(told[1]) and _content(told[0]) == _content(told[1]):
        return
    for obj in told:
        for template in indexes.INDEXES[SERVICE, indexes.TEMPLATE](obj):
            yield ObjectKey("EServiceTemplate", "", template)
    alike = cache(lambda: len(told) > 1 and reads_alike(*told))
    yield from _records_about(change, store, alike)
    yield from _rivals(change, store, alike)


def _records_about(change: Change, store: Store, alike: Callable[[], bool]) -> Keys:
    """Those that say whether there is such an EService, and of acts whether it names what was accepted."""
    told, place = told_of(change), f"{change.key.namespace}/{change.key.name}"
    if not alike():
        for kind in (ACT, VERIFICATION, DEFERRAL):
            yield from found(store, kind, indexes.ESERVICE, place)
    elif _released(told[0]) != _released(told[1]):
        yield from found(store, ACT, indexes.ESERVICE, place)


def _rivals(change: Change, store: Store, alike: Callable[[], bool]) -> Keys:
    """Who has another senior now, and who wants a host that somebody asks for, or asks for no more."""
    told, standings = told_of(change), store.beside(Standings)
    members = [member_of(obj) for obj in told]
    moved = len(told) == 1 or members[0] != members[1] or _identity(told[0]) != _identity(told[1])
    if not moved and alike():
        return
    claiming = list(told)
    for obj in told:
        for key in standings.outranked(obj):
            yield key
            claiming += filter(None, [store.get(*key)])
    for host in {host for obj in claiming for host in standings.claimed(obj)}:
        yield from contending(host, store)


def contending(host: str, store: Store) -> Keys:
    """The EServices that a claim to a host concerns: who may get it, and on whose route it still is."""
    yield from store.beside(Standings).naming(host)
    for route in store.by_index("HTTPRoute", indexes.HOST, host):
        yield from owner_of_child(route, store)


def around_registration(change: Change, store: Store) -> Keys:
    """The e-services that name it, by what is news to them, and others that want a host that it gives.

    How its namespaces stand is said of those alone that stand for it. What a namespace is for is said by the
    registration that named it first: only if it is that one do the others look again.
    """
    told = told_of(change)
    if len(told) > 1 and _registered(told[0]) == _registered(told[1]):
        if _placed(told[0]) != _placed(told[1]):
            yield from store.beside(Standings).standing_for(told[1])
        return
    yield from found(store, SERVICE, indexes.REGISTRATION, change.key.name)
    standings, first_come = store.beside(Standings), store.beside(FirstCome)
    for obj in told:
        for namespace in first_come.leads(obj):
            yield from found(store, REGISTRATION, indexes.NAMESPACE, namespace)
        for key in standings.standing_for(obj):
            for host in indexes.INDEXES[SERVICE, indexes.HOST](store.get(*key) or {}):
                yield from standings.naming(host)


def of_decision(decision: Manifest, store: Store) -> Keys:
    """The e-service that it names, who stands for the registration it is about, and its template."""
    spec = decision["spec"]
    named = spec.get("eService") or {}
    key = ObjectKey(SERVICE, str(named.get("namespace")), str(named.get("name")))
    if store.get(*key) is not None:
        yield key
    registration = store.get(REGISTRATION, "", spec["registration"])
    if registration is not None:
        yield from store.beside(Standings).standing_for(registration)
    yield ObjectKey("EServiceTemplate", "", spec["release"]["template"]["name"])


def of_verification(change: Change, store: Store) -> Keys:
    """Its EService, and that which counted before it or counts in its place; by a note or a status nobody."""
    told = told_of(change)
    said = [(_identity(obj), obj.get("spec")) for obj in told]
    if len(told) > 1 and said[0] == said[1]:
        return
    for obj in told:
        yield ObjectKey(SERVICE, change.key.namespace, obj["spec"]["eService"])
        yield from store.beside(Verified).next_to(obj)


def _identity(obj: Manifest) -> tuple[Any, ...]:
    metadata = obj["metadata"]
    return tuple(metadata.get(field) for field in ("uid", "creationTimestamp", "deletionTimestamp"))


def _content(obj: Manifest) -> tuple[Any, Any]:
    return obj.get("spec"), obj.get("status")


def _released(service: Manifest) -> tuple[Any, ...]:
    """Which releases an EService names: by its spec, and as public."""
    spec = service.get("spec") or {}
    public = part(service, "status", "release", "public", "name")
    return part(spec, "release", "image"), spec.get("template"), public


def _registered(registration: Manifest) -> tuple[Any, ...]:
    """What every e-service that names a registration says of it."""
    number = part(registration, "status", "identifier")
    return _identity(registration), registration.get("spec"), number


def _placed(registration: Manifest) -> tuple[Any, Any]:
    """How it stands itself, and its namespaces."""
    conditions: Iterable[Manifest] = part(registration, "status", "conditions") or ()
    said = [
        (one.get("status"), one.get("message"))
        for one in conditions
        if one.get("type") == ConditionType.REGISTERED
    ]
    return said, part(registration, "status", "namespaces")
