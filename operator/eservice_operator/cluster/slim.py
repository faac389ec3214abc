# SPDX-License-Identifier: Apache-2.0
"""What is kept of an object in memory: what some decision reads, and a summary of who wrote it.

Instead of ``managedFields`` a child has ``foreignManagers`` (writers of what only we should write) and, while
the POST that made it still co-owns its fields, ``ownUpdates: true``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eservice_operator.cluster.managed_fields import (
    foreign_managers,
    foreign_selector,
    own_updates,
    written_at,
)
from eservice_operator.cluster.ownership import is_managed
from eservice_operator.cluster.resources import CHILDREN, OWN
from eservice_operator.cluster.roles import invoke_rules
from eservice_operator.core.actions import Manifest

METADATA: Final = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "deletionTimestamp",
    "creationTimestamp",
)
IDENTITY: Final = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp")
PORT: Final = ("name", "port", "targetPort", "protocol")
INGRESS_CLASS: Final = "kubernetes.io/ingress.class"
"""The annotation that named the class of an Ingress before its spec did."""
CONTENT: Final = (
    "spec",
    "data",
    "revision",
    "automountServiceAccountToken",
    "imagePullSecrets",
    "rules",
    "roleRef",
    "subjects",
)
"""The top-level fields of children that the operator sets."""
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""A second copy of the object, written by kubectl."""
STATUS: Final[dict[str, tuple[str, ...]]] = {
    "Deployment": (
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "conditions",
    ),
    "HorizontalPodAutoscaler": ("currentReplicas", "desiredReplicas"),
    "HTTPRoute": ("parents",),
    "Ingress": ("loadBalancer",),
    "Namespace": ("phase",),
}


def slim(obj: Manifest) -> Manifest:
    """The object as the store keeps it; shares parts with ``obj``, which is not changed."""
    return _FORMS.get(obj["kind"], _observed)(obj)


def _own(obj: Manifest) -> Manifest:
    kept = _named(obj)
    for field in ("spec", "status"):
        if field in obj:
            kept[field] = obj[field]
    return kept


def _child(obj: Manifest) -> Manifest:
    kept = _observed(obj)
    for field in CONTENT:
        if field in obj:
            kept[field] = obj[field]
    entries = obj["metadata"].get("managedFields") or []
    kept["foreignManagers"] = foreign_managers(entries)
    if own_updates(entries):
        kept["ownUpdates"] = True
    if obj["kind"] == "Service" and foreign_selector(entries):
        kept["foreignSelector"] = True
    return kept


def _route(obj: Manifest) -> Manifest:
    """Also when we wrote it: a gateway has a while to answer."""
    written = written_at(obj["metadata"].get("managedFields") or [])
    return _child(obj) | ({"writtenAt": written} if written else {})


def _observed(obj: Manifest) -> Manifest:
    kept = _named(obj)
    status = obj.get("status") or {}
    selected = {field: status[field] for field in STATUS.get(obj["kind"], ()) if field in status}
    if selected:
        kept["status"] = selected
    return kept


def _endpoint_slice(obj: Manifest) -> Manifest:
    kept = _named(obj)
    kept["endpoints"] = [
        {field: endpoint[field] for field in ("targetRef", "conditions") if field in endpoint}
        for endpoint in obj.get("endpoints") or ()
    ]
    return kept


def _service(obj: Manifest) -> Manifest:
    """Of a foreign one only which Pods are behind which port; ours is known by label or owner."""
    if is_managed(obj):
        return _child(obj)
    spec = obj.get("spec") or {}
    leads = _fields(spec, "selector") | {"ports": [_fields(port, *PORT) for port in spec.get("ports") or ()]}
    return _identity(obj) | {"spec": leads}


def _role(obj: Manifest) -> Manifest:
    """Of a foreign one only by what it lets somebody invoke web services."""
    return _child(obj) if is_managed(obj) else _identity(obj) | {"rules": invoke_rules(obj)}


def _role_binding(obj: Manifest) -> Manifest:
    """Of a foreign one only to what it binds somebody."""
    return _child(obj) if is_managed(obj) else _identity(obj) | _fields(obj, "roleRef")


def _ingress(obj: Manifest) -> Manifest:
    """Of a foreign one only what hosts it claims, and by which class; ours is known by label or owner."""
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    if is_managed(obj):
        return _child(obj)
    kept = _identity(obj)
    named = (metadata.get("annotations") or {}).get(INGRESS_CLASS)
    if named:
        kept["metadata"]["annotations"] = {INGRESS_CLASS: named}
    claims: dict[str, Any] = {"rules": [_fields(rule, "host") for rule in spec.get("rules") or ()]}
    claims |= _fields(spec, "ingressClassName")
    if spec.get("defaultBackend"):
        claims["defaultBackend"] = {}
    return kept | {"spec": claims}


def _gateway(obj: Manifest) -> Manifest:
    """From where it takes routes; not how many are attached, which changes with every publication."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    listeners = [_fields(listener, "name", "conditions") for listener in status.get("listeners") or ()]
    return _named(obj) | {
        "spec": _fields(spec, "gatewayClassName")
        | {"listeners": [_fields(one, "name", "allowedRoutes") for one in spec.get("listeners") or ()]},
        "status": _fields(status, "conditions") | {"listeners": listeners},
    }


def _class(obj: Manifest) -> Manifest:
    return _named(obj) | {"spec": _fields(obj.get("spec") or {}, "controller", "controllerName")}


def _fields(of: Manifest, *wanted: str) -> Manifest:
    return {field: of[field] for field in wanted if field in of}


def _identity(obj: Manifest) -> Manifest:
    """What tells a foreign object from others: no labels, so that it is nobody's child."""
    metadata = {field: obj["metadata"][field] for field in IDENTITY if obj["metadata"].get(field)}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}


def _named(obj: Manifest) -> Manifest:
    metadata = obj["metadata"]
    kept: dict[str, Any] = {field: metadata[field] for field in METADATA if metadata.get(field)}
    if LAST_APPLIED in kept.get("annotations", ()):
        annotations = {key: value for key, value in kept["annotations"].items() if key != LAST_APPLIED}
        kept["annotations"] = annotations
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": kept}


_FORMS: dict[str, Callable[[Manifest], Manifest]] = {
    **{resource.kind: _own for resource in OWN},
    **{resource.kind: _child for resource in CHILDREN},
    "HTTPRoute": _route,
    "EndpointSlice": _endpoint_slice,
    "Ingress": _ingress,
    "Service": _service,
    "Role": _role,
    "RoleBinding": _role_binding,
    "IngressClass": _class,
    "Gateway": _gateway,
    "GatewayClass": _class,
}
