# SPDX-License-Identifier: Apache-2.0
"""What can be set from outside, as values that are checked already.

Each parser takes the text that a person wrote and answers the value, or raises ValueError with a message that
says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays
from typing_extensions import override

from eservice_operator.core.address import Address
from eservice_operator.core.policy import GatewayRef, NoticeRef
from eservice_operator.notify.addresses import Mailbox
from eservice_operator.serving.options import nearest

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
DURATION = re.compile(r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?")


class SecretName(NamedTuple):
    """Where a Secret is; what it holds is read when it is needed."""

    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that one operator can be told. The defaults are those of the command line."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; without it the KUBECONFIG variable, then the Pod's own credentials."""
    context: str | None = None
    """Context in that kubeconfig; without it the current one."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose objects are served; empty for all of them."""
    publish_by: str = "gateway"
    """``gateway`` (an HTTPRoute) or ``ingress``: by what the public is served."""
    ingress_class: str | None = None
    """The class of the Ingresses, where it is they that publish."""
    ingress_annotations: tuple[str, ...] = ()
    """Annotations that others may write on them: names, or a beginning and ``*``."""
    gateway: GatewayRef = GatewayRef("gateway-system", "public")
    allowed_gateways: tuple[GatewayRef, ...] = ()
    """Other Gateways that an EService may choose."""
    routes_namespace: str = "eservice-routes"
    """Where the public routes live."""
    traffic_from: tuple[str, ...] = ()
    """Namespaces of the gateway's Pods, beside that of the Gateway."""
    preview_gateway: GatewayRef | None = None
    """The Gateway, other than the public ones, on which candidates are looked at; without it on none."""
    preview_domain: str | None = None
    """What the hosts of candidates end with."""
    preview_header: tuple[str, str] | None = None
    """Name and value of a header that such a request needs as well."""
    notice_service: NoticeRef | None = None
    """The page that is shown while an e-service is off; without it its route is deleted."""
    route_mark: str = "on"
    """``on`` or ``off``: whether answers say which e-service gave them, while the probe is on."""
    probe: str = "off"
    """``off``, or the scheme by which the public hosts are asked from outside."""
    probe_address: Address | None = None
    """Where the probe connects in the place of what DNS says."""
    probe_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks that it may connect to."""
    probe_interval: timedelta = timedelta(minutes=5)
    """How often a host is asked again once all agrees."""
    cluster_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of the cluster itself, to which no outside address of a web service may lead."""
    time_zone: ZoneInfo = ZoneInfo("Europe/Riga")
    """In which a date is a day."""
    holiday_country: str = "LV"
    """Whose working days count."""
    resync: timedelta = timedelta(minutes=20)
    """From one full list of every kind to the next."""
    workers: int = 16
    """How many objects are reconciled at once."""
    metrics_address: Address = Address("0.0.0.0", 8080)  # noqa: S104 - the probes come from outside the Pod
    log_level: str = "info"
    log_format: str = "json"
    leader_elect: str = "on"
    """``on`` or ``off``: whether a Lease says which of several operators writes."""
    lease_namespace: str | None = None
    """Where that Lease is; without it the Pod's own namespace."""
    lease_name: str = "eservice-operator"
    lease_duration: timedelta = timedelta(seconds=15)
    """Without being renewed it is another operator's after this."""
    renew_deadline: timedelta = timedelta(seconds=10)
    """A leader that could not renew it for this long ends."""
    retry_period: timedelta = timedelta(seconds=2)
    """How often it is renewed, or looked at, at least."""
    drain_delay: timedelta = timedelta(seconds=15)
    """From the switch to a new release until the old one's Pods go."""
    settle: timedelta = timedelta(seconds=1)
    """How long a status that only says that work goes on is held back."""
    smtp_server: Address | None = None
    """The server that takes notices as mails; without it none are sent."""
    smtp_security: str = "starttls"
    """``starttls``, ``tls`` or ``none``."""
    smtp_secret: SecretName | None = None
    """The login for that server; without it none is tried."""
    smtp_ca_file: str | None = None
    """Authorities that the server is trusted by; the machine's without it."""
    mail_from: Mailbox | None = None
    """Whom mails come from."""
    events_sink: str | None = None
    """URL that takes notices as CloudEvents; without it none are sent."""
    events_secret: SecretName | None = None
    """The key that events are signed with; without it they are not."""
    events_ca_file: str | None = None
    """Authorities that the sink is trusted by; the machine's without it."""


def parse_duration(text: str) -> timedelta:
    """``1h30m``, ``20m``, ``15s``, ``0.5s``."""
    match = DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise ValueError(
            f"{text!r} is not a duration; write hours, minutes and seconds, such as 1h30m, 20m or 15s"
        )
    parts = {unit: float(value) for unit, value in match.groupdict(default="0").items()}
    return timedelta(**parts)


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back."""
    hours, rest = divmod(duration.total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{value:g}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if value]
    return "".join(parts) or "0s"


def parse_file(text: str) -> str:
    """The path of a file that can be read."""
    if not Path(text).is_file():
        raise ValueError(f"there is no file {text!r}; write the path of a kubeconfig")
    return text


def parse_namespace(text: str) -> str:
    """The name of a namespace."""
    if DNS_LABEL.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is not the name of a namespace; write lower-case letters, digits and '-', "
            "at most 63, such as pmlp-production"
        )
    return text


def parse_namespaces(text: str) -> tuple[str, ...]:
    """Names separated by commas, each once, in the order given; nothing for all namespaces."""
    if any(wild in text for wild in "*?"):
        raise ValueError(
            f"{text!r} is a pattern; write each namespace by its name, or nothing at all for every one"
        )
    names = [name.strip() for name in text.split(",")]
    return tuple(dict.fromkeys(parse_namespace(name) for name in names if name))


def parse_gateway(text: str) -> GatewayRef:
    """``NAMESPACE/NAME`` or ``NAMESPACE/NAME/SECTION``."""
    parts = text.strip().split("/")
    names = [part for part in parts if all(DNS_LABEL.fullmatch(label) for label in part.split("."))]
    if len(parts) not in {2, 3} or names != parts:
        raise ValueError(
            f"{text!r} does not name a Gateway; write NAMESPACE/NAME, or NAMESPACE/NAME/SECTION for one "
            "listener, such as gateway-system/public/https"
        )
    return GatewayRef(*parts)


def parse_country(text: str) -> str:
    """An ISO 3166-1 alpha-2 code whose public holidays are known."""
    known = holidays.list_supported_countries(include_aliases=False)
    if text.upper() not in known:
        raise ValueError(
            f"the public holidays of {text!r} are not known; write the two letters of a country: LV, EE, SE …"
        )
    return text.upper()


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none.

    Kubernetes itself sets variables for the Services of a namespace (``ESERVICE_…_SERVICE_HOST``,
    ``ESERVICE_…_PORT…``): those are left out.
    """
    names = {f"ESERVICE_{setting.name.upper()}" for setting in fields(Settings)}
    service = re.compile(r"ESERVICE_(?:.*_)?(?:SERVICE_(?:HOST|PORT)|PORT)(?:_.*)?")
    strange = sorted(
        name
        for name in environment
        if name.startswith("ESERVICE_") and name not in names and not service.fullmatch(name)
    )
    hints = {name: nearest(name, names) for name in strange}
    return [
        f"the variable {name} is no setting" + (f"; did you mean {hint}?" if hint else "")
        for name, hint in hints.items()
    ]
