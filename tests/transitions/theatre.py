# SPDX-License-Identifier: Apache-2.0
"""Where paths are gone: a cluster with an operator and the oracles, and an event loop for Hypothesis."""

from __future__ import annotations

import asyncio
import sys
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
from tests.transitions.valid import Edit, Scene

Answer = TypeVar("Answer")
REST = 90.0
EQUAL = 30.0
"""Seconds, on a machine that is busy with other things."""
SOON = 5.0
"""Seconds: within them nothing is planned. Whether an obstacle has gone it looks once a minute."""


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
    undone: Counter[str] = field(default_factory=Counter)
    """How often each edit was accepted, and undone again."""
    failures: list[AssertionError] = field(default_factory=list)
    """What did not hold, each with its path."""

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    def judge(self, town: Town, work: Coroutine[Any, Any, object]) -> bool:
        """Whether what has to hold on a path does; a failure is kept with the path that led to it."""
        try:
            self.run(work)
        except AssertionError as error:
            error.add_note(story(town))
            self.failures.append(error)
            sys.stderr.write(f"{error}\n{story(town)}\n")  # a long run goes on for long
            return False
        return True

    async def found(self) -> Town:
        """A new town, at rest."""
        site = Site(self.people)
        town = Town(site, Hands(site))
        await town.found()
        await self.rest(town)
        town.hands.path.clear()
        self.paths += 1
        return town

    async def carry_out(self, edit: Edit, scene: Scene) -> bool:
        """Make one edit; whether anything of it was accepted."""
        hands = scene.town.hands
        hands.note(f"# {edit.kind}: {edit.name}")
        refused = hands.refused
        accepted = await edit.do(scene)
        self.transitions[edit.kind] += accepted
        self.refused += hands.refused - refused
        return accepted

    async def rest(self, town: Town) -> None:
        """Wait until the operator has done all it can; all oracles were kept.

        What it has not heard of yet is no work to it: so once the oracles, which watch as it does, were told
        of everything, it has to have seen what people wrote, and to rest still.
        """
        if not self.operator.running:
            self.operator.launch()
        await self.operator.until_ready()
        await self.operator.at_rest(soon=SOON)
        await self.watch.kept()
        await poll(lambda: self._heard_of(town), lambda: "the operator has seen what people wrote", REST)
        await self.operator.at_rest(soon=SOON)

    async def portrayed(self, town: Town) -> list[str]:
        """The town's normal form once everything that was done is known to the operator: it begins anew."""
        await self.rest(town)
        await self.restart(killed=True)
        await self.rest(town)
        return await normal_form(town)

    async def restart(self, *, killed: bool) -> None:
        """It dies, or is stopped; and starts again."""
        if killed:
            self.operator.kill()
        else:
            assert await self.operator.terminate() == 0
        self.operator.launch()

    async def ends(self, edit: Edit, opposite: Edit, scene: Scene) -> None:
        """What has to hold at the end of every path."""
        as_it_is = await self.undoes(edit, opposite, scene)
        await self.forgets_nothing_it_needs(scene.town, as_it_is)
        await self.ends_like_a_fresh_start(scene.town)

    async def undoes(self, edit: Edit, opposite: Edit, scene: Scene) -> list[str]:
        """An edit that is made and undone leaves nothing behind; the town's normal form, before and after.

        Nobody holds anything by then: a child with somebody else's finalizer would be going for ever once it
        is removed, and bindings go until the grant's new status says that it is open.
        """
        town = scene.town
        town.hands.note("# this is to be as before in the end")
        await town.let_go()
        await town.mark()
        await self.carry_out(opposite, scene)
        before = await self.portrayed(town)
        if await self.carry_out(edit, scene):
            self.undone[edit.name] += 1
        await self.rest(town)
        await self.carry_out(opposite, scene)
        await self.rest(town)
        await self._same(before, town, "before the edit", "rolled back")
        return before

    async def forgets_nothing_it_needs(self, town: Town, before: list[str]) -> None:
        """All but what is remembered is taken away while nobody runs: the same comes of it."""
        self.operator.kill()
        await forget(town)
        await self.rest(town)
        await self._same(before, town, "as before", "forgotten and made again")

    async def ends_like_a_fresh_start(self, town: Town) -> None:
        """Healed, the town is what a new one is for which people write the same."""
        town.hands.note("# everything is put in order")
        hindered = bool(await town.obstacles())
        await town.order()
        if hindered:
            await self.restart(killed=True)  # or it would look a minute later whether the way is free
        await self.rest(town)  # a new release is public before anybody starts anew with it
        fresh = await settle_anew(town)
        try:
            await self.rest(fresh)
            await self._same(town, fresh, "by this path", "fresh")
        finally:
            await self.leave(fresh)

    async def leave(self, town: Town) -> None:
        """Nothing of the town stays."""
        await town.open_up()
        await town.register.clear()
        await town.site.clear(operated=True)

    async def _heard_of(self, town: Town) -> bool:
        """Whether each object of ours, as the oracles know it, has a status of its present spec."""
        known = [obj for obj in list(self.watch.cluster.present.values()) if town.site.is_mine(obj)]
        ours = [obj for obj in known if obj["apiVersion"] == API_VERSION]
        return bool(ours) and all(
            (obj.get("status") or {}).get("observedGeneration") == obj["metadata"]["generation"]
            for obj in ours
        )

    async def _same(self, one: list[str] | Town, town: Town, *names: str) -> None:
        """Wait until both have the same normal form, and nothing was broken then."""
        found = ""

        async def equal() -> bool:
            nonlocal found
            expected = await normal_form(one) if isinstance(one, Town) else one
            assert len(expected) > len(town.services), "there is nothing to compare"
            found = difference(expected, await normal_form(town))
            return not found

        await poll(equal, lambda: f"{' (-) and '.join(names)} (+) are equal, and not:\n{found}", EQUAL)
        await self.watch.kept(rest=True)
        self.compared[names[1]] += 1


def story(town: Town) -> str:
    """The path, to be gone again by hand."""
    return "\n".join([f"the path (site {town.site.mark}):", *town.hands.path])
