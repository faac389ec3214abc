# SPDX-License-Identifier: Apache-2.0
"""The workload of an e-service: what may be said of its Pods.

It is a closed selection of the Pod API: everything here fits Pod Security ``restricted``, and nothing
lets a tenant choose a ServiceAccount, a host namespace or a raw manifest.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from eservice_operator.api.base import (
    LIST_ATOMIC,
    LIST_SET,
    DigestImage,
    Line,
    Model,
    Name,
    ObjectName,
    Quantity,
    Short,
    cel,
    list_map,
    rules,
)

Port = Annotated[int, Field(ge=1, le=65535)]
EnvName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")
]
Argument = Annotated[str, StringConstraints(max_length=4096)]
Arguments = Annotated[tuple[Argument, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)]
MountPath = Annotated[str, StringConstraints(min_length=2, max_length=1024, pattern=r"^/[^:]+$")]
DataKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]

ONE_SOURCE = "name exactly one of configMap, secret, persistentVolumeClaim and emptyDir"


class KeyRef(Model):
    """A key of a ConfigMap or a Secret beside the e-service."""

    name: ObjectName
    """Name of the ConfigMap or the Secret."""
    key: DataKey
    """The key in it."""
    optional: bool = False
    """Whether the Pod starts without it."""


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
    """A key of a ConfigMap."""
    secret_key_ref: KeyRef | None = None
    """A key of a Secret."""


class EnvVar(Model):
    """An environment variable of the container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("!(has(self.value) && has(self.valueFrom))", "give value or valueFrom, not both")
        )
    )

    name: EnvName
    """Name of the variable."""
    value: Annotated[str, StringConstraints(max_length=32768)] | None = None
    """Its value."""
    value_from: EnvSource | None = None
    """Where its value comes from."""


class ObjectRef(Model):
    """A ConfigMap or a Secret beside the e-service."""

    name: ObjectName
    """Its name."""
    optional: bool = False
    """Whether the Pod starts without it."""


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

    prefix: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Put before each key."""
    config_map_ref: ObjectRef | None = None
    """A ConfigMap."""
    secret_ref: ObjectRef | None = None
    """A Secret."""


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
    """What it asks for."""
    limits: ResourceList = ResourceList()
    """What it may have at most."""


class HttpGet(Model):
    """An HTTP request that has to succeed."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^/\S*$")]
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
    """When the Pod takes requests; by default once its port answers."""
    liveness: Probe | None = None
    """When the container is restarted."""
    startup: Probe | None = None
    """When the other probes begin."""


class ClaimRef(Model):
    """A PersistentVolumeClaim beside the e-service."""

    claim_name: ObjectName
    """Its name."""


class EmptyDir(Model):
    """A folder that lives as long as the Pod."""

    size_limit: Quantity | None = None
    """Its largest size."""
    medium: Annotated[str, StringConstraints(pattern=r"^Memory$", max_length=6)] | None = None
    """Memory for a folder in memory."""


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
    """Environment variables."""
    resources: Resources = Resources()
    """What it asks for and may have."""
    volume_mounts: Annotated[
        tuple[VolumeMount, ...], Field(max_length=32, json_schema_extra=list_map("mountPath"))
    ] = ()
    """The volumes it sees."""


class Toleration(Model):
    """A taint that the Pods tolerate."""

    key: Line | None = None
    """Key of the taint; all keys when absent."""
    operator: Annotated[str, StringConstraints(pattern=r"^(Exists|Equal)$", max_length=6)] = "Equal"
    """Exists or Equal."""
    value: Line | None = None
    """Value of the taint."""
    effect: (
        Annotated[str, StringConstraints(pattern=r"^(NoSchedule|PreferNoSchedule|NoExecute)$", max_length=16)]
        | None
    ) = None
    """Which effect is tolerated; all when absent."""


class Scheduling(Model):
    """Where the Pods may run; they are spread over nodes and zones in any case."""

    node_selector: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=63)]], Field(max_length=16)
    ] = Field(default_factory=dict)
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

    cidr: Annotated[str, StringConstraints(max_length=43, pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
    """The network, such as 192.0.2.0/24."""
    ports: Annotated[tuple[EgressPort, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """The ports; all when absent."""


class Autoscaling(Model):
    """Lets the number of replicas follow the load."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("self.minReplicas <= self.maxReplicas", "minReplicas must not be above maxReplicas")
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=500)] = 2
    """The fewest replicas."""
    max_replicas: Annotated[int, Field(ge=1, le=500)]
    """The most replicas."""
    target_cpu_utilization: Annotated[int, Field(ge=1, le=100)] = 70
    """The processor use to aim at, in percent of what was asked for."""


class Workload(Model):
    """How the e-service runs."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "!has(self.containers) || !self.containers.exists(c, c.name == 'app')",
                "'app' is the main container: name the further container otherwise",
                fieldPath=".containers",
            ),
            cel(
                "!has(self.volumes) || !self.volumes.exists(v, v.name == 'tmp' || v.mountPath == '/tmp')",
                "'tmp' is mounted at /tmp by the operator: use another name and path",
                fieldPath=".volumes",
            ),
        )
    )

    replicas: Annotated[int, Field(ge=1, le=500)] = 2
    """How many Pods serve the public; autoscaling overrides it."""
    port: Port = 8080
    """The port on which the container serves HTTP; above 1023, since it runs unprivileged."""
    command: Arguments = ()
    """Replaces the image's entry point."""
    args: Arguments = ()
    """Replaces the image's arguments."""
    env: Annotated[tuple[EnvVar, ...], Field(max_length=128, json_schema_extra=list_map("name"))] = ()
    """Environment variables."""
    env_from: Annotated[tuple[EnvFrom, ...], Field(max_length=16, json_schema_extra=LIST_ATOMIC)] = ()
    """ConfigMaps and Secrets as environment variables."""
    resources: Resources = Resources()
    """What a Pod asks for and may have."""
    probes: Probes = Probes()
    """How the kubelet finds out about the container."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=32, json_schema_extra=list_map("name"))] = ()
    """Volumes of the Pod."""
    image_pull_secrets: Annotated[
        tuple[ObjectName, ...], Field(max_length=8, json_schema_extra=LIST_SET)
    ] = ()
    """Secrets for pulling images."""
    run_as_user: Annotated[int, Field(ge=1)] | None = None
    """User number of the process; the image's when absent, which must not be root."""
    scheduling: Scheduling = Scheduling()
    """Where the Pods may run."""
    init_containers: Annotated[
        tuple[ExtraContainer, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = ()
    """Run to their end before the main container starts."""
    containers: Annotated[
        tuple[ExtraContainer, ...], Field(max_length=8, json_schema_extra=list_map("name"))
    ] = ()
    """Run beside the main container."""
    egress: Annotated[tuple[Egress, ...], Field(max_length=32, json_schema_extra=LIST_ATOMIC)] = ()
    """Networks that the Pods may reach."""
    autoscaling: Autoscaling | None = None
    """Lets the number of replicas follow the load."""
    termination_grace_period_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """Seconds a Pod has to finish; the first five let the gateways notice."""


def as_manifest(model: Model) -> dict[str, Any]:
    """A model as it would be written in YAML: aliases, nothing that is absent or empty."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
