# SPDX-License-Identifier: Apache-2.0
"""From the instant at which an e-service is to be off to the end of its public route, as a watch tells of it.

``python -m bench.deadline [TIMES]`` measures it for one e-service at a time. The days until the instant are
skipped by the operator's clock alone, see `bench.moved`: the last seconds before it pass as they do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bench import fleet
from bench.figures import Figure, measured, table
from bench.processes import at_rest, comes_true, used
from bench.stage import Ours, Stage
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.support.site import Site, poll
from tests.support.worlds import merged

TIMES = 30
NOTICE = timedelta(days=30)
OVERDUE = {"maximumLag": "P6M", "noticePeriod": f"P{NOTICE.days}D", "warnBefore": []}
"""2.0.0 lags 3.0.0 by eleven months. Nobody is warned on the last day: what is measured is the end."""
EVE = timedelta(hours=1)
"""The operator comes to rest so long before the first instant."""
LEAD = timedelta(seconds=4)
"""What is left before an instant when the clock is moved there; and longer, where there are many."""
EACH = timedelta(milliseconds=20)
TARGET = 1.0
LATE = 300.0
COMMAND = "python -m bench.deadline"


@dataclass
class Watched:
    """When each public route was gone, by the machine's clock."""

    gone: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Traveller:
    """An operator whose clock is moved, and by how much it is."""

    ours: Ours
    offset: Path
    ahead: timedelta = timedelta()

    @classmethod
    async def start(cls, stage: Stage) -> Traveller:
        """On the present day, at first."""
        offset = stage.folder / "offset"
        offset.write_text("0")
        ours = stage.operator(sys.executable, "-m", "bench.moved", str(offset))
        await ours.start()
        return cls(ours, offset)

    def to(self, instant: datetime) -> None:
        """It is that instant now."""
        self.ahead = instant - now()
        self.offset.write_text(str(self.ahead.total_seconds()))
        os.kill(self.ours.pid, signal.SIGUSR1)


@dataclass(frozen=True)
class Wave:
    """The end of many at one instant."""

    waits: Sequence[float]
    """Seconds from the instant to the end of each route."""
    writes: int
    until: float
    """Seconds from the instant to the last write."""
    cpu: float

    def figures(self, count: int, rate: float) -> Iterator[Figure]:
        """``rate`` is the bare client's, in writes per second: the API server's limit."""
        key, alone = f"fleet.{count}.due", self.writes / rate
        name = f"{count:,} e-services due at one instant: until the last route is gone"
        spread = f"{statistics.median(self.waits):.1f} s median"
        yield measured(f"{key}.seconds", "time", max(self.waits), name, note=spread)
        note = (
            f"{self.until:.1f} s for {self.writes:,} writes, against {alone:.1f} s at the bare client's rate"
        )
        name = "… all of its writes against a bare client's time for as many"
        yield measured(f"{key}.ratio", "ratio", self.until / alone, name, "the API server's limit", note)
        yield measured(f"{key}.cpu", "cpu", self.cpu, "… the operator's processor time")


async def fleet_due(stage: Stage, site: Site, count: int) -> Wave:
    """All e-services of a site that are public become overdue, and are due at one instant."""
    async with AsyncExitStack() as stack:
        watched = await stack.enter_async_context(_watching(site))
        traveller = await Traveller.start(stage)
        ours = traveller.ours
        await site.apply(dict(merged(await site.see_template(), {"spec": {"lifecycle": OVERDUE}})))
        due = (await _scheduled(site, count))[0]
        traveller.to(due - EVE)
        await at_rest(ours, looks=count)
        traveller.to(due - LEAD - EACH * count)
        before = used(ours.pid)
        stage.audit.skip()
        true = due - traveller.ahead
        await comes_true(
            lambda: len(watched.gone) >= count, lambda: f"{len(watched.gone)} gone", fleet.PATIENCE
        )
        rest = await at_rest(ours, looks=count)
        writes = [one for one in stage.audit.writes() if datetime.fromisoformat(one.at) >= true]
        await ours.terminate()
    until = max(datetime.fromisoformat(one.at) for one in writes) - true
    waits = [(at - true).total_seconds() for at in watched.gone.values()]
    return Wave(waits, len(writes), until.total_seconds(), rest.used.since(before))


async def one_due(folder: Path, times: int = TIMES) -> list[Figure]:
    """So many e-services, each due on a day of its own."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder)
        site = Site(stage.api)
        services = fleet.planned(site, times)
        await fleet.write(site, services)
        watched = await stack.enter_async_context(_watching(site))
        traveller = await Traveller.start(stage)
        await fleet.public(site, times)
        template = await site.see_template()
        for number, planned in enumerate(services):
            await site.apply(planned.deferral(NOTICE.days + 1 + number))
        later = {"maximumDeferral": "P12M"}
        await site.apply(dict(merged(template, {"spec": {"lifecycle": OVERDUE | later}})))
        instants = await _scheduled(site, times)
        if len(set(instants)) != times:
            raise RuntimeError(f"{times} e-services are due at {len(set(instants))} instants")
        traveller.to(instants[0] - EVE)
        await at_rest(traveller.ours, looks=times)
        waits = [await _one(traveller, watched, instant) for instant in sorted(instants)]
        await traveller.ours.terminate()
    p99 = statistics.quantiles(waits, n=100, method="inclusive")[98] if times > 1 else waits[0]
    note = f"{statistics.median(waits):.2f} s median, {max(waits):.2f} s at most, of {times}"
    name = "One e-service: from its deadline to the end of its public route, at p99"
    target = f"≤ {TARGET:g} s"
    return [Figure(name, f"{p99:.2f} s, {note}", target, COMMAND, "deadline.p99", round(p99, 4), "time")]


async def _one(traveller: Traveller, watched: Watched, due: datetime) -> float:
    gone = len(watched.gone)
    traveller.to(due - LEAD)
    true = due - traveller.ahead
    await comes_true(lambda: len(watched.gone) > gone, lambda: f"{gone} routes are gone", LATE)
    return (max(watched.gone.values()) - true).total_seconds()


async def _scheduled(site: Site, count: int) -> list[datetime]:
    """When each decision takes effect, once there are that many and all say so, the earliest first."""

    def promised(decisions: Sequence[Manifest]) -> list[str]:
        statuses = [one.get("status") or {} for one in decisions]
        return [str(one["effectiveAt"]) for one in statuses if one.get("state") == "Scheduled"]

    async def ask() -> list[str] | None:
        items, _ = await site.api.list(resource_of("UnpublishDecision"))
        found = promised(items)
        return found if len(found) == count else None

    found = await poll(ask, lambda: f"{count} decisions that are scheduled", fleet.PATIENCE, longest=2.0)
    return sorted(map(datetime.fromisoformat, found))


@asynccontextmanager
async def _watching(site: Site) -> AsyncIterator[Watched]:
    """Every public route that is deleted from now to the end of the block."""
    watched, routes = Watched(), resource_of("HTTPRoute")
    _, version = await site.api.list(routes)

    async def watch() -> None:
        nonlocal version
        while True:  # the server ends a watch every few minutes
            async for event, route in site.api.watch(routes, version):
                version = route["metadata"]["resourceVersion"]
                if event == "DELETED":
                    watched.gone.setdefault(route["metadata"]["name"], now())

    task = asyncio.create_task(watch())
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.wait({task})


def main(times: int = TIMES) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="eservice-deadline-") as folder:
        sys.stdout.write(table(asyncio.run(one_due(Path(folder) / "one", times))) + "\n")


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:2]))
