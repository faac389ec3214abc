# SPDX-License-Identifier: Apache-2.0
"""Any path through valid, invalid and hostile edits ends where a fresh start from the final specs ends.

`make soak MINUTES=60` goes new paths and prints their seed; with ``ESERVICE_TEST_SEED`` the same again.
Without minutes the paths are the same each time.
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
from tests.transitions.machine import BURST, Transitions
from tests.transitions.theatre import Theatre

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7 * 86_400)]

SOAK = float(os.environ.get("ESERVICE_TEST_SOAK_MINUTES", "0"))
"""Minutes of the long run; 0 is the one that is the same each time."""
AT_LEAST = 500
PATHS = int(os.environ.get("ESERVICE_TEST_PATHS", "11"))
STEPS = int(os.environ.get("ESERVICE_TEST_STEPS", "50"))
PACE = 20
"""Paths of one draw of the long run, which ends after the draw in which its time is over."""


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """Whoever stands in the way is looked at again soon, and each rest has several resync periods."""
    return {"resync": "3s"}


@pytest.fixture
def theatre(launched: OperatorProcess, people_kubeconfig: Path, oracles_at_work: Watch) -> Iterator[Theatre]:
    with asyncio.Runner() as runner:
        people = runner.run(client(people_kubeconfig))
        try:
            oracles_at_work.follow(launched)
            yield Theatre(runner, people, launched, oracles_at_work)
        finally:
            runner.run(people.close())


async def client(kubeconfig: Path) -> KubeApi:
    return KubeApi(await credentials.load(str(kubeconfig), None))


def drawn(paths: int) -> settings:
    """Nothing is shrunk: each try on a real cluster takes a minute, and the path is printed as it was."""
    return settings(
        max_examples=paths,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        derandomize=not SOAK and "ESERVICE_TEST_SEED" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def test_any_path_ends_where_a_fresh_start_ends(theatre: Theatre, figures: Figures) -> None:
    Transitions.theatre = theatre
    until = time.monotonic() + SOAK * 60
    number = int(os.environ.get("ESERVICE_TEST_SEED", random.SystemRandom().randrange(2**32)))
    while True:
        if SOAK or "ESERVICE_TEST_SEED" in os.environ:
            print(f"ESERVICE_TEST_SEED={number}", flush=True)  # noqa: T201 - to do the same again
            run = seed(number)(Transitions)
        else:
            run = Transitions
        try:
            run_state_machine_as_test(run, settings=drawn(PACE if SOAK else PATHS))
        except Exception:
            if theatre.failure is None:
                raise
        tell(theatre, figures)
        if theatre.failure is not None:
            raise theatre.failure
        if time.monotonic() >= until:
            break
        number += 1
    if SOAK:
        return
    done = theatre.transitions.total()
    missed = {resource.kind for resource in OWN} - set(theatre.transitions)
    assert not missed, f"no path has touched {missed}"
    assert done >= AT_LEAST, f"{done} transitions in {theatre.paths} paths"


def tell(theatre: Theatre, figures: Figures) -> None:
    """What was done, for people."""
    figures.lines[:] = [line for line in figures.lines if "transition" not in line[0]]
    counts = dict(theatre.transitions.most_common())
    figures.add("transitions", theatre.transitions.total(), counts)
    figures.add("… paths of transitions, with a rest after each", f"{theatre.paths}, {BURST}")
    figures.add("… transitions that were refused besides", theatre.refused)
    figures.add("… transitions' ends compared", theatre.compared.total(), dict(theatre.compared))
    figures.add("… versions judged during transitions", theatre.watch.told)
