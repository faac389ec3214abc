# SPDX-License-Identifier: Apache-2.0
"""The workload of an e-service: what may be said of its Pods.

It is a closed selection of the Pod API: everything here fits Pod Security ``restricted``, and nothing
lets a tenant choose a ServiceAccount, a host namespace or a raw manifest.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from eservice_operator.api.base import Model
from eservice_operator.api.container import (
    Arguments,
    EnvFrom,
    EnvVar,
    ExtraContainer,
    Port,
    Probes,
    Resources,
    Volume,
)
from eservice_operator.api.fields import LIST_ATOMIC, LIST_SET, Line, ObjectName, cel, list_map, rules, text

LabelValue = Annotated[
    str,
    text(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
        "write a label value of letters, digits, -, _ and ., with a letter or a digit at both ends",
        least=0,
        most=63,
    ),
]
_NETWORK = "write a network such as 192.0.2.0/24 or 2001:db8::/32, with no bits beyond its prefix"


def _is_network(cidr: str) -> str:
    try:
        ipaddress.ip_network(cidr)
    except ValueError as error:
        raise PydanticCustomError("network", _NETWORK) from error
    return cidr


Cidr = Annotated[
    str,
    text(
        r"^[0-9a-fA-F.:]+/[0-9]{1,3}$",
        _NETWORK,
        most=43,
        rule="isCIDR(self) && cidr(self) == cidr(self).masked()",
    ),
    AfterValidator(_is_network),
]


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
