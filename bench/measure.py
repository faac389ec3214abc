# SPDX-License-Identifier: Apache-2.0
"""The measurements on a real control plane, each started empty and for itself."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import bare, fleet
from bench.figures import Figure
from eservice_operator.cluster.client import KubeApi
from tests.support.audit import AuditLog, counted
from tests.support.cluster import private_control_plane
from tests.support.operator import OperatorProcess
from tests.support.rights import operator_credentials, people_credentials
from tests.support.site import Site

if TYPE_CHECKING:
    from controlplane import Cluster

PERIODS = 2
RESYNC = 5
"""Seconds from one full list to the next while the fleet is watched at rest."""
MEGABYTE = 1e6


@dataclass
class Stage:
    """A control plane with an operator that is not started yet, and with people."""

    cluster: Cluster
    operator: OperatorProcess
    kubeconfig: Path
    api: KubeApi
    audit: AuditLog

    @classmethod
    async def set(cls, stack: AsyncExitStack, folder: Path) -> Stage:
        """Start the control plane; everything ends with the stack."""
        await asyncio.to_thread(folder.mkdir, parents=True)
        cluster = stack.enter_context(private_control_plane(folder / "cluster"))
        kubeconfig = operator_credentials(cluster, folder / "operator")
        people = people_credentials(cluster, folder / "people")
        api = await stack.enter_async_context(await fleet.connect(people))
        operator = fleet.new_operator(kubeconfig, folder)
        stack.callback(operator.end)
        stack.push(lambda kind, *_: _tell(operator) if kind is not None else None)
        return cls(cluster, operator, kubeconfig, api, AuditLog.from_now(cluster.audit_log))


def _tell(operator: OperatorProcess) -> None:
    """What went wrong, as far as the operator knows."""
    sys.stderr.write(f"the operator {'runs' if operator.running else 'has ended'}: {operator.tail()}\n")


async def measure_one(folder: Path) -> list[Figure]:
    """What one e-service in Production costs from applied, its act being there, to published."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder)
        site = Site(stage.api)
        await site.prepare()
        planned = site.planned(replicas=2)
        await stage.operator.start()
        await site.apply(planned.registration(), planned.act())
        await site.until(planned.registered, lambda obj: obj["status"].get("identifier"), "its number")
        stage.audit.skip()
        began = time.perf_counter()
        await site.apply(planned.eservice())
        await site.settled(planned, "AwaitingVerification")
        installed = time.perf_counter()
        await site.apply(planned.verification())
        await site.settled(planned, "Published")
        published = time.perf_counter()
        requests = stage.audit.by()
    writes = [request for request in requests if request.writes]
    made = [request for request in writes if request.verb == "create" and request.resource != "events"]
    statuses = [
        request for request in writes if (request.resource, request.subresource) == ("eservices", "status")
    ]
    reads = [request for request in requests if request.verb == "get"]
    command = "pytest tests/operator/test_counts.py"
    parts = ", ".join(f"{what} {count}" for what, count in counted(writes).items())
    return [
        Figure(
            "One e-service, applied to published: writes, Events included",
            f"{len(writes)}: {parts}",
            "",
            command,
        ),
        Figure("… children, each made once", f"{len(made)}", "each once", command),
        Figure("… status writes on the EService", f"{len(statuses)}", "≤ 3", command),
        Figure("… live reads", f"{len(reads)}", "≤ 2", command),
        Figure("… time from applied to installed", f"{installed - began:.1f} s"),
        Figure("… time from verified to published", f"{published - installed:.1f} s"),
    ]


async def measure_fleet(folder: Path, count: int) -> list[Figure]:
    """A whole fleet: converging, against a bare client; at rest; after a restart."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder / "operated")
        site = Site(stage.api)
        await fleet.write(site, fleet.planned(site, count))
        measured = await _converge(stage, site, count)
        requests = stage.audit.writes()
        objects = await bare.snapshot(stage.api)
        measured += await _at_rest(stage, count)
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder / "bare")
        twin = Site(stage.api, mark=site.mark)
        await fleet.write(twin, fleet.planned(twin, count))
        uids = bare.renamed(objects, await bare.snapshot(stage.api))
        lanes = bare.script([request for request in requests if request.succeeded], objects)
        rate, concurrency = await bare.play(stage.kubeconfig, lanes, uids)
    operated = fleet.span(requests)
    alone = len(requests) / rate
    ratio = Figure(
        f"{count} e-services: the operator's time against that of a bare client with the same writes",
        f"{operated / alone:.2f} × ({operated:.1f} s against {alone:.1f} s:"
        f" {rate:.0f} writes/s with {concurrency} at once)",
        "≤ 1.25 × (at 1,000)",
    )
    return [measured[0], ratio, *measured[1:]]


async def _converge(stage: Stage, site: Site, count: int) -> list[Figure]:
    """From the start of the operator, all objects of the people being there, to all of them public."""
    await stage.operator.start()
    empty = fleet.usage(stage.operator.metrics())
    await fleet.public(site, count)
    used = fleet.usage(stage.operator.metrics())
    await fleet.counted(site, count)
    writes = stage.audit.writes()
    refused = [request for request in writes if not request.succeeded]
    each = len(writes) / count
    return [
        Figure(
            f"{count} e-services converged: time from the first write to the last",
            f"{fleet.span(writes):.1f} s, {len(writes)} writes ({each:.1f} each), {len(refused)} refused",
        ),
        Figure(
            "… processor time of the operator, per e-service",
            f"{1000 * used.cpu / count:.0f} ms, its start included",
        ),
        Figure(
            "… memory of the operator",
            f"{used.memory / MEGABYTE:.0f} MB, of which {empty.memory / MEGABYTE:.0f} MB when it had started",
            "≤ 90 MB + 40 KB each (at 10,000)",
        ),
    ]


async def _at_rest(stage: Stage, count: int) -> list[Figure]:
    """After a restart, and through two resync periods."""
    command = "pytest tests/operator/test_quiet.py"
    if await stage.operator.terminate() != 0:
        raise RuntimeError(stage.operator.tail())
    stage.operator.settings["resync"] = f"{RESYNC}s"
    stage.audit.skip()
    began = time.perf_counter()
    await stage.operator.start()
    restarted = await fleet.looked_at(stage.operator, count)
    seconds = time.perf_counter() - began
    after = stage.audit.by()
    stage.audit.skip()
    await fleet.looked_at(stage.operator, (1 + PERIODS) * count)
    await fleet.listed(stage.audit, PERIODS)
    resynced = stage.audit.by()
    verbs = sorted({request.verb for request in after if request.resource})
    return [
        Figure(
            f"Writes after a restart with {count} e-services", f"{sum(r.writes for r in after)}", "0", command
        ),
        Figure(
            "… reads",
            f"{len([r for r in after if r.resource])}, only {' and '.join(verbs)}",
            "lists, watches",
            command,
        ),
        Figure(
            "… until every e-service was looked at again",
            f"{seconds:.1f} s, {restarted.cpu:.1f} s of processor time, {restarted.memory / MEGABYTE:.0f} MB",
        ),
        Figure(f"Writes in {PERIODS} resync periods", f"{sum(r.writes for r in resynced)}", "0", command),
    ]
