# SPDX-License-Identifier: Apache-2.0
"""Which keys a changed object wakes. A key too many costs a look; a key too few waits for the next resync."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any, Final

from eservice_operator.cluster import indexes
from eservice_operator.cluster.admission import Place, takes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_our_route
from eservice_operator.cluster.standings import Standings
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.hosts import EVERY, WILDCARD
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import GatewayRef
from eservice_operator.runtime.access_triggers import access_keys
from eservice_operator.runtime.eservice_triggers import (
    around_eservice,
    around_registration,
    of_decision,
    of_verification,
)
from eservice_operator.runtime.owner_triggers import ACCESS, found, owner_of_child, told_of
from eservice_operator.runtime.ports import Triggers
from eservice_operator.runtime.template_triggers import services_of_template

CLAIMING = ("HTTPRoute", "Ingress")
BY_CHANGE: Final[dict[str, Callable[[Change, Store], Iterator[ObjectKey]]]] = {
    "EService": around_eservice,
    "EServiceRegistration": around_registration,
    "EServiceTemplate": services_of_template,
    "ProductionVerification": of_verification,
}
"""Kinds of which it is seen in a change whom it concerns besides themselves."""

Places = Collection[Place]
"""Gateways, by namespace and name."""


def triggers_for(gateways: Iterable[GatewayRef]) -> Triggers:
    """The triggers of an operator whose e-services may be on these Gateways."""
    return partial(_keys_for, frozenset((one.namespace, one.name) for one in gateways))


def _keys_for(gateways: Places, change: Change, store: Store) -> Iterable[ObjectKey]:
    """The keys to reconcile after an object appeared, changed or went away: those of what it was, too."""
    if _only_counted(change):
        return {change.key}
    told = told_of(change)
    woken = {key for obj in told for key in _keys(obj, store)} | set(access_keys(change, store))
    if change.key.kind in BY_CHANGE:
        woken |= {change.key, *BY_CHANGE[change.key.kind](change, store)}
    if change.key.kind in CLAIMING and not _claims_as_before(change):
        woken |= {key for obj in told for key in _contested(obj, store, gateways)}
    if change.key.kind == "Gateway" and not _admits_as_before(change):
        for route in _concerned(change.key, store, gateways):
            woken |= set(owner_of_child(route, store))
    if change.key.kind == "IngressClass" and len(told) == 1:
        woken |= set(_of_class(change.key.name, store))
    return woken


def _of_class(name: str, store: Store) -> Iterator[ObjectKey]:
    """The EServices whose own Ingress is of a class, which comes or goes."""
    for ingress in store.all("Ingress"):
        if part(ingress, "spec", "ingressClassName") == name:
            yield from owner_of_child(ingress, store)


def _concerned(gateway: ObjectKey, store: Store, gateways: Places) -> Iterable[Manifest]:
    """The routes that a Gateway matters to: those on it; of one of ours all, which may wait to move there."""
    if (gateway.namespace, gateway.name) in gateways:
        return _our_routes(store)
    return store.by_index("HTTPRoute", indexes.GATEWAY, f"{gateway.namespace}/{gateway.name}")


def _our_routes(store: Store) -> Iterator[Manifest]:
    return (route for route in store.all("HTTPRoute") if is_our_route(route))


def left_behind(store: Store) -> Iterator[ObjectKey]:
    """The EServices that are gone while their public route is not: deleted without our finalizer."""
    for route in _our_routes(store):
        for key in owner_of_child(route, store):
            if store.get(*key) is None:
                yield key


def _only_counted(change: Change) -> bool:
    """Whether a template says nothing new to its e-services: it counts them anew whenever one goes public."""
    before, after = change.before, change.after
    if change.key.kind != "EServiceTemplate" or before is None or after is None:
        return False
    return before.get("spec") == after.get("spec") and _published(before) == _published(after)


def _published(template: Manifest) -> list[tuple[Any, Any]]:
    """The publication dates that took effect: what e-services read of a template's status."""
    return [
        (entry.get("version"), entry.get("publishedAt"))
        for entry in part(template, "status", "versions") or ()
    ]


def _keys(obj: Manifest, store: Store) -> Iterator[ObjectKey]:
    key = key_of(obj)
    match key.kind:
        case "AcceptanceAct" | "UnpublishDeferral":
            yield key
            named = part(obj, "spec", "eService")
            yield ObjectKey("EService", named["namespace"], named["name"])
        case "UnpublishDecision":
            yield from of_decision(obj, store)
        case "EServiceIdentifier":
            yield key
            yield ObjectKey("EServiceRegistration", "", obj["spec"]["registration"])
        case "Namespace":
            yield from found(store, "EServiceRegistration", indexes.NAMESPACE, key.name)
        case _ if key.kind in BY_CHANGE:
            pass
        case _:
            yield from [key] if key.kind in ACCESS else owner_of_child(obj, store)


def _claims_as_before(change: Change) -> bool:
    """Whether a route or an Ingress claims what it did, with the same answers of gateways."""
    before, after = change.before, change.after
    if before is None or after is None:
        return False
    same = before.get("spec") == after.get("spec")
    return same and _labels(before) == _labels(after) and _answers(before) == _answers(after)


def _admits_as_before(change: Change) -> bool:
    """Whether a Gateway was there, and takes routes from where it did."""
    before, after = change.before, change.after
    return before is not None and after is not None and before.get("spec") == after.get("spec")


def _labels(obj: Manifest) -> Any:
    return part(obj, "metadata", "labels") or {}


def _answers(obj: Manifest) -> list[tuple[Any, Any, Any]]:
    return [
        (parent.get("parentRef"), answer.get("status"), answer.get("reason"))
        for parent in part(obj, "status", "parents") or ()
        for answer in parent.get("conditions") or ()
        if answer.get("type") == "Accepted"
    ]


def _contested(obj: Manifest, store: Store, gateways: Places) -> Iterator[ObjectKey]:
    """The EServices whose hosts a route or an Ingress answers for: those that may get them.

    One that covers many hosts, by a wildcard or by naming none, wakes nobody unless a Gateway of ours takes
    it: its author could have every EService looked at as often as they like. The next regular look finds it.
    """
    taken = obj["kind"] == "HTTPRoute" and _taken(obj, store, gateways)
    place = ObjectKey("EService", *key_of(obj)[1:])
    if store.get(*place) is not None:
        yield place  # it is where that has its own
    for pattern in indexes.INDEXES[obj["kind"], indexes.HOST](obj):
        if pattern != EVERY and not pattern.startswith(WILDCARD):
            yield from store.beside(Standings).naming(pattern)
        elif taken and pattern == EVERY:
            yield from (key_of(service) for service in store.all("EService"))
        elif taken:
            yield from found(store, "EService", indexes.UNDER, pattern)


def _taken(route: Manifest, store: Store, gateways: Places) -> bool:
    """Whether a Gateway of ours takes the route: by its status, and by what it admits."""
    home = part(route, "metadata", "namespace")
    taken_by = [ref or {} for ref, status, _ in _answers(route) if status == "True"]
    return any(takes(ref, home, gateways, store) for ref in taken_by)
