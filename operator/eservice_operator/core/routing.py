# SPDX-License-Identifier: Apache-2.0
"""The public route: an HTTPRoute in the Agency's namespace, and what the gateway says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import Facts, route_name
from eservice_operator.core.manifests import HTTP_PORT, child, labels_of, seal
from eservice_operator.core.world import Observed, Policy

ROUTE_API = "gateway.networking.k8s.io/v1"
GRANT_API = "gateway.networking.k8s.io/v1beta1"
"""The version that every release of the Gateway API still serves."""


def build_route(facts: Facts, hosts: tuple[str, ...], path: str) -> Manifest:
    """The public route to the e-service's public Service.

    It lies in another namespace than the e-service, where an owner reference cannot reach: labels name
    the owner, and our finalizer on the EService removes it.
    """
    metadata = facts.world.service.metadata
    return seal(
        {
            "apiVersion": ROUTE_API,
            "kind": "HTTPRoute",
            "metadata": {
                "name": route_name(facts.world),
                "namespace": facts.policy.routes_namespace,
                "labels": labels_of(facts) | {names.NAMESPACE_LABEL: metadata.namespace},
            },
            "spec": {
                "parentRefs": [facts.policy.gateway.parent_ref()],
                "hostnames": list(hosts),
                "rules": [
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                        "backendRefs": [
                            {
                                "group": "",
                                "kind": "Service",
                                "namespace": metadata.namespace,
                                "name": metadata.name,
                                "port": HTTP_PORT,
                            }
                        ],
                    }
                ],
            },
        }
    )


def build_reference_grant(facts: Facts) -> Manifest:
    """Lets routes of the Agency's namespace reach the public Service, and nothing else."""
    name = facts.world.service.metadata.name
    spec = {
        "from": [
            {
                "group": "gateway.networking.k8s.io",
                "kind": "HTTPRoute",
                "namespace": facts.policy.routes_namespace,
            }
        ],
        "to": [{"group": "", "kind": "Service", "name": name}],
    }
    return child(facts, GRANT_API, "ReferenceGrant", name, {"spec": spec})


@dataclass(frozen=True, slots=True)
class Serving:
    """What the gateway says of a route."""

    accepted: bool
    reason: Reason
    message: str


def serving(route: Observed, policy: Policy) -> Serving:
    """Whether our Gateway serves the route as it is now: ``Accepted`` and ``ResolvedRefs`` of this generation."""
    parent = next(
        (p for p in route.status.get("parents") or () if _is_ours(p.get("parentRef") or {}, policy)), None
    )
    gateway = f"Gateway {policy.gateway.namespace}/{policy.gateway.name}"
    if parent is None:
        return Serving(
            accepted=False, reason=Reason.AWAITING_GATEWAY, message=f"{gateway} has not answered yet"
        )
    conditions = {c.get("type"): c for c in parent.get("conditions") or ()}
    for kind in ("Accepted", "ResolvedRefs"):
        condition = conditions.get(kind)
        if condition is None or int(condition.get("observedGeneration", -1)) != route.generation:
            text = f"{gateway} has not answered for the present route yet"
            return Serving(accepted=False, reason=Reason.AWAITING_GATEWAY, message=text)
        if condition.get("status") != "True":
            text = f"{gateway}: {kind}={condition.get('status')}, {condition.get('reason')}: {condition.get('message')}"
            return Serving(accepted=False, reason=Reason.ROUTE_REFUSED, message=text)
    return Serving(accepted=True, reason=Reason.PUBLISHED, message=f"served by {gateway}")


def _is_ours(parent: Mapping[str, Any], policy: Policy) -> bool:
    gateway = policy.gateway
    return (
        parent.get("name") == gateway.name
        and parent.get("namespace", policy.routes_namespace) == gateway.namespace
        and parent.get("kind", "Gateway") == "Gateway"
        and (not gateway.section or parent.get("sectionName") == gateway.section)
    )


def route_url(route: Observed) -> str | None:
    """Where the public reaches what a route serves: its first host, and its path."""
    hosts = route.spec.get("hostnames") or []
    matches = [match for rule in route.spec.get("rules") or [] for match in rule.get("matches") or []]
    path = next((str(match["path"].get("value", "/")) for match in matches if "path" in match), "/")
    return f"https://{hosts[0]}{path}" if hosts else None
