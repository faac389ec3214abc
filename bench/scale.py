# SPDX-License-Identifier: Apache-2.0
"""What a fleet of a certain size costs: the operator, a bare client, and the minimal operator in Go.

Each gets a control plane of its own, on which people have written the same objects; all in the same run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import bare, deadline, fleet
from bench.figures import Figure, measured
from bench.minimal import MinimalOperator
from bench.processes import Contender, Used, at_rest, comes_true, used
from bench.stage import Ours, Stage
from eservice_operator.api.names import OWNER_UID_LABEL
from eservice_operator.cluster.resources import CHILDREN
from eservice_operator.core.actions import Manifest
from tests.support.audit import Request, counted
from tests.support.fleet import with_instruction
from tests.support.site import Site

PERIODS = 2
MADE = {resource.plural for resource in CHILDREN}
WAVE = 1_000
"""Up to so many e-services are taken off at one instant."""
LOOK = 2.0
"""Seconds between two scrapes."""
RATIO = "≤ 1.25 × (at 1,000)"
BESIDE = "bare client"
OTHER = "controller-runtime"


class Startable(Contender, Protocol):
    """An operator that can be started and ended."""

    async def start(self) -> None:
        """Start it."""
        ...

    async def terminate(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Converged:
    """From the start of an operator, all objects of the people being there, to all of them public."""

    requests: list[Request]
    empty: Used
    full: Used
    server: float
    """Seconds of processor time of the API server and its store."""

    @property
    def seconds(self) -> float:
        """From the first write to the last."""
        return fleet.span(self.requests)

    def figures(self, count: int, who: str, name: str) -> Iterator[Figure]:
        """Under the key of ``who``, called ``name``."""
        key, many = f"fleet.{count}.{who}", len(self.requests)
        refused = sum(not request.succeeded for request in self.requests)
        each = f"{many / count:.1f} each, {refused} refused"
        yield measured(f"{key}.writes", "about", many, f"{name}: writes until all are public", note=each)
        yield measured(f"{key}.seconds", "time", self.seconds, "… from the first to the last")
        per = f"{1000 * self.full.cpu / count:.1f} ms each, its start included"
        yield measured(f"{key}.cpu", "cpu", self.full.cpu, "… its processor time", note=per)
        yield measured(f"{key}.server", "cpu", self.server, "… the API server's and etcd's")
        empty = f"{self.empty.memory / 1e6:.0f} MB of it when it had started"
        target = f"≤ {90 + 0.04 * count:,.0f} MB" if who == "operator" else ""
        yield measured(f"{key}.memory", "memory", self.full.memory, "… its memory", target, empty)


async def measure_fleet(
    folder: Path, count: int, known: Iterable[Figure] = (), **settings: str
) -> list[Figure]:
    """Every figure of a fleet of this size, with one control plane at a time, and an operator with these.

    Where some of controller-runtime are ``known`` that is not measured again.
    """
    ours = await measure_ours(folder, count, **settings)
    return [*ours, *(list(known) or await measure_minimal(folder / "minimal", count))]


async def measure_ours(folder: Path, count: int, **settings: str) -> list[Figure]:
    """The figures of the operator, and of a bare client with the same writes."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder / "operated", count)
        site = Site(stage.api)
        template = await fleet.write(site, fleet.planned(site, count))
        stage.tell(f"people have written {count:,} e-services")
        ours = stage.operator(**settings)
        converged = await _converge(stage, ours, site, count)
        objects = await bare.snapshot(stage.api)
        first = list(converged.figures(count, "operator", f"{count:,} e-services"))
        first.append(_children(objects, f"fleet.{count}.operator"))
        stage.tell("all are public")
        later = list(await _new_version(stage, ours, site, template, count))
        stage.tell("a new version was published")
        later += await _restarted(stage, ours, f"fleet.{count}.operator", count)
        stage.tell("restarted")
        later += await _resynced(stage, ours, count)
        await ours.terminate()
        stage.tell(f"{PERIODS} resync periods have passed")
        wave = await deadline.fleet_due(stage, site, count) if count <= WAVE else None
    played = await _bare(folder / "bare", site, count, converged.requests, objects)
    later += [] if wave is None else wave.figures(count, played.rate)
    return [*first, *_beside(converged, played, count), *later]


def _beside(converged: Converged, played: bare.Played, count: int) -> Iterator[Figure]:
    alone, key = len(converged.requests) / played.rate, f"fleet.{count}.bare"
    beside = f"{converged.seconds:.1f} s against {alone:.1f} s"
    name = f"… its time against that of a {BESIDE} with the same writes"
    ratio = converged.seconds / alone
    yield measured(f"fleet.{count}.ratio", "ratio", ratio, name, RATIO, beside)
    rate = f"{played.rate:.0f} writes/s with {played.concurrency} at once, of {played.sent:,} writes"
    yield measured(f"{key}.seconds", "time", alone, f"… the {BESIDE}: all writes", note=rate)
    all_of_them = len(converged.requests) / played.sent
    yield measured(f"{key}.cpu", "cpu", played.cpu * all_of_them, f"… the {BESIDE}: its processor time")
    name = f"… the {BESIDE}: the API server's and etcd's"
    yield measured(f"{key}.server", "cpu", played.server * all_of_them, name)


