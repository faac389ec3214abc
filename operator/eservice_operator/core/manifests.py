# SPDX-License-Identifier: Apache-2.0
"""Complete manifests of the small children: identity, network, Services, budget, snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eservice_operator.api import names
from eservice_operator.core.actions import Manifest
from eservice_operator.core.owner import Owner, deployment_name
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

CANDIDATE_SUFFIX = "-candidate"
HTTP_PORT = 80
PORT_NAME = "http"
DNS_PORT = 53


def build_service_account(owner: Owner) -> Manifest:
    """The identity of the Pods; it gets no token unless something asks for one."""
    return owner.child("v1", "ServiceAccount", owner.name, {"automountServiceAccountToken": False})


def build_snapshot(owner: Owner, snapshot: Snapshot, revision: int) -> Manifest:
    """The memory of a release; its data cannot be changed, so that new content is a new object."""
    name = f"{deployment_name(owner.name, snapshot.name)}-{snapshot.content}"
    content = {"revision": revision, "data": snapshot.data()}
    labels = {names.RELEASE_LABEL: snapshot.name}
    return owner.child("apps/v1", "ControllerRevision", name, content, labels=labels)


def build_budget(owner: Owner) -> Manifest:
    """Lets a node be drained one Pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": owner.pod_selector}}
    return owner.child("policy/v1", "PodDisruptionBudget", owner.name, {"spec": spec})


def _service(owner: Owner, name: str, release: Snapshot, annotations: Mapping[str, str]) -> Manifest:
    port = {
        "name": PORT_NAME,
        "port": HTTP_PORT,
        "targetPort": release.workload.port,
        "protocol": "TCP",
    }
    spec = {"type": "ClusterIP", "selector": owner.release_selector(release.name), "ports": [port]}
    return owner.child("v1", "Service", name, {"spec": spec}, annotations=annotations)


def build_public_service(owner: Owner, release: Snapshot, switched_at: str, previous: str) -> Manifest:
    """The Service behind the public route; its selector is the memory of what is public."""
    annotations = {names.SWITCHED_AT_ANNOTATION: switched_at, names.PREVIOUS_RELEASE_ANNOTATION: previous}
    return _service(owner, owner.name, release, annotations)


def build_candidate_service(owner: Owner, release: Snapshot) -> Manifest:
    """The Service through which the candidate is looked at before the public sees it."""
    return _service(owner, owner.name + CANDIDATE_SUFFIX, release, {})


def build_network_policy(owner: Owner, releases: Iterable[Snapshot], sources: Iterable[str]) -> Manifest:
    """Default deny: in from the gateway's namespaces only, out to DNS and to what the workloads name."""
    workloads = [release.workload for release in releases]
    gateways = [
        {"namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: namespace}}}
        for namespace in dict.fromkeys(sources)
    ]
    ports = [{"port": port, "protocol": "TCP"} for port in sorted({workload.port for workload in workloads})]
    egress: list[dict[str, Any]] = [
        {"ports": [{"port": DNS_PORT, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    ]
    for network in (network for workload in workloads for network in workload.egress):
        rule: dict[str, Any] = {"to": [{"ipBlock": {"cidr": network.cidr}}]}
        if network.ports:
            rule["ports"] = [{"port": port.port, "protocol": port.protocol.value} for port in network.ports]
        if rule not in egress:
            egress.append(rule)
    spec = {
        "podSelector": {"matchLabels": owner.pod_selector},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": gateways, "ports": ports}],
        "egress": egress,
    }
    return owner.child("networking.k8s.io/v1", "NetworkPolicy", owner.name, {"spec": spec})


def let_in(policy: Observed) -> Iterator[str]:
    """The namespaces that a NetworkPolicy of ours names as those that requests come from."""
    for rule in policy.spec.get("ingress") or ():
        for source in rule.get("from") or ():
            labels = (source.get("namespaceSelector") or {}).get("matchLabels") or {}
            if names.NAMESPACE_NAME_LABEL in labels:
                yield str(labels[names.NAMESPACE_NAME_LABEL])


def build_autoscaler(owner: Owner, release: Snapshot) -> Manifest | None:
    """Lets the public release's replicas follow the load, where the workload asks for it."""
    scaling = release.workload.autoscaling
    if scaling is None:
        return None
    processor = {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": scaling.target_cpu_utilization},
    }
    spec = {
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": deployment_name(owner.name, release.name),
        },
        "metrics": [{"type": "Resource", "resource": processor}],
    }
    return owner.child("autoscaling/v2", "HorizontalPodAutoscaler", owner.name, {"spec": spec})
