# SPDX-License-Identifier: Apache-2.0
"""A fleet of e-services on a real control plane: from written to public, at rest, after a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, resource_of
from eservice_operator.core.actions import Manifest
from tests.support import fleet
from tests.support.audit import AuditLog, Request
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess
from tests.support.site import Site, condition, poll, says

NAMESPACES = 10
AT_ONCE = 8
PATIENCE = 1800.0
TICK = 1.0
"""Seconds between two looks at the operator's metrics."""


@dataclass(frozen=True)
class Usage:
    """What the operator's process has used so far: seconds of processor time, bytes of memory."""

    cpu: float
    memory: float


def planned(site: Site, count: int) -> list[Planned]:
    """That many e-services of the site, in several namespaces."""
    places = [f"{site.namespace}-{number}" for number in range(min(NAMESPACES, count))]
    return [
        Planned(f"s{number:05d}-{site.mark}", places[number % len(places)], site.template)
        for number in range(count)
    ]


async def write(site: Site, services: list[Planned]) -> None:
    """Everything that people write about them, as fast as the API server takes it."""
    places = sorted({service.namespace for service in services})
    await site.apply(fleet.template(site.template), *(fleet.namespace(place) for place in places))
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(service: Planned) -> None:
        async with at_once:
            await site.apply(*service.everything())

    await asyncio.gather(*(one(service) for service in services))


async def until(
    operator: OperatorProcess, check: Callable[[dict[str, float]], bool], what: str
) -> dict[str, float]:
    """The operator's figures once ``check`` holds for them, and it has nothing to do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        metrics = operator.metrics()
        idle = not metrics["eservice_operator_queue_depth"] and not metrics["eservice_operator_queue_running"]
        if idle and check(metrics):
            return metrics
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not in {PATIENCE:.0f} s")
        await asyncio.sleep(TICK)


async def public(site: Site, count: int) -> None:
    """Wait until that many e-services are public and settled.

    By a watch of the people's: each scrape of the operator's metrics would cost it what ten decisions do.
    """
    eservices = resource_of("EService")
    done: set[str] = set()
    items, version = await site.api.list(eservices)
    async with asyncio.timeout(PATIENCE):
        async with aclosing(site.api.watch(eservices, version)) as events:
            for item in items:
                _note(done, item)
            async for _, item in events:
                _note(done, item)
                if len(done) == count:
                    return


def _note(done: set[str], item: Manifest) -> None:
    if "status" in item and says(item, "Published", "True") and condition(item, "Reconciling") is None:
        done.add(item["metadata"]["uid"])


async def looked_at(operator: OperatorProcess, times: int) -> Usage:
    """Wait until so many reconciles of e-services have ended, and nothing waits."""
    series = 'eservice_operator_reconciles_total{kind="EService"'
    return usage(await until(operator, lambda metrics: total(metrics, series) >= times, f"{times} looks"))


async def counted(site: Site, count: int) -> None:
    """Wait until the template says how many e-services are on it, which it counts every other second."""
    await site.until(site.template_ref, lambda obj: obj["status"].get("eServices") == count, "its count")


async def listed(audit: AuditLog, times: int) -> None:
    """Wait until every kind has been listed in full so often."""
    wanted = {resource.plural for resource in (*OWN, *CHILDREN, *OBSERVED)}

    async def done() -> bool:
        lists = [request.resource for request in audit.by() if request.verb == "list"]
        return all(lists.count(plural) >= times for plural in wanted)

    await poll(done, lambda: f"{times} lists of each kind", PATIENCE)


def total(metrics: dict[str, float], prefix: str) -> float:
    """The sum of all series whose name begins so."""
    return sum(value for series, value in metrics.items() if series.startswith(prefix))


def usage(metrics: dict[str, float]) -> Usage:
    """What a process says of itself in its metrics."""
    return Usage(metrics["process_cpu_seconds_total"], metrics["process_resident_memory_bytes"])


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
