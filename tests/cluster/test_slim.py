# SPDX-License-Identifier: Apache-2.0
"""What the store keeps of an object: what is read, no more."""

import copy
from typing import Any

import pytest

from eservice_operator.api.names import MANAGED_BY_LABEL, MANAGER
from eservice_operator.cluster.slim import slim

METADATA = {
    "name": "web",
    "namespace": "pmlp",
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "generateName": "web-",
    "labels": {"a": "b"},
    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{…}", "x": "y"},
    "finalizers": [],
    "managedFields": [
        {"manager": MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
    ],
}
KEPT = {
    "name": "web",
    "namespace": "pmlp",
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"a": "b"},
    "annotations": {"x": "y"},
}
LISTENER = {"name": "http", "allowedRoutes": {"namespaces": {"from": "All"}}}


def observed(kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": copy.deepcopy(METADATA), **rest}


@pytest.mark.parametrize(
    "obj,rest",
    [
        (
            observed("Deployment", spec={"x": 1}, status={"replicas": 1, "collisionCount": 3}),
            {
                "spec": {"x": 1},
                "status": {"replicas": 1},
                "foreignManagers": ["kubectl-edit"],
                "ownUpdates": True,
            },
        ),
        (
            observed("ControllerRevision", data={"x": 1}, revision=4),
            {"data": {"x": 1}, "revision": 4, "foreignManagers": ["kubectl-edit"], "ownUpdates": True},
        ),
        (
            observed("HTTPRoute", spec={}, status={"parents": [{"a": 1}]}),
            {
                "spec": {},
                "status": {"parents": [{"a": 1}]},
                "foreignManagers": ["kubectl-edit"],
                "ownUpdates": True,
            },
        ),
        (
            observed("Namespace", spec={"finalizers": []}, status={"phase": "Active"}),
            {"status": {"phase": "Active"}},
        ),
        (
            observed("EService", spec={"a": 1}, status={"phase": "Pending", "anything": 1}),
            {"spec": {"a": 1}, "status": {"phase": "Pending", "anything": 1}},
        ),
        (
            observed(
                "EndpointSlice",
                addressType="IPv4",
                endpoints=[
                    {
                        "addresses": ["10.0.0.1"],
                        "nodeName": "n",
                        "targetRef": {"name": "p"},
                        "conditions": {"ready": True},
                    }
                ],
            ),
            {"endpoints": [{"targetRef": {"name": "p"}, "conditions": {"ready": True}}]},
        ),
        (observed("EndpointSlice", endpoints=None), {"endpoints": []}),
        (
            observed(
                "GatewayClass",
                spec={"controllerName": "example.com/gateway", "description": "…"},
                status={"a": 1},
            ),
            {"spec": {"controllerName": "example.com/gateway"}},
        ),
        (
            observed(
                "Gateway",
                spec={"gatewayClassName": "g", "addresses": [], "listeners": [LISTENER | {"port": 80}]},
                status={
                    "addresses": [],
                    "conditions": [{"type": "Programmed"}],
                    "listeners": [{"name": "http", "attachedRoutes": 7, "conditions": []}],
                },
            ),
            {
                "spec": {"gatewayClassName": "g", "listeners": [LISTENER]},
                "status": {
                    "conditions": [{"type": "Programmed"}],
                    "listeners": [{"name": "http", "conditions": []}],
                },
            },
        ),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_what_is_kept(obj: dict[str, Any], rest: dict[str, Any]) -> None:
    before = copy.deepcopy(obj)
    assert slim(obj) == {"apiVersion": "v1", "kind": obj["kind"], "metadata": KEPT, **rest}
    assert obj == before, "what was given is not changed"


def test_without_managed_fields_nobody_is_foreign() -> None:
    obj = observed("Deployment")
    del obj["metadata"]["managedFields"]
    assert slim(obj)["foreignManagers"] == []
    assert "ownUpdates" not in slim(obj)


@pytest.mark.parametrize("owned,said", [("f:selector", True), ("f:sessionAffinity", False)])
def test_of_a_service_it_is_kept_whether_somebody_else_wrote_its_selector(owned: str, said: bool) -> None:
    obj = observed("Service", spec={"selector": {"x": "y"}})
    obj["metadata"]["labels"] = {MANAGED_BY_LABEL: MANAGER}
    for manager in (MANAGER, "kubectl-edit"):
        fields: dict[str, Any] = {"f:spec": {owned: {}}}
        entry = {"manager": manager, "operation": "Apply", "fieldsV1": fields}
        obj["metadata"]["managedFields"] = [entry]
        assert slim(obj).get("foreignSelector", False) is (said and manager != MANAGER)


def test_of_a_route_it_is_kept_when_we_wrote_it() -> None:
    obj = observed("HTTPRoute", spec={})
    assert "writtenAt" not in slim(obj), "by somebody's entries without a time"
    obj["metadata"]["managedFields"] = [
        {"manager": MANAGER, "operation": "Apply", "time": "2026-11-22T10:00:05Z"},
        {"manager": MANAGER, "operation": "Update", "time": "2026-11-22T10:00:00Z"},
        {
            "manager": "gateway",
            "operation": "Update",
            "subresource": "status",
            "time": "2026-11-22T11:00:00Z",
        },
    ]
    assert slim(obj)["writtenAt"] == "2026-11-22T10:00:05Z"


def test_of_a_foreign_ingress_only_its_claims_are_kept() -> None:
    rules = [{"host": "a.example.lv", "http": {"paths": [{"path": "/"}]}}, {"http": {}}]
    obj = observed(
        "Ingress",
        spec={
            "ingressClassName": "c",
            "rules": rules,
            "tls": [{}],
            "defaultBackend": {"service": {"name": "s"}},
        },
        status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    )
    obj["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "old"
    assert slim(obj) == {
        "apiVersion": "v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web",
            "namespace": "pmlp",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {"kubernetes.io/ingress.class": "old"},
        },
        "spec": {"rules": [{"host": "a.example.lv"}, {}], "ingressClassName": "c", "defaultBackend": {}},
    }
    obj["metadata"]["labels"] = {"app.kubernetes.io/managed-by": MANAGER}
    assert slim(obj)["spec"] == obj["spec"], "our own is a child"
    assert slim(obj)["status"] == obj["status"], "and whether it has an address is said"


def test_of_a_foreign_service_only_its_pods_and_ports_are_kept() -> None:
    port = {"name": "api", "port": 8443, "targetPort": "https", "protocol": "TCP"}
    obj = observed(
        "Service",
        spec={
            "selector": {"app": "register"},
            "ports": [port | {"nodePort": 30001}],
            "clusterIP": "10.0.0.7",
        },
        status={"loadBalancer": {}},
    )
    assert slim(obj) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "pmlp", "uid": "u", "resourceVersion": "7"},
        "spec": {"selector": {"app": "register"}, "ports": [port]},
    }
    obj["metadata"]["labels"] = {"app.kubernetes.io/managed-by": MANAGER}
    assert slim(obj)["spec"] == obj["spec"], "our own is a child"


def test_of_a_foreign_role_only_what_lets_somebody_invoke_is_kept() -> None:
    invoking = {"apiGroups": ["eservice.dev"], "resources": ["webservices"], "verbs": ["invoke"]}
    reading = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    obj = observed("Role", rules=[reading, invoking])
    assert slim(obj)["rules"] == [invoking]
    assert "labels" not in slim(obj)["metadata"]
    obj["metadata"]["labels"] = {"app.kubernetes.io/managed-by": MANAGER}
    assert slim(obj)["rules"] == [reading, invoking], "our own is a child"


def test_of_a_role_binding_it_is_kept_whom_it_binds_to_what() -> None:
    binding: dict[str, Any] = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"name": "s"}]}
    obj = observed("RoleBinding", **binding)
    kept = slim(obj)
    assert kept["roleRef"] == binding["roleRef"]
    assert "subjects" not in kept, "of a foreign one only to what"
    assert "labels" not in kept["metadata"]
    obj["metadata"]["labels"] = {"app.kubernetes.io/managed-by": MANAGER}
    kept = slim(obj)
    assert (kept["roleRef"], kept["subjects"]) == (binding["roleRef"], binding["subjects"])
