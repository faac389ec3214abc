# SPDX-License-Identifier: Apache-2.0
"""Which Gateways and classes of Ingresses there are, and from where a Gateway takes routes, by its own spec.

What a route's status says of it is no proof: whoever may write routes may often write their status, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from eservice_operator.api.names import NAMESPACE_NAME_LABEL
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.policy import GatewayRef, Policy

Place = tuple[str, str]
"""Of a Gateway: its namespace and its name."""
SAME: Final = "Same"
"""What holds where a listener does not say: routes beside the Gateway."""


def missing_of(gateways: Iterable[GatewayRef], store: Store) -> Iterator[GatewayRef]:
    """Those that are known not to be there; with its section one that has no such listener."""
    if not store.synced("Gateway"):
        return
    for gateway in gateways:
        there = store.get("Gateway", gateway.namespace, gateway.name)
        if there is None:
            yield gateway.whole
        elif gateway.section and not any(
            part(listener, "name") == gateway.section for listener in part(there, "spec", "listeners") or ()
        ):
            yield gateway


def missing_class(policy: Policy, store: Store) -> str:
    """The class of the public Ingresses, if it is known not to be there; empty otherwise."""
    name = policy.ingress_class
    unknown = not name or not store.synced("IngressClass")
    return "" if unknown or store.get("IngressClass", "", name) is not None else name


def takes(ref: Mapping[str, Any], namespace: str, gateways: Collection[Place], store: Store) -> bool:
    """Whether a route's ``parentRef`` names one of these Gateways, which admits the route's namespace."""
    place = (ref.get("namespace", namespace), ref.get("name", ""))
    gateway = store.get("Gateway", *place) if place in gateways else None
    return gateway is not None and admits(gateway, namespace, store, ref.get("sectionName") or "")


def admits(gateway: Manifest, namespace: str, store: Store, *sections: str) -> bool:
    """Whether a listener of the Gateway takes routes from a namespace; of some listeners only, if named."""
    wanted = {section for section in sections if section}
    home = gateway["metadata"]["namespace"]
    listeners = part(gateway, "spec", "listeners") or ()
    return any(
        _takes(listener, home, namespace, store)
        for listener in listeners
        if wanted <= {part(listener, "name")}
    )


def _takes(listener: Mapping[str, Any], home: str, namespace: str, store: Store) -> bool:
    allowed = part(listener, "allowedRoutes", "namespaces") or {}
    match allowed.get("from", SAME):
        case "All":
            return True
        case "Same":
            return namespace == home
        case "Selector":
            selector = allowed.get("selector")
            return selector is not None and _selects(selector, _labels(namespace, store))
        case _:
            return False


def _labels(namespace: str, store: Store) -> Mapping[str, str]:
    """Those of the namespace, with its name as the API server adds it."""
    known = store.get("Namespace", "", namespace) or {}
    return {**(part(known, "metadata", "labels") or {}), NAMESPACE_NAME_LABEL: namespace}


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(_holds(labels, *term) for term in _terms(selector))


def _terms(selector: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The terms of a label selector: key, operator and values."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, "In", (value,)
    for term in selector.get("matchExpressions") or ():
        yield term["key"], term["operator"], tuple(term.get("values") or ())


def _holds(labels: Mapping[str, str], key: str, operator: str, values: tuple[str, ...]) -> bool:
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
