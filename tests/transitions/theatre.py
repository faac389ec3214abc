# SPDX-License-Identifier: Apache-2.0
"""Where paths are gone: a cluster with an operator and the oracles, and an event loop for Hypothesis."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eservice_operator.cluster.client import KubeApi
from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch
from tests.support.site import Site
from tests.transitions.fresh import forget, settle_anew
from tests.transitions.hands import Hands
from tests.transitions.normal_form import difference, normal_form
from tests.transitions.town import Town

Answer = TypeVar("Answer")


@dataclass
class Theatre:
    """One operator for all paths, each of which has a town of its own."""

    runner: asyncio.Runner
    people: KubeApi
    operator: OperatorProcess
    watch: Watch
    transitions: Counter[str] = field(default_factory=Counter)
    """How often each kind was moved, by what was accepted."""
    refused: int = 0
    paths: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    failure: AssertionError | None = None

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    def judge(self, town: Town, work: Coroutine[Any, Any, None]) -> None:
        """What has to hold on a path; a failure is told with the path, and ends all of them."""
        try:
            self.run(work)
        except AssertionError as error:
            self.failure = error
            error.add_note(story(town))
            raise

    async def found(self) -> Town:
        """A new town, at rest."""
        site = Site(self.people)
        town = Town(site, Hands(site))
        await town.found()
        await self.rest()
        town.hands.path.clear()
        self.paths += 1
        return town

    async def rest(self) -> None:
        """Wait until the operator has done all it can; all oracles were kept."""
        if not self.operator.running:
            self.operator.launch()
        began = time.monotonic()
        await self.operator.until_ready()
        ready = time.monotonic()
        await self.operator.at_rest()
        rested = time.monotonic()
        await self.watch.kept(rest=True)
        print(
            f"{self.transitions.total()} transitions, ready {ready - began:.1f}, rest {rested - ready:.1f}, judged {time.monotonic() - rested:.1f}",
            flush=True,
        )

    async def restart(self, *, killed: bool) -> None:
        """It dies, or is stopped; and starts again."""
        if killed:
            self.operator.kill()
        else:
            assert await self.operator.terminate() == 0
        self.operator.launch()

    async def forgets_nothing_it_needs(self, town: Town) -> None:
        """All but what is remembered is taken away while nobody runs: the same comes of it."""
        await self.rest()
        before = await normal_form(town)
        self.operator.kill()
        await forget(town)
        await self.rest()
        self._same(before, await normal_form(town), "as before", "forgotten and made again")

    async def ends_like_a_fresh_start(self, town: Town) -> None:
        """Healed, the town is what a new one is for which people write the same."""
        town.hands.note("# everything is put in order")
        await town.order()
        await self.rest()
        fresh = await settle_anew(town)
        try:
            await self.rest()
            self._same(await normal_form(town), await normal_form(fresh), "by this path", "fresh")
        finally:
            await self.leave(fresh)

    async def rolls_back(self, town: Town, before: list[str]) -> None:
        """What was done since was undone, and nothing is left of it."""
        await self.rest()
        self._same(before, await normal_form(town), "before the edit", "rolled back")

    async def leave(self, town: Town) -> None:
        """Nothing of the town stays."""
        await town.open_up()
        await town.register.clear()
        await town.site.clear(operated=True)

    def _same(self, one: list[str], other: list[str], *names: str) -> None:
        assert any('"Deployment"' in line for line in one), "there is nothing to compare"
        found = difference(one, other)
        self.compared[names[1]] += 1
        assert not found, f"{' (-) and '.join(names)} (+) differ:\n{found}"


def story(town: Town) -> str:
    """The path, to be gone again by hand."""
    return "\n".join([f"the path (site {town.site.mark}):", *town.hands.path])
