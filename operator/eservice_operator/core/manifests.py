# SPDX-License-Identifier: Apache-2.0
"""Complete manifests of the small children: identity, network, Services, budget, snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eservice_operator.api import names
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import CANDIDATE_SUFFIX, Facts, deployment_name
from eservice_operator.core.releases import Snapshot, short_hash

HTTP_PORT = 80
PORT_NAME = "http"
DNS_PORT = 53


def labels_of(facts: Facts) -> dict[str, str]:
    """The labels of every child: whose it is."""
    metadata = facts.world.service.metadata
    return {
        names.MANAGED_BY_LABEL: names.MANAGER,
        names.NAME_LABEL: metadata.name,
        names.ESERVICE_LABEL: metadata.name,
        names.OWNER_UID_LABEL: metadata.uid,
    }


def pod_selector(facts: Facts) -> dict[str, str]:
    """The labels that select all Pods of the e-service."""
    return {names.ESERVICE_LABEL: facts.world.service.metadata.name}


def release_selector(facts: Facts, release: str) -> dict[str, str]:
    """The labels that select the Pods of one release."""
    return pod_selector(facts) | {names.RELEASE_LABEL: release}


def child(
    facts: Facts,
    api_version: str,
    kind: str,
    name: str,
    content: Mapping[str, Any],
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """A child in the e-service's namespace, owned by the EService and sealed with its manifest's hash."""
    metadata = facts.world.service.metadata
    return seal(
        {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": metadata.namespace,
                "labels": labels_of(facts) | dict(labels or {}),
                "annotations": dict(annotations or {}),
                "ownerReferences": [
                    {
                        "apiVersion": names.API_VERSION,
                        "kind": "EService",
                        "name": metadata.name,
                        "uid": metadata.uid,
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            **content,
        }
    )


def seal(manifest: Manifest) -> Manifest:
    """The manifest with its own hash as an annotation, so that a field we drop shows as a change."""
    sealed = short_hash({key: value for key, value in manifest.items() if key != "status"})
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations", {}) | {names.MANIFEST_ANNOTATION: sealed}
    return manifest | {"metadata": metadata | {"annotations": annotations}}


def build_service_account(facts: Facts) -> Manifest:
    """The identity of the Pods; it gets no token unless something asks for one."""
    name = facts.world.service.metadata.name
    return child(facts, "v1", "ServiceAccount", name, {"automountServiceAccountToken": False})


def build_snapshot(facts: Facts, snapshot: Snapshot, revision: int) -> Manifest:
    """The memory of a release; its data cannot be changed, so that new content is a new object."""
    name = f"{deployment_name(facts.world.service.metadata.name, snapshot.name)}-{snapshot.content}"
    return child(
        facts,
        "apps/v1",
        "ControllerRevision",
        name,
        {"revision": revision, "data": snapshot.data()},
        labels={names.RELEASE_LABEL: snapshot.name},
    )


def build_budget(facts: Facts) -> Manifest:
    """Lets a node be drained one Pod at a time."""
    name = facts.world.service.metadata.name
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": pod_selector(facts)}}
    return child(facts, "policy/v1", "PodDisruptionBudget", name, {"spec": spec})


def _service(facts: Facts, name: str, release: Snapshot, annotations: Mapping[str, str]) -> Manifest:
    spec = {
        "type": "ClusterIP",
        "selector": release_selector(facts, release.name),
        "ports": [
            {
                "name": PORT_NAME,
                "port": HTTP_PORT,
                "targetPort": release.workload.port,
                "protocol": "TCP",
            }
        ],
    }
    return child(facts, "v1", "Service", name, {"spec": spec}, annotations=annotations)


def build_public_service(facts: Facts, release: Snapshot, switched_at: str, previous: str) -> Manifest:
    """The Service behind the public route; its selector is the memory of what is public."""
    annotations = {names.SWITCHED_AT_ANNOTATION: switched_at, names.PREVIOUS_RELEASE_ANNOTATION: previous}
    return _service(facts, facts.world.service.metadata.name, release, annotations)


def build_candidate_service(facts: Facts, release: Snapshot) -> Manifest:
    """The Service through which the candidate is looked at before the public sees it."""
    return _service(facts, facts.world.service.metadata.name + CANDIDATE_SUFFIX, release, {})


def build_network_policy(facts: Facts, releases: tuple[Snapshot, ...]) -> Manifest:
    """Default deny: in from the gateway only, out to DNS and to what the workload names."""
    ports = sorted({release.workload.port for release in releases})
    gateway = {
        "namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: facts.policy.gateway.namespace}}
    }
    egress: list[dict[str, Any]] = [
        {"ports": [{"port": DNS_PORT, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    ]
    seen = []
    for release in releases:
        for network in release.workload.egress:
            rule: dict[str, Any] = {"to": [{"ipBlock": {"cidr": network.cidr}}]}
            if network.ports:
                rule["ports"] = [
                    {"port": port.port, "protocol": port.protocol.value} for port in network.ports
                ]
            if rule not in seen:
                seen.append(rule)
    spec = {
        "podSelector": {"matchLabels": pod_selector(facts)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [gateway], "ports": [{"port": port, "protocol": "TCP"} for port in ports]}],
        "egress": egress + seen,
    }
    name = facts.world.service.metadata.name
    return child(facts, "networking.k8s.io/v1", "NetworkPolicy", name, {"spec": spec})


def build_autoscaler(facts: Facts, release: Snapshot) -> Manifest | None:
    """Lets the public release's replicas follow the load, where the workload asks for it."""
    scaling = release.workload.autoscaling
    if scaling is None:
        return None
    name = facts.world.service.metadata.name
    spec = {
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": deployment_name(name, release.name),
        },
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": scaling.target_cpu_utilization},
                },
            }
        ],
    }
    return child(facts, "autoscaling/v2", "HorizontalPodAutoscaler", name, {"spec": spec})