async def _converge(stage: Stage, contender: Startable, site: Site, count: int) -> Converged:
    stage.audit.skip()
    before = stage.server()
    await contender.start()
    empty = used(contender.pid)
    await fleet.public(site, count)
    full, server = used(contender.pid), stage.server()
    await at_rest(contender, looks=count)
    return Converged(stage.audit.writes(), empty, full, server.since(before))


def _children(objects: dict[bare.Place, Manifest], key: str) -> Figure:
    """What was made for e-services, and is there in the end."""
    made = Counter(
        plural
        for (plural, _, _), live in objects.items()
        if OWNER_UID_LABEL in (live["metadata"].get("labels") or {}) and plural in MADE
    )
    parts = ", ".join(f"{plural} {number}" for plural, number in sorted(made.items()))
    return measured(f"{key}.children", "count", made.total(), "… children in the end", note=parts)


async def _new_version(
    stage: Stage, ours: Ours, site: Site, template: Manifest, count: int
) -> Iterator[Figure]:
    """3.0.0 becomes the current version, which changes nobody's dates."""
    await fleet.counted(site, count)
    await at_rest(ours, looks=count)
    stage.audit.skip()
    before = used(ours.pid)
    await site.apply(with_instruction(template))
    await site.until(
        site.template_ref, lambda obj: obj["status"].get("currentVersion") == "3.0.0", "current", within=600
    )
    rest = await at_rest(ours, looks=count)
    writes = stage.audit.writes()
    others = [request for request in writes if request.resource not in {"eservicetemplates", "events"}]
    key, target = f"fleet.{count}.version", "≤ 5 s (at 10,000)"
    name = f"{count:,} e-services: a new current version that changes nobody's dates, processor time"
    spent = measured(f"{key}.cpu", "cpu", rest.used.since(before), name, target)
    parts = ", ".join(f"{what} {number}" for what, number in counted(writes).items())
    told = measured(f"{key}.writes", "count", len(others), "… writes elsewhere than its status", "0", parts)
    return iter([spent, told])


async def _restarted(stage: Stage, contender: Startable, key: str, count: int) -> Iterator[Figure]:
    """What an operator does that finds everything as it has to be."""
    await contender.terminate()
    stage.audit.skip()
    began = time.monotonic()
    await contender.start()
    rest = await at_rest(contender, looks=count)
    asked = stage.audit.by()
    reads = [request for request in asked if request.resource and not request.writes]
    verbs = " and ".join(sorted({request.verb for request in reads}))
    others = [one for one in reads if not (one.verb == "watch" or (one.verb == "list" and one.paged))]
    other = "" if key.endswith("operator") else f"{OTHER}, "
    name, writes = f"{other}{count:,} e-services: writes after a restart", [r for r in asked if r.writes]
    return iter(
        [
            measured(f"{key}.restart.writes", "count", len(writes), name, "0"),
            measured(f"{key}.restart.reads", "about", len(reads), "… reads", note=f"only {verbs}"),
            measured(f"{key}.restart.others", "count", len(others), "… reads but watches and pages of lists"),
            measured(
                f"{key}.restart.seconds", "time", rest.at - began, "… until all were looked at, and it rests"
            ),
            measured(f"{key}.restart.cpu", "cpu", rest.used.cpu, "… its processor time"),
            measured(f"{key}.restart.memory", "memory", rest.used.memory, "… its memory"),
        ]
    )


async def _resynced(stage: Stage, ours: Ours, count: int) -> list[Figure]:
    """At rest, through two resync periods: short ones, but long enough for all to be looked at."""
    await ours.terminate()
    ours.process.settings["resync"] = f"{max(2, count // 100)}s"
    await ours.start()
    stage.audit.skip()
    await fleet.listed(stage.audit, PERIODS)
    await comes_true(
        lambda: ours.ended() >= (1 + PERIODS) * count, lambda: "looks at all", fleet.PATIENCE, LOOK
    )
    writes = stage.audit.writes()
    name = f"{count:,} e-services: writes in {PERIODS} resync periods"
    return [measured(f"fleet.{count}.resync.writes", "count", len(writes), name, "0")]


async def _bare(
    folder: Path, site: Site, count: int, requests: list[Request], objects: dict[bare.Place, Manifest]
) -> bare.Played:
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder, count)
        twin = Site(stage.api, mark=site.mark)
        await fleet.write(twin, fleet.planned(twin, count))
        uids = bare.renamed(objects, await bare.uids(stage.api))
        lanes = bare.script([request for request in requests if request.succeeded], objects)
        stage.tell(f"people have written the same: the {BESIDE} begins")
        return await bare.play(stage.kubeconfig, lanes, uids, stage.server)


async def measure_minimal(folder: Path, count: int) -> list[Figure]:
    """The figures of the minimal operator in Go."""
    async with AsyncExitStack() as stack:
        stage = await Stage.set(stack, folder, count)
        site = Site(stage.api)
        await fleet.write(site, fleet.planned(site, count))
        stage.tell(f"people have written the like: {OTHER} begins")
        other = MinimalOperator(stage.kubeconfig, folder / "minimal.log")
        stack.callback(other.end)
        converged = await _converge(stage, other, site, count)
        found = list(converged.figures(count, "minimal", f"{OTHER}, {count:,} e-services"))
        found.append(_children(await bare.snapshot(stage.api), f"fleet.{count}.minimal"))
        found += await _restarted(stage, other, f"fleet.{count}.minimal", count)
        await other.terminate()
    return found
