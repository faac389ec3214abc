# SPDX-License-Identifier: Apache-2.0
"""The owners of children, and other small parts of what a change wakes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from eservice_operator.api import names
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_our_route, owners_of, service_of
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import OWNED_BY

ACCESS = ("WebService", "WebServiceGrant", "AgentAssignment", "ConnectionTest")


def owner_of_child(obj: Manifest, store: Store) -> Iterator[ObjectKey]:
    """The EService, or the other owner, that a child says it belongs to, whichever mark says so."""
    for kind, uid in product(OWNED_BY, owners_of(obj)):
        for owner in store.by_index(kind, indexes.UID, uid):
            if part(owner, "metadata", "namespace") == part(obj, "metadata", "namespace"):
                yield key_of(owner)
    labels = part(obj, "metadata", "labels") or {}
    for kind, label in OWNED_BY.items():
        if kind in ACCESS and label in labels:
            yield ObjectKey(kind, part(obj, "metadata", "namespace"), labels[label])
    name, route = labels.get(names.ESERVICE_LABEL), service_of(obj) if is_our_route(obj) else None
    if route is not None:
        yield route
    elif name:
        namespace = labels.get(names.NAMESPACE_LABEL) or part(obj, "metadata", "namespace")
        yield ObjectKey("EService", namespace, name)


def told_of(change: Change) -> tuple[Manifest, ...]:
    """The object as it was and as it is, as far as there is either."""
    return tuple(obj for obj in (change.before, change.after) if obj is not None)


def found(store: Store, kind: str, index: str, value: str) -> Iterator[ObjectKey]:
    """The keys under a value of an index."""
    return map(key_of, store.by_index(kind, index, value))
