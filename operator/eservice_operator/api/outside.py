# SPDX-License-Identifier: Apache-2.0
"""What is outside of the cluster: the address of a backend there, and the networks that it lies in (R3).

Consumers' Pods are let out to these networks, so they never lead back to the node or the Pod itself, and
never to everywhere. Loopback needs no way out: so no address names it either, whichever way clients read one.
A name is not resolved.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from eservice_operator.api.fields import LABEL, text

LEAST_PREFIX = {4: 8, 6: 16}
"""The prefix of the widest network, by IP version."""
NEVER_OUTSIDE = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/128", "::1/128", "fe80::/10", "ff00::/8"),
)
"""Unspecified, loopback and link-local: the Pod and its node, with what a cloud tells the node under these
addresses; multicast; and what is reserved, broadcast with it."""
_NETWORK = (
    "write a network such as 198.51.100.0/28 or 2001:db8::/32: /8 at the widest (IPv6: /16), with no bits"
    " beyond its prefix, without unspecified, loopback, link-local, multicast and reserved addresses"
)
_OUTSIDE = " && ".join(
    (
        "isCIDR(self)",
        "cidr(self) == cidr(self).masked()",
        f"cidr(self).prefixLength() >= {LEAST_PREFIX}[cidr(self).ip().family()]",
        f"{list(NEVER_OUTSIDE)}.all(n, !cidr(n).containsCIDR(self) && !cidr(self).containsCIDR(n))",
    )
)
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = rf"({_OCTET}(\.{_OCTET}){{3}}|({LABEL}\.)+[a-z]([-a-z0-9]*[a-z0-9])?)"
"""What ends in a number is an address to many clients, also as 127.1, 0x7f.1 or 0177.0.0.1; and what has no
dot is searched for in the cluster's own domains first."""
_ADDRESS = rf"^https?://{_HOST}(:{_PORT})?(/[!-~]*)?$"
_INSIDE = r"^https?://[^:/]+\.(localhost|local|internal|svc(\.[^:/]+)?)([:/]|$)"
"""Names of the Pod itself, of a cloud's metadata and of Services, whichever domain the cluster has."""
_URL = (
    "write an address such as https://api.vzd.example/v2, with an IPv4 address or a full host name in"
    " lower case that is none of the Pod or the cluster (.localhost, .local, .internal, .svc), and"
    " without a user"
)


def _leads_outside(written: str) -> str:
    if re.search(_INSIDE, written):
        raise PydanticCustomError("outside_url", _URL)
    return written


def _is_outside(written: str) -> str:
    try:
        network = ipaddress.ip_network(written)
    except ValueError as error:
        raise PydanticCustomError("outside_network", _NETWORK) from error
    inside = (ipaddress.ip_network(never) for never in NEVER_OUTSIDE)
    mapped = isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None
    if (
        mapped
        or network.prefixlen < LEAST_PREFIX[network.version]
        or any(network.version == never.version and network.overlaps(never) for never in inside)
    ):
        raise PydanticCustomError("outside_network", _NETWORK)
    return written


OutsideNetwork = Annotated[
    str,
    text(r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", _NETWORK, most=43, rule=_OUTSIDE),
    AfterValidator(_is_outside),
]
"""A network outside of the cluster, in CIDR notation."""
OutsideUrl = Annotated[
    str,
    text(_ADDRESS, _URL, most=512, rule=f'self.matches(r"{_ADDRESS}") && !self.matches(r"{_INSIDE}")'),
    AfterValidator(_leads_outside),
]
"""The address of a backend; it is handed to consumers, so it has no place for a user and a password."""
