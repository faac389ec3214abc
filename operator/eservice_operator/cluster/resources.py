# SPDX-License-Identifier: Apache-2.0
"""Every resource that the operator touches, and where it is in the API."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from eservice_operator.api.kinds import KINDS
from eservice_operator.api.names import API_VERSION
from eservice_operator.core.actions import Ref


class Resource(NamedTuple):
    """A kind as the API serves it; ``plural`` is its name in paths."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def root(self) -> str:
        """``/api/v1`` or ``/apis/<group>/<version>``."""
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"


OWN = tuple(Resource(API_VERSION, kind.kind, kind.plural, kind.namespaced) for kind in KINDS)
"""The kinds of the contract."""

CHILDREN = (
    Resource("v1", "ServiceAccount", "serviceaccounts", namespaced=True),
    Resource("v1", "Service", "services", namespaced=True),
    Resource("v1", "ConfigMap", "configmaps", namespaced=True),
    Resource("apps/v1", "Deployment", "deployments", namespaced=True),
    Resource("apps/v1", "ControllerRevision", "controllerrevisions", namespaced=True),
    Resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", namespaced=True),
    Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", namespaced=True),
    Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", namespaced=True),
    Resource("networking.k8s.io/v1", "Ingress", "ingresses", namespaced=True),
    Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", namespaced=True),
    Resource("rbac.authorization.k8s.io/v1", "Role", "roles", namespaced=True),
    Resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", namespaced=True),
    # v1beta1: the version that every release of the Gateway API still serves
    Resource("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "referencegrants", namespaced=True),
)
"""What the operator creates for an e-service, a web service or a grant."""

OBSERVED = (
    Resource("v1", "Namespace", "namespaces", namespaced=False),
    Resource("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", namespaced=True),
    Resource("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False),
    Resource("gateway.networking.k8s.io/v1", "Gateway", "gateways", namespaced=True),
    Resource("gateway.networking.k8s.io/v1", "GatewayClass", "gatewayclasses", namespaced=False),
)
"""What it reads besides (namespaces it also creates and labels)."""

EVENTS = Resource("events.k8s.io/v1", "Event", "events", namespaced=True)

LEASES = Resource("coordination.k8s.io/v1", "Lease", "leases", namespaced=True)

SECRETS = Resource("v1", "Secret", "secrets", namespaced=True)
"""Read one by one by their names, never listed, never kept in the store."""

TOKEN_REVIEWS = Resource("authentication.k8s.io/v1", "TokenReview", "tokenreviews", namespaced=False)
"""Who a token belongs to; only asked, there are no such objects."""
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
)
"""Whether somebody may do something; likewise."""

RESOURCES: dict[str, Resource] = {
    resource.kind: resource for resource in (*OWN, *CHILDREN, *OBSERVED, EVENTS, LEASES, SECRETS)
}
"""By kind, which is unique among them."""


def resource_of(kind: str) -> Resource:
    """The resource of a kind; a KeyError is a mistake in the program, never in anybody's input."""
    return RESOURCES[kind]


def path(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection (no ``name``) or of one object, with names quoted.

    Raises:
        ValueError: a name that would lead to another place in the API.
    """
    parts = [resource.root]
    if namespace and resource.namespaced:
        parts += ["namespaces", _segment(namespace)]
    parts.append(resource.plural)
    if name:
        parts.append(_segment(name))
    if subresource:
        parts.append(subresource)
    return "/".join(parts)


def path_of(ref: Ref, subresource: str = "") -> str:
    """The path of one object.

    Raises:
        ValueError: no name, no namespace where one is needed, or a name that leads elsewhere.
    """
    resource = resource_of(ref.kind)
    if not ref.name or (resource.namespaced and not ref.namespace):
        raise ValueError(f"{ref} does not name one object")
    return path(resource, ref.namespace, ref.name, subresource)


def _segment(name: str) -> str:
    if name in {".", ".."}:
        raise ValueError(f"{name!r} is not the name of an object")
    return quote(name, safe="")
