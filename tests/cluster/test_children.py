# SPDX-License-Identifier: Apache-2.0
"""What the builders make comes back from the API server without a difference: nothing is written twice."""

import json
import secrets
from typing import Any

import pytest

from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import CHILDREN, resource_of
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Create, Manifest, Ref, Update, ref_of
from eservice_operator.core.difference import first_difference
from tests.support import worlds
from tests.support.objects import service_account
from tests.support.pure_cluster import PureCluster
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

PLAIN: Manifest = {}
RICH: Manifest = {
    "replicas": 3,
    "port": 9000,
    "command": ["/bin/app"],
    "args": ["--listen", ":9000"],
    "env": [
        {"name": "EMPTY", "value": ""},
        {"name": "PLAIN", "value": "a<b>&'\"\\ \u2028ā😀\n\t\x7f"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "CONFIG", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
    ],
    "envFrom": [{"prefix": "P_", "configMapRef": {"name": "c", "optional": False}}],
    "resources": {
        "requests": {"cpu": "0.5", "memory": "1024Mi", "ephemeral-storage": "1000M"},
        "limits": {"cpu": "1500m", "memory": "1.5Gi"},
    },
    "probes": {
        "readiness": {"httpGet": {"path": "/ready"}, "initialDelaySeconds": 0, "periodSeconds": 5},
        "liveness": {"httpGet": {"path": "/live", "port": 9001}, "failureThreshold": 5},
        "startup": {"timeoutSeconds": 2},
    },
    "volumes": [
        {"name": "config", "mountPath": "/config", "readOnly": True, "configMap": {"name": "c"}},
        {"name": "secret", "mountPath": "/secret", "secret": {"name": "s", "optional": True}},
        {"name": "claim", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "d"}},
        {"name": "scratch", "mountPath": "/scratch", "emptyDir": {"sizeLimit": "0.5Gi"}},
        {"name": "memory", "mountPath": "/memory", "emptyDir": {"medium": "Memory"}},
    ],
    "imagePullSecrets": ["pull"],
    "runAsUser": 10001,
    "scheduling": {
        "nodeSelector": {"disk": "ssd", "zone": ""},
        "tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}],
    },
    "initContainers": [
        {
            "name": "migrate",
            "image": worlds.image("b"),
            "args": ["up"],
            "resources": {"limits": {"cpu": "0.1"}},
            "volumeMounts": [{"name": "scratch", "mountPath": "/s", "readOnly": False}],
        }
    ],
    "containers": [{"name": "proxy", "image": worlds.image("c"), "env": [{"name": "A", "value": "1"}]}],
    "egress": [
        {"cidr": "192.0.2.0/24"},
        {"cidr": "2001:db8::/32", "ports": [{"port": 443}, {"port": 53, "protocol": "UDP"}]},
    ],
    "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
    "terminationGracePeriodSeconds": 60,
}


def children_of(workload: Manifest) -> list[Manifest]:
    """Every child of a public e-service that has a candidate too."""
    pure = PureCluster()
    spec = {"workload": workload}
    pure.put(worlds.template(), worlds.registration(), worlds.eservice(spec=spec), worlds.act())
    pure.settle(worlds.at("2026-10-12"))
    pure.put(worlds.verification())
    pure.settle(worlds.at("2026-10-13"))
    pure.edit_service(release={"image": worlds.image("d")})
    pure.put(worlds.act("act-2", spec={"image": worlds.image("d")}))
    pure.settle(worlds.at("2026-10-14"))
    kinds = {resource.kind for resource in CHILDREN}
    made = {ref_of(action.manifest): action.manifest for action in pure.log if isinstance(action, Create)}
    return [json.loads(json.dumps(manifest)) for ref, manifest in made.items() if ref.kind in kinds]


@pytest.fixture
async def owner(api: KubeApi, namespace: str) -> Manifest:
    """An object that the children can really belong to, or the garbage collector would take them."""
    return await api.create(service_account(namespace, f"owner-{secrets.token_hex(2)}"))


def belonging(manifest: Manifest, owner: Manifest) -> Manifest:
    metadata: dict[str, Any] = manifest["metadata"]
    metadata["namespace"] = owner["metadata"]["namespace"]
    for reference in metadata.get("ownerReferences") or ():
        reference |= {"apiVersion": "v1", "kind": "ServiceAccount"}
        reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    return manifest


@pytest.mark.parametrize("workload", [PLAIN, RICH], ids=["plain", "rich"])
async def test_nothing_is_written_twice(
    api: KubeApi, applier: Applier, store: Store, namespace: str, owner: Manifest, workload: Manifest
) -> None:
    manifests = [belonging(child, owner) for child in children_of(workload)]
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds >= {"Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "HTTPRoute"}
    assert ("HorizontalPodAutoscaler" in kinds) == ("autoscaling" in workload)
    for manifest in manifests:
        ref = ref_of(manifest)
        assert (await applier.run([Create(manifest, "missing")])).failure is None
        known = store.get(ref.kind, ref.namespace, ref.name)
        assert known is not None
        assert first_difference(manifest, known) is None, f"{ref} after the create"
        update = Update(manifest, known["metadata"]["uid"], "edited", take_over=True)
        await until_updated(api, applier, store, update)
        known = store.get(ref.kind, ref.namespace, ref.name)
        assert known is not None
        assert first_difference(manifest, known) is None, f"{ref} after the update"
        assert known["foreignManagers"] == []
        assert "ownUpdates" not in known
    await controllers_have_worked(api, namespace)
    for manifest in manifests:
        live = slim(await live_of(api, ref_of(manifest)))
        assert first_difference(manifest, live) is None, f"{ref_of(manifest)} after the controllers"
        assert live["foreignManagers"] == []


async def until_updated(api: KubeApi, applier: Applier, store: Store, update: Update) -> None:
    """Write it; a controller that wrote since the object was read is in the way of one try."""

    async def updated() -> bool:
        store.upsert(slim(await live_of(api, ref_of(update.manifest))))
        failure = (await applier.run([update])).failure
        assert failure is None or failure.transient, failure
        return failure is None

    await eventually(updated, "it is updated")


async def live_of(api: KubeApi, ref: Ref) -> Manifest:
    found = await api.get(ref)
    assert found is not None, ref
    return found


async def controllers_have_worked(api: KubeApi, namespace: str) -> None:
    """The Deployments' status is of their newest generation."""

    async def done() -> bool:
        found, _ = await api.list(resource_of("Deployment"), namespace)
        return all(
            one.get("status", {}).get("observedGeneration") == one["metadata"]["generation"] for one in found
        )

    await eventually(done, "the Deployments' status")
