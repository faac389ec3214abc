# SPDX-License-Identifier: Apache-2.0
"""How this operator was set up: what every decision is given beside the world and the instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

from typing_extensions import override

from eservice_operator.api.notices import Channel
from eservice_operator.core.dates import Calendar


class PublishBy(StrEnum):
    """By what kind of object the public is served."""

    GATEWAY = "gateway"
    """An HTTPRoute of the Gateway API in the Agency's namespace."""
    INGRESS = "ingress"
    """An Ingress beside the e-service."""


@dataclass(frozen=True, slots=True)
class GatewayRef:
    """The Gateway that the public routes attach to."""

    namespace: str
    name: str
    section: str = ""
    """The listener; empty for all of them."""

    @override
    def __str__(self) -> str:
        """``NAMESPACE/NAME[/SECTION]``, as it is written in the settings."""
        return "/".join(part for part in (self.namespace, self.name, self.section) if part)

    def fields(self) -> dict[str, str]:
        """The reference as ``spec.publication.gateway`` and snapshots write it."""
        section = {"section": self.section} if self.section else {}
        return {"namespace": self.namespace, "name": self.name} | section

    @property
    def whole(self) -> GatewayRef:
        """The Gateway itself, with all of its listeners."""
        return GatewayRef(self.namespace, self.name)

    def admits(self, other: GatewayRef) -> bool:
        """Whether an e-service that may use this one may use the other: the same, or one listener of it."""
        same = (self.namespace, self.name) == (other.namespace, other.name)
        return same and self.section in {"", other.section}

    def parent_ref(self) -> dict[str, str]:
        """The reference as an HTTPRoute writes it."""
        parent = {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "namespace": self.namespace,
            "name": self.name,
        }
        return parent | ({"sectionName": self.section} if self.section else {})


@dataclass(frozen=True, slots=True)
class NoticeRef:
    """The Service of the notice page, in the namespace of the routes."""

    name: str
    port: int = 80

    @override
    def __str__(self) -> str:
        """``NAME:PORT``, as it is written in the settings."""
        return f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Preview:
    """Where a candidate is shown to those who verify it, before the public sees it."""

    gateway: GatewayRef
    """A Gateway of its own, which the public does not reach."""
    domain: str
    """The hosts of previews end with it."""
    header: tuple[str, str] | None = None
    """Name and value of a header that a request needs as well."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How this operator was set up: arguments of every decision, beside the world and the instant."""

    zone: ZoneInfo
    calendar: Calendar
    gateway: GatewayRef
    routes_namespace: str
    drain: timedelta = timedelta(seconds=15)
    channels: tuple[tuple[Channel, str], ...] = ()
    """By what people are told beside Events: each channel with its sink (the host of the CloudEvents sink;
    empty for e-mail, whose recipients are persons). None: nobody is told, and nothing waits for it."""
    notice: NoticeRef | None = None
    """The notice page; without one the route of an e-service that is off is deleted."""
    allowed_gateways: tuple[GatewayRef, ...] = ()
    """The Gateways that an e-service may choose in the place of `gateway`."""
    preview: Preview | None = None
    """Where candidates are shown; without it nowhere."""
    traffic_from: tuple[str, ...] = ()
    """Namespaces that requests come from, where the gateway's Pods run elsewhere than its object is."""
    probed: bool = False
    """Whether the public hosts are asked from outside, and that is part of the answer."""
    marked: bool = False
    """Whether the live rule marks every answer, for the probe to tell the e-service from others."""
    publish_by: PublishBy = PublishBy.GATEWAY
    ingress_class: str = ""
    """Of the Ingresses; only where it is they that publish."""
    ingress_annotations: tuple[str, ...] = ()
    """Those that others may write on them: names, or a beginning and ``*``. Every other is taken off."""
    cluster_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Of the cluster itself: its Pods, Services and nodes, to which no outside address of a holder leads."""
    clock_trusted: bool = True
    """Whether the wall clock agrees with the apiserver's: if not, nothing new is unpublished."""

    def allows(self, gateway: GatewayRef) -> bool:
        """Whether an e-service may be served by a Gateway."""
        return any(one.admits(gateway) for one in (self.gateway, *self.allowed_gateways))
