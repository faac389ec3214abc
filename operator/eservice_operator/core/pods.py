# SPDX-License-Identifier: Apache-2.0
"""The Deployment of a release, hardened to Pod Security ``restricted``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from eservice_operator.api import names
from eservice_operator.api.container import EnvFrom, EnvVar, ExtraContainer, Probe, Resources, Volume
from eservice_operator.api.uses import Use
from eservice_operator.api.workload import Workload
from eservice_operator.core.access.binding import (
    ROOT,
    ROOT_VARIABLE,
    binding_mount,
    binding_volume,
)
from eservice_operator.core.actions import Manifest
from eservice_operator.core.manifests import PORT_NAME
from eservice_operator.core.owner import Owner, deployment_name
from eservice_operator.core.releases import Snapshot

MAIN_CONTAINER = "app"
PRE_STOP_SECONDS = 5
"""How long a Pod keeps answering after it was told to stop, until the gateways have noticed."""
LIFECYCLE = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
PROGRESS_DEADLINE_SECONDS = 600

CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _plain(model: BaseModel) -> dict[str, Any]:
    """A model as Kubernetes writes it, without what is absent."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def _resources(resources: Resources) -> dict[str, Any]:
    given = {"requests": _plain(resources.requests), "limits": _plain(resources.limits)}
    return {kind: amounts for kind, amounts in given.items() if amounts}


def _env(variables: tuple[EnvVar, ...], uses: tuple[Use, ...] = ()) -> list[dict[str, Any]]:
    own = [{"name": ROOT_VARIABLE, "value": ROOT}] if uses else []
    return [*(_plain(variable) for variable in variables), *own]


def _env_from(sources: tuple[EnvFrom, ...]) -> list[dict[str, Any]]:
    return [_plain(source) for source in sources]


def _probe(probe: Probe, port: int) -> dict[str, Any]:
    """A probe; a delay of 0 is left out, since the apiserver does not keep it."""
    timing = {key: value for key, value in _plain(probe).items() if value != 0}
    http = timing.pop("httpGet", None)
    if http is None:
        return {"tcpSocket": {"port": port}} | timing
    return {"httpGet": {"port": port} | http} | timing


def _probes(workload: Workload) -> dict[str, Any]:
    probes = workload.probes
    built = {"readinessProbe": _probe(probes.readiness, workload.port)}
    if probes.liveness is not None:
        built["livenessProbe"] = _probe(probes.liveness, workload.port)
    if probes.startup is not None:
        built["startupProbe"] = _probe(probes.startup, workload.port)
    return built


def _volume(volume: Volume) -> dict[str, Any]:
    source: dict[str, Any]
    if volume.config_map is not None:
        source = {"configMap": _plain(volume.config_map)}
    elif volume.secret is not None:
        source = {"secret": {"secretName": volume.secret.name, "optional": volume.secret.optional}}
    elif volume.persistent_volume_claim is not None:
        source = {"persistentVolumeClaim": _plain(volume.persistent_volume_claim)}
    else:
        source = {"emptyDir": _plain(volume.empty_dir) if volume.empty_dir is not None else {}}
    return {"name": volume.name} | source


def _mount(name: str, path: str, *, read_only: bool) -> dict[str, Any]:
    return {"name": name, "mountPath": path} | ({"readOnly": True} if read_only else {})


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without empty lists and maps, which the apiserver would not keep."""
    return {key: value for key, value in values.items() if value not in ({}, [], None)}


def _side_container(container: ExtraContainer, uses: tuple[Use, ...]) -> dict[str, Any]:
    """A container that runs as long as the main one, which may need it until the end; it may do the calls."""
    return _extra_container(container, uses) | {"lifecycle": LIFECYCLE}


def _extra_container(container: ExtraContainer, uses: tuple[Use, ...] = ()) -> dict[str, Any]:
    return _filled(
        {
            "name": container.name,
            "image": container.image,
            "command": list(container.command),
            "args": list(container.args),
            "env": _env(container.env, uses),
            "resources": _resources(container.resources),
            "volumeMounts": [
                _mount("tmp", "/tmp", read_only=False),  # noqa: S108 - the path inside the container
                *(_mount(m.name, m.mount_path, read_only=m.read_only) for m in container.volume_mounts),
                *(binding_mount(use) for use in uses),
            ],
            "securityContext": CONTAINER_SECURITY,
        }
    )


def _main_container(release: Snapshot) -> dict[str, Any]:
    workload = release.workload
    return _filled(
        {
            "name": MAIN_CONTAINER,
            "image": release.image,
            "command": list(workload.command),
            "args": list(workload.args),
            "ports": [{"name": PORT_NAME, "containerPort": workload.port, "protocol": "TCP"}],
            "env": _env(workload.env, release.uses),
            "envFrom": _env_from(workload.env_from),
            "resources": _resources(workload.resources),
            **_probes(workload),
            "volumeMounts": [
                _mount("tmp", "/tmp", read_only=False),  # noqa: S108 - the path inside the container
                *(_mount(v.name, v.mount_path, read_only=v.read_only) for v in workload.volumes),
                *(binding_mount(use) for use in release.uses),
            ],
            "lifecycle": LIFECYCLE,
            "securityContext": CONTAINER_SECURITY,
        }
    )


def _spread(owner: Owner, release: str) -> list[dict[str, Any]]:
    """Over nodes and zones, but never at the price of not running."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": owner.release_selector(release)},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def _pod_spec(owner: Owner, release: Snapshot) -> dict[str, Any]:
    workload = release.workload
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if workload.run_as_user is not None:
        security["runAsUser"] = workload.run_as_user
        security["fsGroup"] = workload.run_as_user
    return _filled(
        {
            "serviceAccountName": owner.name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": workload.termination_grace_period_seconds,
            "securityContext": security,
            "imagePullSecrets": [{"name": name} for name in workload.image_pull_secrets],
            "nodeSelector": dict(workload.scheduling.node_selector),
            "tolerations": [_plain(toleration) for toleration in workload.scheduling.tolerations],
            "priorityClassName": workload.scheduling.priority_class_name,
            "topologySpreadConstraints": _spread(owner, release.name),
            "initContainers": [_extra_container(container) for container in workload.init_containers],
            "containers": [
                _main_container(release),
                *(_side_container(container, release.uses) for container in workload.containers),
            ],
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                *(_volume(volume) for volume in workload.volumes),
                *(binding_volume(owner.name, use) for use in release.uses),
            ],
        }
    )


def build_deployment(owner: Owner, release: Snapshot, replicas: int) -> Manifest:
    """The Deployment of a release at that many replicas; rolls without losing capacity."""
    labels = {names.RELEASE_LABEL: release.name}
    pod_labels = {key: value for key, value in owner.labels.items() if key != names.OWNER_UID_LABEL} | labels
    spec = {
        "replicas": replicas,
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "selector": {"matchLabels": owner.release_selector(release.name)},
        "template": {"metadata": {"labels": pod_labels}, "spec": _pod_spec(owner, release)},
    }
    name = deployment_name(owner.name, release.name)
    return owner.child("apps/v1", "Deployment", name, {"spec": spec}, labels=labels)
