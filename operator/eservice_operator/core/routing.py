# SPDX-License-Identifier: Apache-2.0
"""The public route: an HTTPRoute in the Agency's namespace, and what the gateway says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Manifest
from eservice_operator.core.manifests import HTTP_PORT
from eservice_operator.core.owner import Owner, route_name, seal
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

ROUTE_API = "gateway.networking.k8s.io/v1"
GRANT_API = "gateway.networking.k8s.io/v1beta1"
"""The version that every release of the Gateway API still serves."""


def build_route(owner: Owner, release: Snapshot, policy: Policy) -> Manifest:
    """The public route to the e-service's public Service.

    It lies in another namespace than the e-service, where an owner reference cannot reach: labels name
    the owner, and our finalizer on the EService removes it.
    """
    backend = {
        "group": "",
        "kind": "Service",
        "namespace": owner.namespace,
        "name": owner.name,
        "port": HTTP_PORT,
    }
    match = {"path": {"type": "PathPrefix", "value": release.path}}
    return seal(
        {
            "apiVersion": ROUTE_API,
            "kind": "HTTPRoute",
            "metadata": {
                "name": route_name(owner.namespace, owner.name),
                "namespace": policy.routes_namespace,
                "labels": owner.labels | {names.NAMESPACE_LABEL: owner.namespace},
            },
            "spec": {
                "parentRefs": [policy.gateway.parent_ref()],
                "hostnames": list(release.hosts),
                "rules": [{"matches": [match], "backendRefs": [backend]}],
            },
        }
    )


def build_reference_grant(owner: Owner, routes_namespace: str) -> Manifest:
    """Lets routes of the Agency's namespace reach the public Service, and nothing else."""
    source = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": routes_namespace}
    spec = {"from": [source], "to": [{"group": "", "kind": "Service", "name": owner.name}]}
    return owner.child(GRANT_API, "ReferenceGrant", owner.name, {"spec": spec})


@dataclass(frozen=True, slots=True)
class Serving:
    """What the gateway says of a route."""

    served: bool
    reason: Reason
    message: str


def serving(route: Observed, policy: Policy) -> Serving:
    """Whether our Gateway serves the route: ``Accepted`` and ``ResolvedRefs``, of this generation.

    While it has answered for an earlier generation only, what it said then holds: it goes on serving that.
    """
    parent = next(
        (p for p in route.status.get("parents") or () if _is_ours(p.get("parentRef") or {}, policy)), None
    )
    gateway = f"Gateway {policy.gateway.namespace}/{policy.gateway.name}"
    if parent is None:
        return Serving(
            served=False, reason=Reason.AWAITING_GATEWAY, message=f"{gateway} has not answered yet"
        )
    answers = {answer.get("type"): answer for answer in parent.get("conditions") or ()}
    needed = [answers.get(kind) or {"type": kind} for kind in ("Accepted", "ResolvedRefs")]
    yes = all(answer.get("status") == "True" for answer in needed)
    if any(answer.get("observedGeneration", -1) != route.generation for answer in needed):
        return Serving(
            served=yes,
            reason=Reason.AWAITING_GATEWAY,
            message=f"{gateway} has not answered for the present route yet",
        )
    if yes:
        return Serving(served=True, reason=Reason.PUBLISHED, message=f"served by {gateway}")
    said = next(answer for answer in needed if answer.get("status") != "True")
    text = f"{gateway}: {said['type']}={said.get('status')}, {said.get('reason')}: {said.get('message')}"
    return Serving(served=False, reason=Reason.ROUTE_REFUSED, message=text)


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
    return f"https://{hosts[0]}{route_path(route)}" if hosts else None


def route_path(route: Observed) -> str:
    """The path prefix that a route serves."""
    matches = [match for rule in route.spec.get("rules") or [] for match in rule.get("matches") or []]
    return next((str(match["path"].get("value", "/")) for match in matches if "path" in match), "/")
