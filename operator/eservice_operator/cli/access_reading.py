# SPDX-License-Identifier: Apache-2.0
"""What decides about uses, read where it is: in the namespaces of holders, and where connections are tested.

A person of one institution may read it in few of them. Each refusal is answered, so that nobody takes a use
for not granted that only looks so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.cli.filling import Unread, fill, name_of
from eservice_operator.cli.kubectl import Kubectl, Query
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.store import Store

KINDS: Final = ("WebService", "WebServiceGrant", "AgentAssignment")
ALL: Final = (*KINDS, "ConnectionTest")
FAR: Final = ("EService", "EServiceRegistration", "WebService", "ConnectionTest")
"""What speaks of a holder and may be anywhere."""
SNAPSHOT: Final = "ControllerRevision"
MOST_PLACES: Final = 6
"""Namespaces that are asked one by one; of more than that everything is listed at once."""
OURS: Final = ("--show-managed-fields", f"--selector={names.MANAGED_BY_LABEL}={names.MANAGER}")


def read_access(store: Store, kubectl: Kubectl, namespace: str | None) -> list[Unread]:
    """Read what decides about the uses of the EServices in a namespace, of all of them without one.

    The store holds them, their remembered releases and the registrations already; without a namespace also
    everything else of our own kinds.
    """
    holders = set(_used(store, namespace))
    if not holders:
        return []
    if namespace is None:
        return fill(store, kubectl, [Query((name_of("Namespace"),))])
    unread = fill(store, kubectl, [*_beside(holders), Query((name_of("ConnectionTest"),), "")])
    tested = tested_at(store) - holders
    consumers = set(_concerned(store, namespace)) - {namespace}
    return unread + fill(store, kubectl, [*_beside(tested), *remembered(consumers)])


def read_holder(store: Store, kubectl: Kubectl, namespace: str | None) -> list[Unread]:
    """Read everything that the ends in a holder's namespace can close, wherever the consumers are.

    Without a namespace all of it, of every holder.
    """
    if namespace is None:
        kinds = (*FAR, "WebServiceGrant", "AgentAssignment", "Service")
        everywhere = Query(tuple(name_of(kind) for kind in kinds), "")
        return fill(store, kubectl, [everywhere, Query((name_of("Namespace"),)), *remembered(("",))])
    first = [Query(tuple(name_of(kind) for kind in FAR), ""), *_beside({namespace})]
    unread = fill(store, kubectl, first)
    related = {place for pair in _tests(store) if namespace in pair for place in pair} - {namespace}
    unread += fill(store, kubectl, list(_beside(related)))
    return unread + fill(store, kubectl, list(remembered(set(_callers(store, {namespace, *related})))))


def _beside(namespaces: Collection[str]) -> Iterator[Query]:
    """The web services of holders, what they granted, the Services behind, and whose the namespace is."""
    kinds = tuple(name_of(kind) for kind in (*KINDS, "Service"))
    if len(namespaces) > MOST_PLACES:
        yield Query(kinds, "")
        yield Query((name_of("Namespace"),))
        return
    for namespace in sorted(namespaces):
        yield Query(kinds, namespace)
        yield Query((name_of("Namespace"),), name=namespace)


def remembered(namespaces: Collection[str]) -> Iterator[Query]:
    """The releases that e-services of these namespaces remember: what those ask for counts, too."""
    many = len(namespaces) > MOST_PLACES
    for namespace in ("",) if many else sorted(namespaces):
        yield Query((name_of(SNAPSHOT),), namespace, OURS)


def _used(store: Store, namespace: str | None) -> Iterator[str]:
    """The namespaces of the holders that EServices ask, also by the releases that they remember."""
    for body in store.all("EService"):
        if namespace in {None, body["metadata"].get("namespace")}:
            yield from _holders(part(body, "spec", "uses"))
    for body in store.all(SNAPSHOT):
        if namespace in {None, body["metadata"].get("namespace")}:
            yield from _holders(part(body, "data", "uses"))


def _holders(uses: Any) -> Iterator[str]:
    for use in uses or ():
        holder = part(use, "webService", "namespace")
        if isinstance(holder, str):
            yield holder


def _tests(store: Store) -> Iterator[tuple[str, str]]:
    """Where a web service is, and where it is tested."""
    for body in store.all("WebService"):
        at = part(body, "spec", "testedAs", "namespace")
        if isinstance(at, str):
            yield body["metadata"]["namespace"], at


def tested_at(store: Store) -> set[str]:
    """The namespaces in which the web services of the store are tested."""
    return {at for _, at in _tests(store)}


def _concerned(store: Store, namespace: str) -> Iterator[str]:
    """Whose remembered releases matter: of the same registrations, and agents' applications."""
    services = store.all("EService")
    own = {
        part(body, "spec", "registration") for body in services if body["metadata"]["namespace"] == namespace
    }
    for body in services:
        if part(body, "spec", "registration") in own:
            yield body["metadata"]["namespace"]
    for grant in store.all("WebServiceGrant"):
        place = part(grant, "spec", "consumer", "namespace")
        if part(grant, "spec", "agent") is not None and isinstance(place, str):
            yield place


def _callers(store: Store, holders: Collection[str]) -> Iterator[str]:
    """The namespaces of everybody who asks one of the holders, or is granted something by one."""
    for body in store.all("EService"):
        if set(_holders(part(body, "spec", "uses"))) & set(holders):
            yield body["metadata"]["namespace"]
    for grant in store.all("WebServiceGrant"):
        place = part(grant, "spec", "consumer", "namespace")
        if isinstance(place, str):
            yield place
