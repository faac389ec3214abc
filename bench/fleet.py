# SPDX-License-Identifier: Apache-2.0
"""A fleet of e-services on a real control plane: what people write, and when all of it is public."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, resource_of
from eservice_operator.core.actions import Manifest
from tests.support import fleet
from tests.support.audit import AuditLog, Request
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.site import Site, condition, poll, says

NAMESPACES = 10
AT_ONCE = 16
PATIENCE = 7200.0
VERSIONS = (*fleet.VERSIONS[:2], ("2.1.0", 2, 1), fleet.VERSIONS[2])
"""All e-services are on 2.0.0. As 2.1.0 is published, they have a date to migrate by; 3.0.0 has yet to be,
and then changes nobody's."""
NEVER = {"percent": 100, "atLeast": 100_000}
"""A brake that engages at no number."""


def planned(site: Site, count: int) -> list[Planned]:
    """That many e-services of the site, in several namespaces."""
    places = [f"{site.namespace}-{number}" for number in range(min(NAMESPACES, count))]
    return [
        Planned(f"s{number:05d}-{site.mark}", places[number % len(places)], site.template)
        for number in range(count)
    ]


async def write(site: Site, services: list[Planned]) -> Manifest:
    """Everything that people write about them, as fast as the API server takes it; answers the template."""
    places = sorted({service.namespace for service in services})
    template = fleet.template(site.template, VERSIONS, brake=NEVER)
    await site.apply(template, *(fleet.namespace(place) for place in places))
    waiting = iter(services)

    async def work() -> None:
        for service in waiting:
            for manifest in service.everything():
                await site.create(manifest)

    async with asyncio.TaskGroup() as people:
        for _ in range(AT_ONCE):
            people.create_task(work())
    return template


async def public(site: Site, count: int) -> None:
    """Wait until that many e-services are public and settled.

    By a watch of the people's: each scrape of the operator's metrics would cost it what many decisions do.
    """
    eservices = resource_of("EService")
    done: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while len(done) < count:
            items, version = await site.api.list(eservices)
            for item in items:
                _note(done, item)
            try:
                async with aclosing(site.api.watch(eservices, version)) as events:
                    async for _, item in events:
                        _note(done, item)
                        if len(done) == count:
                            return
            except ApiError:
                continue  # the watch was cut off: what it would have brought is in the next list


def _note(done: set[str], item: Manifest) -> None:
    if "status" in item and says(item, "Published", "True") and condition(item, "Reconciling") is None:
        done.add(item["metadata"]["uid"])


async def counted(site: Site, count: int) -> None:
    """Wait until the template says how many e-services are on it, which it counts every other second."""

    def so_many(template: Manifest) -> bool:
        return bool(template["status"].get("eServices") == count)

    await site.until(site.template_ref, so_many, "its count", within=600)


async def listed(audit: AuditLog, times: int) -> None:
    """Wait until every kind has been listed in full so often."""
    wanted = {resource.plural for resource in (*OWN, *CHILDREN, *OBSERVED)}

    async def done() -> bool:
        lists = [request.resource for request in audit.by() if request.verb == "list"]
        return all(lists.count(plural) >= times for plural in wanted)

    await poll(done, lambda: f"{times} lists of each kind", PATIENCE, longest=2.0)


def span(requests: list[Request]) -> float:
    """Seconds from the arrival of the first to that of the last."""
    instants = sorted(datetime.fromisoformat(request.at) for request in requests)
    return (instants[-1] - instants[0]).total_seconds() if instants else 0.0


def new_operator(kubeconfig: Path, folder: Path, **settings: str) -> OperatorProcess:
    """An operator as in production, but for the settings given."""
    usual = {"settle": "1s", "drain-delay": "15s", "resync": "20m"}
    named = {name.replace("_", "-"): value for name, value in settings.items()}
    return OperatorProcess(kubeconfig, folder / "operator.log", usual | named)


async def connect(kubeconfig: Path) -> KubeApi:
    """A client with these credentials."""
    return KubeApi(await credentials.load(str(kubeconfig), None))
