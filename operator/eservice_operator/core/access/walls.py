# SPDX-License-Identifier: Apache-2.0
"""What a grant opens in the holder's namespace: the way (NetworkPolicy) and the right (Role and RoleBinding).

All three belong to the grant alone, so that ending it is removing them, and no other grant is touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.api.base import EServiceRef
from eservice_operator.api.grant import ALL_VERSIONS, WebServiceGrant
from eservice_operator.core.access.case import Pods
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.actions import Manifest
from eservice_operator.core.owner import Owner
from eservice_operator.core.world import Observed

RBAC: Final = "rbac.authorization.k8s.io"
POLICY_KIND, ROLE_KIND, BINDING_KIND = "NetworkPolicy", "Role", "RoleBinding"
KINDS: Final = (BINDING_KIND, POLICY_KIND, ROLE_KIND)
"""The children of a grant, in the order in which they are closed."""


def owner_of(grant: WebServiceGrant) -> Owner:
    """The owner of everything that a grant opens."""
    return Owner.of(grant.metadata, WebServiceGrant.__name__)


def pods_of(consumer: EServiceRef) -> Manifest:
    """The Pods of one e-service, as a NetworkPolicy names them: namespace AND Pod, in one entry."""
    return {
        "namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: consumer.namespace}},
        "podSelector": {"matchLabels": {names.ESERVICE_LABEL: consumer.name}},
    }


def ports_of(pods: Pods) -> list[Manifest]:
    """The ports that Pods listen on, as a NetworkPolicy names them."""
    return [{"port": port, "protocol": "TCP"} for port in pods.ports]


def build_policy(grant: WebServiceGrant, pods: Pods) -> Manifest:
    """Lets the consumer's Pods, and no others, through to the Pods of the web service."""
    spec = {
        "podSelector": {"matchLabels": dict(pods.selector)},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [pods_of(grant.spec.consumer)], "ports": ports_of(pods)}],
    }
    return _child(grant, "networking.k8s.io/v1", POLICY_KIND, {"spec": spec})


def build_role(grant: WebServiceGrant, versions: Iterable[str]) -> Manifest:
    """The right to call exactly these contract versions; with none of them the right to nothing."""
    resources = [_resource(version) for version in versions]
    rule = {
        "apiGroups": [names.GROUP],
        "resources": resources,
        "resourceNames": [grant.spec.web_service],
        "verbs": [names.INVOKE],
    }
    return _child(grant, f"{RBAC}/v1", ROLE_KIND, {"rules": [rule] if resources else []})


def build_role_binding(grant: WebServiceGrant) -> Manifest:
    """Gives the Role to the ServiceAccount of the consumer, and to nobody else."""
    consumer = grant.spec.consumer
    subject = {"kind": "ServiceAccount", "name": consumer.name, "namespace": consumer.namespace}
    role = {"apiGroup": RBAC, "kind": ROLE_KIND, "name": grant_child(grant.metadata.name)}
    return _child(grant, f"{RBAC}/v1", BINDING_KIND, {"roleRef": role, "subjects": [subject]})


def versions_in(role: Observed, versions: Iterable[str]) -> tuple[str, ...]:
    """Those of the contract versions that a Role of ours gives the right to."""
    resources = {one for rule in role.body.get("rules") or () for one in rule.get("resources") or ()}
    return tuple(version for version in versions if _resource(version) in resources)


def _resource(version: str) -> str:
    """REST is called as a whole; a contract version of SOAP is a subresource."""
    return names.WEB_SERVICES if version == ALL_VERSIONS else f"{names.WEB_SERVICES}/{version}"


def _child(grant: WebServiceGrant, api_version: str, kind: str, content: dict[str, Any]) -> Manifest:
    return owner_of(grant).child(api_version, kind, grant_child(grant.metadata.name), content)
