# SPDX-License-Identifier: Apache-2.0
"""Where paths are gone: a cluster with an operator and the oracles, and an event loop for Hypothesis."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.client import KubeApi
from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch
from tests.support.site import Site, poll
from tests.transitions.fresh import forget, settle_anew
from tests.transitions.hands import Hands
from tests.transitions.normal_form import difference, normal_form
from tests.transitions.town import Town

Answer = TypeVar("Answer")
REST = 90.0
EQUAL = 30.0
"""Seconds, on a machine that is busy with other things."""


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
        await self.rest(town)
        town.hands.path.clear()
        self.paths += 1
        return town

    async def rest(self, town: Town | None = None) -> None:
        """Wait until the operator has done all it can; all oracles were kept.

        What it has not heard of yet is no work to it: so it has to have seen what people wrote, and to rest
        still once the oracles, which watch as it does, were told of everything.
        """
        if not self.operator.running:
            self.operator.launch()
        await self.operator.until_ready()
        if town is not None:
            await poll(lambda: _heard_of(town), lambda: "the operator has seen what people wrote", REST)
        await self.operator.at_rest()
        await self.watch.kept()
        await self.operator.at_rest()

    async def restart(self, *, killed: bool) -> None:
        """It dies, or is stopped; and starts again."""
        if killed:
            self.operator.kill()
        else:
            assert await self.operator.terminate() == 0
        self.operator.launch()

    async def forgets_nothing_it_needs(self, town: Town) -> None:
        """All but what is remembered is taken away while nobody runs: the same comes of it."""
        await self.rest(town)
        before = await normal_form(town)
        self.operator.kill()
        await forget(town)
        await self.rest(town)
        await self._same(before, town, "as before", "forgotten and made again")

    async def ends_like_a_fresh_start(self, town: Town) -> None:
        """Healed, the town is what a new one is for which people write the same."""
        town.hands.note("# everything is put in order")
        await town.order()
        await self.rest(town)
        fresh = await settle_anew(town)
        try:
            await self.rest(fresh)
            await self._same(await normal_form(town), fresh, "by this path", "fresh")
        finally:
            await self.leave(fresh)

    async def rolls_back(self, town: Town, before: list[str]) -> None:
        """What was done since was undone, and nothing is left of it."""
        await self.rest(town)
        await self._same(before, town, "before the edit", "rolled back")

    async def leave(self, town: Town) -> None:
        """Nothing of the town stays."""
        await town.open_up()
        await town.register.clear()
        await town.site.clear(operated=True)

    async def _same(self, one: list[str], town: Town, *names: str) -> None:
        """Wait until the town's normal form is the given one, and nothing was broken then."""
        assert len(one) > len(town.services), "there is nothing to compare"
        found = ""

        async def equal() -> bool:
            nonlocal found
            found = difference(one, await normal_form(town))
            return not found

        await poll(equal, lambda: f"{' (-) and '.join(names)} (+) are equal, and not:\n{found}", EQUAL)
        await self.watch.kept(rest=True)
        self.compared[names[1]] += 1


async def _heard_of(town: Town) -> bool:
    """Whether each object of ours has a status of its present spec."""
    ours = [obj for obj in await town.site.objects() if obj["apiVersion"] == API_VERSION]
    return all(
        (obj.get("status") or {}).get("observedGeneration") == obj["metadata"]["generation"] for obj in ours
    )


def story(town: Town) -> str:
    """The path, to be gone again by hand."""
    return "\n".join([f"the path (site {town.site.mark}):", *town.hands.path])
