# SPDX-License-Identifier: Apache-2.0
"""What public routes lead through and is not there: Gateways, and the class of Ingresses.

Before all of a kind are known, none of it is said to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eservice_operator.api.base import ObjectMeta
from eservice_operator.cluster.store import Store
from eservice_operator.core.gateway_driver import ROUTE_KIND, gateway_of
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.world import Observed


def missing_gateway(
    name: Callable[[str, str], str],
    owner: ObjectMeta,
    children: Mapping[tuple[str, str], Observed],
    store: Store,
) -> GatewayRef | None:
    """The Gateway that a route of ours is on, if it is known not to be there."""
    route = children.get((ROUTE_KIND, name(owner.namespace, owner.name)))
    gateway = None if route is None else gateway_of(route)
    if gateway is None or not store.synced("Gateway"):
        return None
    there = store.get("Gateway", gateway.namespace, gateway.name)
    return gateway if there is None else None


def missing_class(policy: Policy, store: Store) -> str:
    """The class of the public Ingresses, if it is known not to be there; empty otherwise."""
    name = policy.ingress_class
    unknown = not name or not store.synced("IngressClass")
    return "" if unknown or store.get("IngressClass", "", name) is not None else name
