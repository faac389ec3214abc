# SPDX-License-Identifier: Apache-2.0
"""The containers of an e-service: what may be said of one, its environment, probes and volumes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from eservice_operator.api.base import Model
from eservice_operator.api.fields import (
    BLANK,
    LIST_ATOMIC,
    DigestImage,
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
ProbePath = Annotated[
    str, text(rf"^/[^{BLANK}]*$", "write a path that begins with /, such as /ready", most=1024)
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
