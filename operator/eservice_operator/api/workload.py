# SPDX-License-Identifier: Apache-2.0
"""The workload of an e-service: what may be said of its Pods.

It is a closed selection of the Pod API: everything here fits Pod Security ``restricted``, and nothing
lets a tenant choose a ServiceAccount, a host namespace or a raw manifest.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from eservice_operator.api.base import Model
from eservice_operator.api.fields import (
    LIST_ATOMIC,
    LIST_SET,
    DigestImage,
    Line,
    Name,
    ObjectName,
    Quantity,
    cel,
    list_map,
    rules,
    text,
)

Port = Annotated[int, Field(ge=1, le=65535)]
EnvName = Annotated[
    str,
    text(
        r"^[A-Za-z_][A-Za-z0-9_.-]*$",
        "write a name of letters, digits, _, . and -, without a digit first",
        most=253,
    ),
]
Argument = Annotated[str, StringConstraints(max_length=4096)]
Arguments = Annotated[tuple[Argument, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)]
MountPath = Annotated[
    str,
    text(r"^/[^:]+$", "write an absolute path without a colon, such as /var/cache/app", least=2, most=1024),
]
DataKey = Annotated[str, text(r"^[-._a-zA-Z0-9]+$", "write a key of letters, digits, -, _ and .", most=253)]
ProbePath = Annotated[str, text(r"^/\S*$", "write a path that begins with /, such as /ready", most=1024)]
LabelValue = Annotated[
    str,
    text(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
        "write a label value of letters, digits, -, _ and ., with a letter or a digit at both ends",
        least=0,
        most=63,
    ),
]
_NETWORK = "write a network such as 192.0.2.0/24 or 2001:db8::/32"


def _is_network(cidr: str) -> str:
    try:
        ipaddress.ip_network(cidr, strict=False)
    except ValueError as error:
        raise PydanticCustomError("network", _NETWORK) from error
    return cidr


Cidr = Annotated[
    str,
    text(r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", _NETWORK, most=43, rule="isCIDR(self)"),
    AfterValidator(_is_network),
]

ONE_SOURCE = "name exactly one of configMap, secret, persistentVolumeClaim and emptyDir"


class KeyRef(Model):
    """A key of a ConfigMap or a Secret beside the e-service."""

    name: ObjectName
    """Name of the ConfigMap or the Secret."""
    key: DataKey
    """The key in it."""
    optional: bool = False
    """Whether the Pod starts although it is not there."""


class EnvSource(Model):
    """Where the value of an environment variable comes from."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "has(self.configMapKeyRef) != has(self.secretKeyRef)",
                "name exactly one of configMapKeyRef and secretKeyRef",
            )
        )
    )

    config_map_key_ref: KeyRef | None = None
    """A key of a ConfigMap in the namespace."""
    secret_key_ref: KeyRef | None = None
    """A key of a Secret in the namespace."""


class EnvVar(Model):
    """An environment variable of the container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("!(has(self.value) && has(self.valueFrom))", "write value or valueFrom, not both")
        )
    )

    name: EnvName
    """Name of the variable."""
    value: Annotated[str, StringConstraints(max_length=32768)] | None = None
    """Its value; for secrets use valueFrom."""
    value_from: EnvSource | None = None
    """Where its value comes from."""


class ObjectRef(Model):
    """A ConfigMap or a Secret beside the e-service."""

    name: ObjectName
    """Name of the ConfigMap or the Secret."""
    optional: bool = False
    """Whether the Pod starts although it is not there."""


class EnvFrom(Model):
    """All keys of a ConfigMap or a Secret as environment variables."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "has(self.configMapRef) != has(self.secretRef)",
                "name exactly one of configMapRef and secretRef",
            )
        )
    )

    prefix: EnvName | None = None
    """What is put before each key."""
    config_map_ref: ObjectRef | None = None
    """A ConfigMap in the namespace."""
    secret_ref: ObjectRef | None = None
    """A Secret in the namespace."""


class ResourceList(Model):
    """Amounts of the resources a container may use."""

    cpu: Quantity | None = None
    """Processor time, such as 500m."""
    memory: Quantity | None = None
    """Memory, such as 512Mi."""
    ephemeral_storage: Annotated[Quantity | None, Field(alias="ephemeral-storage")] = None
    """Local disk, such as 1Gi."""


