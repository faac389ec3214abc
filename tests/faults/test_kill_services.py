# SPDX-License-Identifier: Apache-2.0
"""The operator is killed at every write of a publication, before and after the API server has carried it out.

Whatever was half done, the next operator ends where an uninterrupted one does, makes and removes nothing
twice, and leaves nobody untold. Only of Events there may be fewer, or more: no status waits for them.
"""

from __future__ import annotations

import random

import pytest

from tests.faults.conftest import Opening
from tests.faults.endings import unlike
from tests.faults.every_write import killed_at_every_write
from tests.faults.killing import Moment, Play, Theatre
from tests.faults.scenarios import PUBLISHING, Scenario, prepared, three_at_once
from tests.support.figures import Figures
from tests.support.operator import assert_log_clean, executed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("scenario", PUBLISHING, ids=str)
async def test_killed_at_every_write(theatre: Theatre, figures: Figures, scenario: Scenario) -> None:
    await killed_at_every_write(theatre, figures, scenario)


async def test_killed_again_and_again_while_three_are_published(opened: Opening, figures: Figures) -> None:
    """With the command as people start it; the others are forked from it."""
    scenario = Scenario("three at once", prepared, three_at_once)
    async with opened(executed) as theatre:
        whole = await theatre.whole(scenario)
        chosen = tuple(random.Random(1909).sample(whole.writes[:-1], 6))  # noqa: S311 - any will do
        kills = 0
        async for killed in theatre.all(scenario, [Play(moment, chosen) for moment in Moment], whole):
            wrong = unlike(killed, whole, f"killed at {', '.join(map(str, chosen))}")
            assert not wrong, wrong[0]
            kills += killed.kills
        assert kills >= len(chosen), "the story is long enough to be killed in"
        assert_log_clean(theatre.assassin.operator.records())
    figures.add("killed while three e-services are published", f"{kills} times in 2 plays, survived")
    figures.totals["kills at a write"] += kills
