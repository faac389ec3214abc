# SPDX-License-Identifier: Apache-2.0
"""How the settings about public routes are written; see `settings`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from eservice_operator.core.policy import GatewayRef, NoticeRef
from eservice_operator.runtime.settings import ADDRESS, DNS_LABEL, HIGHEST_PORT, Address, parse_gateway


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


def parse_probe_address(text: str) -> Address:
    """``HOST:PORT`` to connect to."""
    match = ADDRESS.fullmatch(text.strip())
    if match is None or not match["host"] or not 0 < int(match["port"]) <= HIGHEST_PORT:
        raise ValueError(
            f"{text!r} is nothing to connect to; write HOST:PORT, such as gateway.agency.example:443"
        )
    return Address(match["host"].strip("[]"), int(match["port"]))


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