class Resources(Model):
    """What the container asks for, and what it may have at most."""

    requests: ResourceList = ResourceList()
    """What it asks for, and is sure to have."""
    limits: ResourceList = ResourceList()
    """What it may have at most."""


class HttpGet(Model):
    """An HTTP request that has to succeed."""

    path: ProbePath
    """The path to ask for."""
    port: Port | None = None
    """The port; the workload's port when absent."""


class Probe(Model):
    """How the kubelet finds out about the container: an HTTP request, or else a connection to the port."""

    http_get: HttpGet | None = None
    """An HTTP request; without it a TCP connection to the workload's port."""
    initial_delay_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """Seconds before the first probe."""
    period_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """Seconds between probes."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """Seconds until a probe counts as failed."""
    failure_threshold: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Failures in a row before the kubelet acts."""


class Probes(Model):
    """The probes of the container."""

    readiness: Probe = Probe()
    """While it succeeds, the Pod takes requests; by default while its port accepts connections."""
    liveness: Probe | None = None
    """When it fails, the container is restarted."""
    startup: Probe | None = None
    """Until it succeeds, the other probes wait."""


class ClaimRef(Model):
    """A PersistentVolumeClaim beside the e-service."""

    claim_name: ObjectName
    """Name of the PersistentVolumeClaim."""


class EmptyDir(Model):
    """A folder that lives as long as the Pod."""

    size_limit: Quantity | None = None
    """The most it may hold, such as 256Mi."""
    medium: Literal["Memory"] | None = None
    """Memory keeps it in memory, which counts as the container's; without it, it is on disk."""


class Volume(Model):
    """A volume, and where the main container mounts it."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "[has(self.configMap), has(self.secret), has(self.persistentVolumeClaim), has(self.emptyDir)]"
                ".filter(x, x).size() == 1",
                ONE_SOURCE,
            ),
        )
    )

    name: Name
    """Name of the volume."""
    mount_path: MountPath
    """Where the main container sees it."""
    read_only: bool = False
    """Whether the main container may not write to it."""
    config_map: ObjectRef | None = None
    """The keys of a ConfigMap as files."""
    secret: ObjectRef | None = None
    """The keys of a Secret as files."""
    persistent_volume_claim: ClaimRef | None = None
    """A volume that outlives the Pod."""
    empty_dir: EmptyDir | None = None
    """A folder that lives as long as the Pod."""


class VolumeMount(Model):
    """Where a further container sees a volume."""

    name: Name
    """Name of the volume."""
    mount_path: MountPath
    """Where the container sees it."""
    read_only: bool = False
    """Whether it may not write to it."""


class ExtraContainer(Model):
    """An init or side container, by digest."""

    name: Name
    """Name of the container; ``app`` is the main one."""
    image: DigestImage
    """Its image, by digest."""
    command: Arguments = ()
    """Replaces the image's entry point."""
    args: Arguments = ()
    """Replaces the image's arguments."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=64, json_schema_extra=list_map("name"))] = ()
    """Environment variables of the container."""
    resources: Resources = Resources()
    """What the container asks for, and what it may have at most."""
    volume_mounts: Annotated[
        tuple[VolumeMount, ...], Field(max_length=32, json_schema_extra=list_map("mountPath"))
    ] = ()
    """The volumes it sees."""


class Toleration(Model):
    """A taint that the Pods tolerate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.operator == 'Equal' ? has(self.key) : !has(self.value)",
                "with Equal write a key; with Exists leave value out",
            )
        )
    )

    key: Line | None = None
    """Key of the taint; all keys when absent, with operator Exists."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Exists: any value of the key. Equal: this value."""
    value: Line | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Which effect is tolerated: NoSchedule, PreferNoSchedule or NoExecute; all when absent."""


class Scheduling(Model):
    """Where the Pods may run; they are spread over nodes and zones in any case."""

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=16)] = Field(default_factory=dict)
    """Labels that a node must have."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """Taints that the Pods tolerate."""
    priority_class_name: ObjectName | None = None
    """Priority class of the Pods."""


class Protocol(StrEnum):
    """A transport protocol."""

    TCP = "TCP"
    UDP = "UDP"


class EgressPort(Model):
    """A port that the Pods may reach."""

    port: Port
    """The port number."""
    protocol: Protocol = Protocol.TCP
    """TCP or UDP."""


class Egress(Model):
    """A network that the Pods may reach besides DNS and granted web services."""

    cidr: Cidr
    """The network, such as 192.0.2.0/24."""
    ports: Annotated[tuple[EgressPort, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """The ports that they may reach there; all when absent."""


class Autoscaling(Model):
    """Lets the number of replicas follow the load."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.minReplicas <= self.maxReplicas",
                "maxReplicas must not be below minReplicas: write a higher number",
                fieldPath=".maxReplicas",
            )
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=500)] = 2
    """The fewest replicas."""
    max_replicas: Annotated[int, Field(ge=1, le=500)]
    """The most replicas; not below minReplicas."""
    target_cpu_utilization: Annotated[int, Field(ge=1, le=100)] = 70
    """The processor use to aim at, in percent of what was asked for."""


