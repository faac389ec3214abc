# SPDX-License-Identifier: Apache-2.0
"""What others may put beside an e-service's route on the same gateway: routes of the Agency's namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.gateways.stage import Stage
from tests.support.fleet import Planned
from tools.demo.street import doorway

ROUTES = "eservice-routes"
ROUTE_API = "gateway.networking.k8s.io/v1"
PATH_PREFIX = {"path": {"type": "PathPrefix", "value": "/"}}
EXACTLY = {"path": {"type": "Exact", "value": "/"}}
"""Goes before every prefix, whoever was there first."""


def route(name: str, host: str, match: Manifest, backend: Manifest, **rule: Any) -> Manifest:
    """Somebody's route on the public Gateway."""
    parent = {"namespace": "gateway-system", "name": "public"}
    return {
        "apiVersion": ROUTE_API,
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": ROUTES},
        "spec": {
            "parentRefs": [parent],
            "hostnames": [host],
            "rules": [{"matches": [match], "backendRefs": [backend], **rule}],
        },
    }


def copied(stage: Stage, planned: Planned) -> Manifest:
    """A route that somebody has made after that of the e-service, mark included: it leads to its Pods."""
    header = {"set": [{"name": "EService-Route", "value": planned.route.name}]}
    mark = {"type": "ResponseHeaderModifier", "responseHeaderModifier": header}
    backend = {"namespace": planned.namespace, "name": planned.name, "port": 80}
    return route(f"copied-{stage.site.mark}", planned.host, EXACTLY, backend, filters=[mark])


@asynccontextmanager
async def served_elsewhere(stage: Stage) -> AsyncIterator[Manifest]:
    """A backend that is no e-service, in the routes namespace: it answers as the release ``elsewhere``."""
    name = f"elsewhere-{stage.site.mark}"
    pod = await stage.pods.open("elsewhere")
    service, endpoints = doorway(name, ROUTES, pod.address, pod.port)
    await stage.site.apply(service, endpoints)
    try:
        yield {"name": name, "port": 80}
    finally:
        await stage.site.delete(ref_of(service))
        await stage.site.delete(ref_of(endpoints))


@asynccontextmanager
async def standing(stage: Stage, manifest: Manifest) -> AsyncIterator[Ref]:
    """Somebody's route stands while the block runs, unless it is deleted before."""
    ref = ref_of(manifest)
    await stage.site.apply(manifest)
    try:
        yield ref
    finally:
        await stage.site.delete(ref)
        await stage.site.gone(ref)
