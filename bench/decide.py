# SPDX-License-Identifier: Apache-2.0
"""What a decision costs: ``python -m bench.decide [ROUNDS]``.

The e-service is in Production, public and at rest, with all its children. Three questions:

- *at rest*: nothing has changed since the last look, as for most of a fleet at most times (a resync, a
  template's new version, another e-service's act);
- *moved*: one child changed, so that all children are built and compared again;
- *first look*: after a start, everything is read and nothing is remembered.

``report`` is the status computed from the decision. Times are processor time of one core.
"""

from __future__ import annotations

import copy
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

from eservice_operator.core.actions import Outcome
from eservice_operator.core.decide import decide
from eservice_operator.core.report import report
from eservice_operator.core.world import Observed, World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster

TARGET = 200
"""Microseconds: the median that the design asks of one decision."""
WARM_UP = 50


def at_rest() -> World:
    """The world of the e-service, public and settled."""
    cluster = PureCluster()
    cluster.put(
        worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(),
    )
    decision = cluster.settle(worlds.NOW)
    assert decision is not None  # noqa: S101 - it was not deleted
    assert not decision.actions  # noqa: S101 - it is at rest
    return cluster.world()


def moved(world: World) -> list[World]:
    """The same world twice, with another copy of one child each."""
    (key, child), *_ = ((key, child) for key, child in world.children.items() if key[0] == "Deployment")
    copies = [dict(copy.deepcopy(child.body)) for _ in range(2)]
    return [replace(world, children={**world.children, key: Observed(body)}) for body in copies]


def fresh(world: World) -> World:
    """A copy that shares nothing with what was seen before."""
    return copy.deepcopy(world)


def measure(name: str, rounds: int, step: Callable[[], object]) -> float:
    """Print the median and the 99th percentile of one step in microseconds; answer the median."""
    for _ in range(WARM_UP):
        step()
    gc.collect()
    gc.disable()
    times = []
    for _ in range(rounds):
        start = time.process_time_ns()
        step()
        times.append((time.process_time_ns() - start) / 1000)
    gc.enable()
    median = statistics.median(times)
    tail = statistics.quantiles(times, n=100)[98]
    sys.stdout.write(f"{name:<22}{median:>9.0f} µs median{tail:>9.0f} µs p99{rounds:>8} rounds\n")
    return median


def main(rounds: int = 3_000) -> None:
    """Measure, print, and say whether the design's aim is met."""
    world = at_rest()
    decision = decide(world, worlds.NOW, worlds.POLICY)
    several = cycle(moved(world))
    unseen = iter([fresh(world) for _ in range(WARM_UP + rounds // 10)])

    median = measure("decide, at rest", rounds, lambda: decide(world, worlds.NOW, worlds.POLICY))
    measure("decide, moved", rounds, lambda: decide(next(several), worlds.NOW, worlds.POLICY))
    measure("decide, first look", rounds // 10, lambda: decide(next(unseen), worlds.NOW, worlds.POLICY))
    measure("report", rounds, lambda: report(decision, Outcome(())))
    measure(
        "decide and report",
        rounds,
        lambda: report(decide(world, worlds.NOW, worlds.POLICY), Outcome(())),
    )
    verdict = "met" if median <= TARGET else "missed"
    sys.stdout.write(f"aim of {TARGET} µs median for decide at rest: {verdict}\n")


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:2]))