def _each_container(condition: str) -> str:
    """CEL: the condition holds for every further container ``c``."""
    return " && ".join(
        f"(!has(self.{where}) || self.{where}.all(c, {condition}))"
        for where in ("initContainers", "containers")
    )


class Workload(Model):
    """How the e-service runs: replicas, container, probes, volumes, and what it may reach."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                _each_container("c.name != 'app'"),
                "'app' is the main container: write another name for the further container",
            ),
            cel(
                "!has(self.containers) || !has(self.initContainers)"
                " || self.containers.all(c, !self.initContainers.exists(i, i.name == c.name))",
                "a container has the name of an init container: write another name",
                fieldPath=".containers",
            ),
            cel(
                _each_container(
                    "!has(c.volumeMounts) || c.volumeMounts.all(m,"
                    " has(self.volumes) && self.volumes.exists(v, v.name == m.name))"
                ),
                "a volumeMount names no volume: write the name of one of the volumes",
            ),
            cel(
                _each_container("!has(c.volumeMounts) || !c.volumeMounts.exists(m, m.mountPath == '/tmp')"),
                "the operator mounts a folder at /tmp in each container: write another mountPath",
            ),
            cel(
                "!has(self.volumes) || !self.volumes.exists(v, v.name == 'tmp' || v.mountPath == '/tmp')",
                "the operator mounts the volume tmp at /tmp: write another name and mountPath",
                fieldPath=".volumes",
            ),
            cel(
                "!has(self.volumes)"
                " || self.volumes.all(v, self.volumes.exists_one(w, w.mountPath == v.mountPath))",
                "two volumes have the same mountPath: write another one",
                fieldPath=".volumes",
            ),
        )
    )

    replicas: Annotated[int, Field(ge=1, le=500)] = 2
    """How many Pods serve the public; autoscaling overrides it."""
    port: Port = 8080
    """The port on which the container serves HTTP."""
    command: Arguments = ()
    """Replaces the image's entry point."""
    args: Arguments = ()
    """Replaces the image's arguments."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=128, json_schema_extra=list_map("name"))] = ()
    """Environment variables of the main container."""
    env_from: Annotated[tuple[EnvFrom, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """ConfigMaps and Secrets of which all keys become environment variables."""
    resources: Resources = Resources()
    """What the main container asks for, and what it may have at most."""
    probes: Probes = Probes()
    """How the kubelet finds out about the container."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=32, json_schema_extra=list_map("name"))] = ()
    """Volumes of the Pods, and where the main container mounts them."""
    image_pull_secrets: Annotated[
        tuple[ObjectName, ...], Field(max_length=8, json_schema_extra=LIST_SET)
    ] = ()
    """Names of the Secrets for pulling images."""
    run_as_user: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """User number of the process; the image's when absent, which must not be root."""
    scheduling: Scheduling = Scheduling()
    """Where the Pods may run."""
    init_containers: Annotated[
        tuple[ExtraContainer, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = ()
    """Containers that run to their end before the main one starts."""
    containers: Annotated[
        tuple[ExtraContainer, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = ()
    """Containers that run beside the main one."""
    egress: Annotated[tuple[Egress, ...], Field(max_length=32, json_schema_extra=LIST_ATOMIC)] = ()
    """Networks that the Pods may reach besides DNS and granted web services."""
    autoscaling: Autoscaling | None = None
    """Lets the number of replicas follow the load."""
    termination_grace_period_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """Seconds a Pod has to finish; the first five let the gateways notice."""
