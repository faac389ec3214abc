# SPDX-License-Identifier: Apache-2.0
"""What people may have added to a child, whoever is said to have written it.

What others own on a child is seen by its managed fields. Who writes by the operator's own name is not seen
there, nor who empties them; an apply takes off what its own entry had, and nothing that nobody owns. So some
fields are looked for by name: those that lead a Service elsewhere, and those by which something else runs in
the Pods. No default, no controller and no driver of a cluster sets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

SERVICE: Final = (
    "externalIPs",
    "externalName",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "publishNotReadyAddresses",
)
POD: Final = (
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "initContainers",
    "shareProcessNamespace",
)
CONTAINER: Final = ("args", "command", "envFrom", "lifecycle", "volumeDevices")
CONTAINERS: Final = ("containers", "initContainers")


def additions(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> tuple[str, ...]:
    """JSON pointers (RFC 6901) into ``observed`` to what is there of these, and not in the manifest."""
    match desired.get("kind"):
        case "Service":
            return tuple(_beyond(_in(desired, "spec"), _in(observed, "spec"), SERVICE, "/spec"))
        case "Deployment":
            path = "spec", "template", "spec"
            return tuple(_of_pod(_in(desired, *path), _in(observed, *path), "/".join(("", *path))))
        case _:
            return ()


def _of_pod(wanted: Mapping[str, Any], have: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _beyond(wanted, have, POD, path)
    for key in CONTAINERS:
        named = {one["name"]: one for one in wanted.get(key) or ()}
        for place, one in enumerate(have.get(key) or ()):
            if one.get("name") in named:
                yield from _beyond(named[one["name"]], one, CONTAINER, f"{path}/{key}/{place}")


def _beyond(
    wanted: Mapping[str, Any], have: Mapping[str, Any], fields: Iterable[str], path: str
) -> Iterator[str]:
    """What is empty is as good as missing."""
    return (f"{path}/{field}" for field in fields if have.get(field) and not wanted.get(field))


def _in(obj: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        obj = obj.get(key) or {}
    return obj
