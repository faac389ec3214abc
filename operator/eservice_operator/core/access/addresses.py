# SPDX-License-Identifier: Apache-2.0
"""R3: where a web service may answer outside of the cluster: nowhere inside, whatever its holder writes.

The consumers' Pods are let out to the networks of such a backend, past every other policy of theirs. A holder
that could name those of the cluster itself would lead them to everybody's Pods and Services.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from eservice_operator.api.outside import NEVER_OUTSIDE
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Backend
from eservice_operator.core.access.terms import Finding, waiting

Network = IPv4Network | IPv6Network
NEVER: tuple[Network, ...] = tuple(ip_network(never) for never in NEVER_OUTSIDE)


def address_finding(backend: Backend, cluster: Iterable[Network]) -> Finding | None:
    """Why nobody may be led to a backend outside of the cluster, whose own networks are given."""
    if backend.url is None and not backend.networks:
        return None
    named = _named(backend.url or "")
    networks = tuple(ip_network(network) for network in backend.networks)
    inside = tuple(cluster)
    for network in (*networks, *(() if named is None else (ip_network(named),))):
        own = _overlapping(network, inside)
        if own is not None:
            return _not_allowed(f"{_shown(network)} is in {own}, which is the cluster's own")
    if named is not None and _overlapping(ip_network(named), NEVER) is not None:
        return _not_allowed(f"{named} is never outside of the cluster")
    if named is not None and networks and not any(named in network for network in networks):
        return _not_allowed(f"{named} of backend.url is in none of backend.networks")
    return None


def _named(url: str) -> IPv4Address | IPv6Address | None:
    """The address that a URL names; None where it names a host."""
    try:
        return ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return None


def _overlapping(network: Network, others: Iterable[Network]) -> Network | None:
    """The first of the others that a network has addresses of; those of one IP version only compare."""
    return next((one for one in others if one.version == network.version and one.overlaps(network)), None)


def _shown(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)


def _not_allowed(why: str) -> Finding:
    text = f"{why}: the holder names the address and the networks of the outside system alone"
    return waiting(Reason.BACKEND_NOT_ALLOWED, text)
