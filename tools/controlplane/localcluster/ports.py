# SPDX-License-Identifier: Apache-2.0
"""Where everything listens."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from localcluster.errors import ClusterError

LOOPBACK = "127.0.0.1"

# Below the range from which systems take ports for outgoing connections.
_PORTS = range(20000, 28000)
# What the public is answered on: high enough for a proxy that adds thousands to the port of its listener.
_PUBLIC_PORTS = range(28001, 32000)


@dataclass(frozen=True)
class Ports:
    """Ports of the loopback address; those of Contour and Envoy are for them alone."""

    public: int
    etcd: int
    etcd_peer: int
    apiserver: int
    kwok: int
    internal: int
    contour_xds: int
    contour_http: int
    contour_debug: int
    envoy_stats: int
    envoy_admin: int

    @classmethod
    def choose(cls, apiserver: int | None) -> Ports:
        """Free ports; `apiserver` if that one is asked for."""
        if apiserver is not None and not _free(apiserver):
            raise ClusterError(f"port {apiserver} is taken")
        free = _shuffled(_PORTS)
        chosen = {field.name: next(free) for field in fields(cls)} | {
            "public": next(_shuffled(_PUBLIC_PORTS))
        }
        return cls(**{**chosen, **({"apiserver": apiserver} if apiserver is not None else {})})


def _shuffled(ports: Sequence[int]) -> Iterator[int]:
    return (port for port in random.sample(ports, len(ports)) if _free(port) and _claimed(port))


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _claimed(port: int) -> bool:
    """Whether it is ours: a cluster that starts beside this one finds it free, too, until something listens.

    The claim is the name of a socket, which nobody else can take before this process ends.
    """
    if sys.platform != "linux":
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as claim:
        try:
            claim.bind(f"\0eservice-port-{port}")
        except OSError:
            return False
        claim.detach()
        return True
