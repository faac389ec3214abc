# SPDX-License-Identifier: Apache-2.0
"""What citizens notice, through real gateways: of releases that change, of a verification, of a deadline.

``python -m bench.switching`` measures both gateways; ``--lane`` one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from bench import figures, fleet
from bench.figures import Figure
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.gateways.stage import TARGET, Stage
from tests.support.cluster import Options, private_control_plane
from tests.support.figures import Figures
from tests.support.fleet import Planned, in_test, registration, with_instruction
from tests.support.load import Answer, citizen
from tests.support.operator import OperatorProcess
from tests.support.site import Site
from tests.support.time_machine import time_machine
from tests.support.upstreams import upstreams

if TYPE_CHECKING:
    from controlplane import Cluster

Lane = Literal["traefik", "contour"]
COMMAND = "python -m bench.switching"
NAMES = {"traefik": "Traefik", "contour": "Contour and Envoy"}
SWITCHES = 50
RATE = 200.0
"""Requests a second."""
VERIFIED = 10
"""So many e-services become public, one after the other."""
BEFORE = timedelta(seconds=25)
"""What is left of the promised time when the operator starts on its last day."""
DRAIN = {"drain-delay": "3s"}
"""Longer than a gateway takes to follow on a machine that citizens and servers share with it."""


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--lane", choices=get_args(Lane), action="append", help="repeatable; default: both")
    parser.add_argument("--switches", type=int, default=SWITCHES, help="default %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="eservice-switching-") as folder:
        for figure in measure(Path(folder), options.lane or get_args(Lane), options.switches):
            sys.stdout.write(figures.table([figure]) + "\n")
            sys.stdout.flush()


def measure(
    folder: Path, lanes: Sequence[Lane] = get_args(Lane), switches: int = SWITCHES
) -> Iterator[Figure]:
    """Every figure of these lanes, each on a control plane of its own."""
    for lane in lanes:
        yield from asyncio.run(_measure(folder / lane, lane, switches))


async def _measure(folder: Path, lane: Lane, switches: int) -> list[Figure]:
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(
            private_control_plane(folder / "cluster", Options(public_gateway=lane, audit=False))
        )
        stage = await _stage(stack, cluster, lane)
        operator = OperatorProcess(cluster.kubeconfig, folder / "operator.log", DRAIN)
        stack.callback(operator.end)
        await operator.start()
        measured = [*await switched(stage, switches), await verified(stage)]
        if await operator.terminate() != 0:
            raise RuntimeError(operator.tail())
        measured.append(await deadline(stage, cluster, folder))
    return measured


async def _stage(stack: AsyncExitStack, cluster: Cluster, lane: Lane) -> Stage:
    if cluster.pod_address is None:
        raise RuntimeError("without kwok there are no Pods to switch between")
    api = await stack.enter_async_context(await fleet.connect(cluster.kubeconfig))
    pods = await stack.enter_async_context(upstreams(cluster.pod_address))
    public = await stack.enter_async_context(citizen(cluster.gateway_url))
    internal = await stack.enter_async_context(citizen(cluster.internal_gateway_url))
    return Stage(lane, Site(api), pods, public, internal, Figures())


async def switched(stage: Stage, switches: int) -> list[Figure]:
    """An e-service in Test gets one new release after the other, each of them installed anew."""
    site = stage.site
    await site.prepare()
    releases = [site.planned("switched", content=f"release {number}") for number in range(switches + 1)]
    first = releases[0]
    place, host = [("Test", first.namespace)], [("Test", first.host)]
    await site.apply(registration(first.name, place, host), await _in_test(stage, first))
    await stage.answered(first)
    written: list[float] = []
    async with stage.asked(first, RATE) as answers:
        for before, release in pairwise(releases):
            written.append(await stage.apply(await _in_test(stage, release)))
            await stage.answered(release)
            await site.kept_without_pods(before)
    delays = [
        answers.first(release.release).ends - at for release, at in zip(releases[1:], written, strict=True)
    ]
    name, failed = NAMES[stage.lane], answers.failed()
    return [
        Figure(
            f"{name}: {switches} new releases at {RATE:.0f} requests a second, requests failed",
            f"{len(failed)} of {len(answers.all)}{_what(failed)}",
            "0",
            COMMAND,
        ),
        Figure(
            "… from the write of the spec to the first answer of the new release", spread(delays), "", COMMAND
        ),
        Figure("… latest start of a request", f"{answers.latest_start:.2f} s late", "≤ 0.5 s", COMMAND),
    ]


async def _in_test(stage: Stage, planned: Planned) -> Manifest:
    upstream = await stage.pods.open(planned.release)
    spec = {"release": {"image": planned.image}, "workload": {"port": upstream.port}}
    return in_test(planned, spec=spec)


async def verified(stage: Stage) -> Figure:
    """From the write of the ProductionVerification to the first 200 of a citizen."""
    stage, delays = replace(stage, site=Site(stage.site.api)), []
    await stage.site.prepare()
    for number in range(VERIFIED):
        planned = stage.site.planned(f"verified{number}")
        await stage.installed(planned)
        at = await stage.apply(planned.verification())
        delays.append((await stage.answered(planned)).ends - at)
    name = f"{NAMES[stage.lane]}: from verified to the first 200"
    return Figure(name, spread(delays), f"≤ {TARGET:g} s", COMMAND)


async def deadline(stage: Stage, cluster: Cluster, folder: Path) -> Figure:
    """From the instant of R8 to the first request that the e-service does not answer."""
    site = Site(stage.site.api)
    stage = replace(stage, site=site)
    async with time_machine(cluster, folder, **DRAIN) as machine:
        operator = await machine.operator.start()
        template = await site.prepare(lagMeasure="SinceSuperseded")
        planned = site.planned("due")
        await stage.published(planned)
        await site.apply(with_instruction(template))
        effective = await stage.promised(planned)
        await operator.terminate()
        machine.travel(effective - now() - BEFORE)
        due = time.monotonic() + BEFORE.total_seconds()
        await operator.start()
        async with stage.asked(planned, RATE) as answers:
            await stage.citizens.until(planned.host, lambda answer: not answer.served, "off", within=90)
    off = min(answer.begins for answer in answers.failed()) - due
    name = f"{NAMES[stage.lane]}: from the deadline to the first request that is not served"
    return Figure(name, f"{off:.2f} s", f"≤ {TARGET:g} s", COMMAND)


def _what(failed: Sequence[Answer]) -> str:
    """What came in the place of an answer, the most frequent first."""
    counts = Counter(answer.said for answer in failed).most_common()
    return "".join(f", {count} × {said}" for said, count in counts)


def spread(delays: Sequence[float]) -> str:
    """Median, 95th percentile and the longest."""
    tail = statistics.quantiles(delays, n=20, method="inclusive")[-1]
    return f"{statistics.median(delays):.2f} s median, {tail:.2f} s at p95, {max(delays):.2f} s at most"


if __name__ == "__main__":
    main()
