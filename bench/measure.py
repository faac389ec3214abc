# SPDX-License-Identifier: Apache-2.0
"""What one e-service in Production costs from applied, its act being there, to published."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, measured
from bench.stage import Stage
from tests.support.audit import Request, counted
from tests.support.site import Site

COMMAND = "pytest tests/operator/test_counts.py"


async def measure_one(folder: Path) -> list[Figure]:
    """Requests, and how long it took by the clock."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder)
        site = Site(stage.api)
        await site.prepare()
        planned = site.planned(replicas=2)
        await stage.operator().start()
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
    first, last = installed - began, published - installed
    return [
        *(replace(figure, command=COMMAND) for figure in _counts(requests)),
        measured("one.installed", "time", first, "… time from applied to installed"),
        measured("one.published", "time", last, "… time from verified to published"),
    ]


def _counts(requests: list[Request]) -> list[Figure]:
    writes = [request for request in requests if request.writes]
    made = [request for request in writes if request.verb == "create" and request.resource != "events"]
    statuses = [
        request for request in writes if (request.resource, request.subresource) == ("eservices", "status")
    ]
    reads = [request for request in requests if request.verb == "get"]
    again = len(made) - len({request.target for request in made})
    parts = ", ".join(f"{what} {count}" for what, count in counted(writes).items())
    name = "One e-service, applied to published: writes, Events included"
    return [
        measured("one.writes", "count", len(writes), name, note=parts),
        measured("one.children", "count", len(made), "… children made"),
        measured("one.again", "count", again, "… children made more than once", "0"),
        measured("one.statuses", "count", len(statuses), "… status writes on the EService", "≤ 3"),
        measured("one.reads", "count", len(reads), "… live reads", "≤ 2"),
    ]
