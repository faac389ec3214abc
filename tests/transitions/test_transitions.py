# SPDX-License-Identifier: Apache-2.0
"""Any path through valid, invalid and hostile edits ends where a fresh start from the final specs ends.

The same paths each time, for some minutes; ``ESERVICE_TEST_SEED`` goes others, and `make soak MINUTES=60`
goes new ones for so long. Each prints its seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import OWN
from tests.support.figures import Figures
from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch
from tests.support.zygote import Zygote
from tests.transitions.machine import BURST, REVERSIBLE, Transitions
from tests.transitions.theatre import Theatre

MINUTES = float(os.environ.get("ESERVICE_TEST_SOAK_MINUTES", "0"))
"""Of the long run; 0 is one draw of paths, the same each time."""
SEED = int(os.environ.get("ESERVICE_TEST_SEED", random.SystemRandom().randrange(2**32) if MINUTES else 7))
AT_LEAST = 500
"""Transitions of a whole draw."""
DRAW = 12
"""Paths of a whole draw: enough of them to say that something was never done."""
PATHS = int(os.environ.get("ESERVICE_TEST_PATHS", DRAW))
"""Of one draw; the long run ends after the draw in which its time is over."""
STEPS = 50

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(MINUTES * 60 + 3600)]


@pytest.fixture
def theatre(
    idle: OperatorProcess, brood: Zygote, people_kubeconfig: Path, oracles_at_work: Watch
) -> Iterator[Theatre]:
    idle.launcher = brood.launch  # it dies often
    idle.launch()
    with asyncio.Runner() as runner:
        people = runner.run(client(people_kubeconfig))
        try:
            oracles_at_work.follow(idle)
            yield Theatre(runner, people, idle, oracles_at_work)
        finally:
            runner.run(people.close())


async def client(kubeconfig: Path) -> KubeApi:
    return KubeApi(await credentials.load(str(kubeconfig), None))


DRAWN = settings(
    max_examples=PATHS,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.generate],  # each try takes half a minute, and a path is printed as it was
    suppress_health_check=list(HealthCheck),
)


def test_any_path_ends_where_a_fresh_start_ends(theatre: Theatre, figures: Figures) -> None:
    Transitions.theatre = theatre
    until = time.monotonic() + MINUTES * 60
    number = SEED
    while True:
        print(f"ESERVICE_TEST_SEED={number}", flush=True)  # noqa: T201 - to do the same again
        run_state_machine_as_test(seed(number)(Transitions), settings=DRAWN)
        tell(theatre, figures, number)
        if theatre.failures:
            raise ExceptionGroup(
                f"of {theatre.paths} paths, with ESERVICE_TEST_SEED={number}", theatre.failures
            )
        if time.monotonic() >= until:
            break
        number += 1
    judge_what_was_done(theatre)


def judge_what_was_done(theatre: Theatre) -> None:
    """That it was enough to say something; of less than a whole draw only that each path came to its end."""
    assert theatre.paths, "no path was gone"
    compared = {name: theatre.compared[name] for name in ("fresh", "forgotten and made again", "rolled back")}
    assert min(compared.values()) >= theatre.paths, f"of {theatre.paths} paths compared: {compared}"
    if theatre.paths < DRAW:
        return
    done, least = theatre.transitions.total(), AT_LEAST * theatre.paths // DRAW
    assert done >= least, f"{done} transitions in {theatre.paths} paths, fewer than {least}"
    missed = {*(resource.kind for resource in OWN), "child", "Namespace", "the operator"}
    missed -= {kind for kind, times in theatre.transitions.items() if times}
    assert not missed, f"no path has touched {missed}"
    unproven = {edit.name for edit in REVERSIBLE} - set(theatre.undone)
    assert not unproven, f"never undone: {unproven}"


def tell(theatre: Theatre, figures: Figures, number: int) -> None:
    """What was done up to the draw of this seed, for people."""
    figures.lines[:] = [line for line in figures.lines if "transition" not in line[0]]
    counts = dict(theatre.transitions.most_common())
    figures.add("transitions", theatre.transitions.total(), counts)
    figures.add("… paths of transitions, with a rest after each", f"{theatre.paths}, {BURST}")
    figures.add("… the last seed of transitions", number)
    figures.add("… transitions that were refused besides", theatre.refused)
    figures.add("… transitions undone again", theatre.undone.total(), dict(theatre.undone.most_common()))
    figures.add("… transitions' ends compared", theatre.compared.total(), dict(theatre.compared))
    figures.add("… versions judged during transitions", theatre.watch.told)
