# SPDX-License-Identifier: Apache-2.0
"""Every child of an e-service that uses everything, as it is sent: compared with files that people read.

Refresh them with ``pytest tests/core/test_golden.py --update-golden`` and review the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from eservice_operator.core.actions import Create, Manifest
from eservice_operator.core.manifests import CANDIDATE_SUFFIX
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, plain
from tests.support.worlds import HOST, NAME, NOW, at, image

GOLDEN = Path(__file__).parent / "golden"

RICH: Manifest = {
    "replicas": 3,
    "port": 8443,
    "command": ["/app/serve"],
    "args": ["--verbose"],
    "env": [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "register", "key": "password"}}},
        {
            "name": "MOTD",
            "valueFrom": {"configMapKeyRef": {"name": "texts", "key": "motd", "optional": True}},
        },
    ],
    "envFrom": [
        {"prefix": "DB_", "secretRef": {"name": "database"}},
        {"configMapRef": {"name": "defaults", "optional": True}},
    ],
    "resources": {
        "requests": {"cpu": "0.5", "memory": "256Mi", "ephemeral-storage": "1Gi"},
        "limits": {"cpu": 2, "memory": "512Mi"},
    },
    "probes": {
        "readiness": {"httpGet": {"path": "/ready"}, "periodSeconds": 5},
        "liveness": {"httpGet": {"path": "/live", "port": 9000}, "failureThreshold": 6},
        "startup": {"initialDelaySeconds": 0, "periodSeconds": 2, "failureThreshold": 60},
    },
    "volumes": [
        {"name": "config", "mountPath": "/etc/app", "readOnly": True, "configMap": {"name": "config"}},
        {
            "name": "keys",
            "mountPath": "/etc/keys",
            "readOnly": True,
            "secret": {"name": "keys", "optional": True},
        },
        {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "cache", "mountPath": "/cache", "emptyDir": {"sizeLimit": "64Mi", "medium": "Memory"}},
    ],
    "imagePullSecrets": ["registry"],
    "runAsUser": 10001,
    "scheduling": {
        "nodeSelector": {"zone": "public"},
        "tolerations": [
            {"key": "public", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "kind", "value": "web"},
        ],
        "priorityClassName": "e-services",
    },
    "initContainers": [
        {
            "name": "migrate",
            "image": image("c"),
            "command": ["/app/migrate"],
            "env": [{"name": "DRY", "value": ""}],
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": True}],
        }
    ],
    "containers": [
        {
            "name": "proxy",
            "image": image("d"),
            "args": ["--quiet"],
            "resources": {"limits": {"memory": "64Mi"}},
        }
    ],
    "egress": [
        {"cidr": "192.0.2.0/24", "ports": [{"port": 5432}, {"port": 514, "protocol": "UDP"}]},
        {"cidr": "2001:db8::/32"},
    ],
    "autoscaling": {"minReplicas": 3, "maxReplicas": 10, "targetCpuUtilization": 60},
    "terminationGracePeriodSeconds": 45,
}


@pytest.fixture(scope="module")
def children() -> dict[str, Manifest]:
    """What was created for a rich e-service on its way to the public, and for a candidate beside it."""
    cluster = PureCluster()
    hosts = {"hosts": [HOST, "declare.latvija.example"], "path": "/declare"}
    allowed = [{"environment": "Production", "host": "*.latvija.example"}]
    cluster.put(
        worlds.template(),
        worlds.registration(spec={"hosts": allowed}),
        worlds.act(),
        worlds.eservice(spec={"workload": RICH, "publication": hosts}),
    )
    cluster.settle(NOW)
    cluster.put(worlds.verification())
    cluster.settle(NOW)
    made = {
        _file_of(action.manifest): action.manifest for action in cluster.log if isinstance(action, Create)
    }
    cluster.forget()
    cluster.edit_service(release={"image": image("b")}, workload={"autoscaling": None})
    cluster.put(worlds.act("act-b", spec={"image": image("b")}))
    cluster.settle(at("2026-10-20"))
    beside = {
        _file_of(action.manifest): action.manifest for action in cluster.log if isinstance(action, Create)
    }
    return made | {f"candidate-{name}": body for name, body in beside.items()}


def _file_of(manifest: Manifest) -> str:
    suffix = CANDIDATE_SUFFIX if manifest["metadata"]["name"] == NAME + CANDIDATE_SUFFIX else ""
    return f"{manifest['kind'].lower()}{suffix}"


EXPECTED = (
    "candidate-controllerrevision",
    "candidate-deployment",
    "candidate-service-candidate",
    "controllerrevision",
    "deployment",
    "horizontalpodautoscaler",
    "httproute",
    "networkpolicy",
    "poddisruptionbudget",
    "referencegrant",
    "service",
    "service-candidate",
    "serviceaccount",
)


def test_these_are_all_children(children: dict[str, Manifest]) -> None:
    assert tuple(sorted(children)) == EXPECTED
    assert tuple(sorted(path.stem for path in GOLDEN.glob("*.yaml"))) == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_a_child_is_what_its_file_says(
    name: str, children: dict[str, Manifest], request: pytest.FixtureRequest
) -> None:
    path = GOLDEN / f"{name}.yaml"
    text = yaml.safe_dump(plain(children[name]), sort_keys=True, allow_unicode=True, width=100)
    if request.config.getoption("--update-golden"):
        path.write_text(text)
    assert path.read_text() == text


def test_no_child_needs_to_know_a_secret(children: dict[str, Manifest]) -> None:
    """Secrets and ConfigMaps are named, never read or copied."""
    kinds = {body["kind"] for body in children.values()}
    assert not kinds & {"Secret", "ConfigMap"}


# Pod Security, profile restricted


def pod_specs(children: dict[str, Manifest]) -> list[Manifest]:
    return [body["spec"]["template"]["spec"] for body in children.values() if body["kind"] == "Deployment"]


ALLOWED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def test_pods_fit_pod_security_restricted(children: dict[str, Manifest]) -> None:
    specs = pod_specs(children)
    assert len(specs) == 2
    for spec in specs:
        assert violations(spec) == []


def violations(spec: Manifest) -> list[str]:
    """What Pod Security `restricted` (1.36) would say of a Pod."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    security = spec.get("securityContext", {})
    for volume in spec.get("volumes", ()):
        found += [f"volume {volume['name']}" for kind in volume if kind not in ALLOWED_VOLUMES | {"name"}]
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        own = container.get("securityContext", {})
        checks = {
            "privileged": not own.get("privileged", False),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "runAsNonRoot": own.get("runAsNonRoot", security.get("runAsNonRoot")) is True,
            "runAsUser": own.get("runAsUser", security.get("runAsUser")) != 0,
            "seccompProfile": _seccomp(own) or _seccomp(security),
            "hostPort": all("hostPort" not in port for port in container.get("ports", ())),
            "procMount": own.get("procMount", "Default") == "Default",
        }
        found += [f"{container['name']}: {what}" for what, held in checks.items() if not held]
    return found


