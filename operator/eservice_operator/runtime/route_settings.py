# SPDX-License-Identifier: Apache-2.0
"""How the settings about public routes are written; see `settings`."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from eservice_operator.core.address import HIGHEST_PORT, Address, to_connect_to
from eservice_operator.core.policy import GatewayRef, NoticeRef
from eservice_operator.runtime.settings import DNS_LABEL, parse_gateway

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")
ANNOTATIONS = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]*\*?|\*")
LONGEST_VALUE = 4096
"""Characters of a header's value that an HTTPRoute can ask for."""
LONGEST_NAME = 253
LONGEST_DOMAIN = 189
"""253 characters of a name, less a label and its dot."""


def parse_gateways(text: str) -> tuple[GatewayRef, ...]:
    """Gateways separated by commas, each once, in the order given; nothing for none."""
    return tuple(dict.fromkeys(parse_gateway(part) for part in text.split(",") if part.strip()))


def parse_notice(text: str) -> NoticeRef:
    """``NAME`` or ``NAME:PORT`` of a Service; the port is 80 without one."""
    name, colon, port = text.strip().partition(":")
    number = port.isascii() and port.isdigit() and 0 < int(port) <= HIGHEST_PORT
    if DNS_LABEL.fullmatch(name) is None or (colon and not number):
        raise ValueError(
            f"{text!r} does not name a Service; write NAME or NAME:PORT, such as eservice-notice or "
            "eservice-notice:8080; it is looked for in the namespace of the routes"
        )
    return NoticeRef(name, int(port)) if colon else NoticeRef(name)


def parse_class(text: str) -> str:
    """The name of an IngressClass."""
    if len(text) > LONGEST_NAME or not all(DNS_LABEL.fullmatch(label) for label in text.split(".")):
        raise ValueError(f"{text!r} is not the name of an IngressClass; see kubectl get ingressclasses")
    return text


def parse_annotations(text: str) -> tuple[str, ...]:
    """Names of annotations separated by commas, or beginnings with a ``*`` after them; nothing for none."""
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for one in wanted:
        if ANNOTATIONS.fullmatch(one) is None:
            raise ValueError(
                f"{one!r} names no annotation; write one such as cert-manager.io/cluster-issuer, or"
                " cert-manager.io/* for all that begin so"
            )
    return wanted


def parse_domain(text: str) -> str:
    """A DNS domain, before which there is room for one more label."""
    domain = text.strip()
    labels = domain.split(".")
    if len(domain) > LONGEST_DOMAIN or not all(DNS_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{text!r} is not a domain; write one without a wildcard, such as preview.agency.example"
        )
    return domain


def parse_header(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` of a header of a request."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or HEADER_NAME.fullmatch(name) is None or not 0 < len(value) <= LONGEST_VALUE:
        raise ValueError(f"{text!r} is not a header; write NAME=VALUE, such as X-Preview=yes")
    if not value.isascii() or not value.isprintable() or name.lower() == "host":
        raise ValueError(
            f"{text!r} is no header to match; write NAME=VALUE of printable ASCII, and not the header Host"
        )
    return name, value


def parse_probe_address(text: str) -> Address:
    """``HOST:PORT`` to connect to."""
    address = to_connect_to(text)
    if address is None:
        raise ValueError(
            f"{text!r} is nothing to connect to; write HOST:PORT, such as gateway.agency.example:443"
        )
    return address


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks separated by commas; nothing for none."""
    return tuple(dict.fromkeys(_network(part.strip()) for part in text.split(",") if part.strip()))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a network; write an address and a length, such as 10.20.0.0/16 or fd00:20::/48"
        ) from None