def _seccomp(context: Manifest) -> bool:
    return bool(context.get("seccompProfile", {}).get("type") in {"RuntimeDefault", "Localhost"})


def test_pods_are_hardened_beyond_it(children: dict[str, Manifest]) -> None:
    for spec in pod_specs(children):
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for container in (*spec["containers"], *spec["initContainers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
        for container in spec["containers"]:
            drain = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert 0 < drain <= spec["terminationGracePeriodSeconds"]


def test_nothing_is_written_that_the_apiserver_would_not_keep(children: dict[str, Manifest]) -> None:
    """A number 0 with `omitempty` would look like a difference for ever; 0 is kept where it is a pointer."""
    kept = {"spec.replicas", "spec.strategy.rollingUpdate.maxUnavailable"}
    for body in children.values():
        if body["kind"] != "ControllerRevision":
            assert set(_zeros(body)) <= kept


def _zeros(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [zero for key, inner in value.items() for zero in _zeros(inner, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        return [zero for inner in value for zero in _zeros(inner, path)]
    return [path] if value == 0 and value is not False else []


@pytest.mark.parametrize(
    "change,violation",
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"securityContext": {}}, "app: runAsNonRoot"),
        ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "volume host"),
    ],
)
def test_the_check_sees_a_violation(
    children: dict[str, Manifest], change: dict[str, Any], violation: str
) -> None:
    assert violation in violations(pod_specs(children)[0] | change)


# the gateway's side


def test_nothing_is_produced_that_gateways_disagree_on(children: dict[str, Manifest]) -> None:
    """No weight 0 and no rule without backends: Traefik and Contour read these differently."""
    route = children["httproute"]["spec"]
    for rule in route["rules"]:
        assert rule["backendRefs"]
        assert all(backend.get("weight", 1) > 0 for backend in rule["backendRefs"])


def test_names_fit_into_the_longest_e_service_name() -> None:
    longest = "a" + "b" * 39
    cluster = PureCluster()
    names = {"name": longest}
    cluster.put(
        worlds.template(),
        worlds.registration(),
        worlds.act(spec={"eService": names}),
        worlds.verification(spec={"eService": longest}),
        worlds.eservice(metadata=names),
    )
    cluster.settle(NOW)
    assert cluster.routed()
    for action in cluster.log:
        if isinstance(action, Create):
            assert len(action.manifest["metadata"]["name"]) <= (
                253 if action.manifest["kind"] == "HTTPRoute" else 63
            )
            assert all(len(value) <= 63 for value in action.manifest["metadata"]["labels"].values())
