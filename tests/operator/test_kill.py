# SPDX-License-Identifier: Apache-2.0
"""The operator is killed at every one of its writes, before and after the API server has carried it out.

Whatever was half done, the next operator ends where an uninterrupted one does, and makes and removes nothing
twice.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from eservice_operator.api.uses import Use
from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest
from tests.support.audit import AuditLog
from tests.support.fault_proxy import Fault, FaultProxy, Seen, fault_proxy
from tests.support.figures import Figures
from tests.support.fleet import Planned, with_instruction
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.portrait import Names, made_and_removed, portrait
from tests.support.register import Register
from tests.support.site import Site, gates, says

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

STEP = int(os.environ.get("ESERVICE_TEST_KILL_STEP", "3"))
"""Every how many writes one is killed; 1 is all of them."""
WRITING = {"POST", "PUT", "PATCH", "DELETE"}
Story = Callable[[Site], Awaitable[None]]


@dataclass
class Assassin:
    """Kills the operator at its writes of these numbers, from when it is armed on."""

    operator: OperatorProcess
    proxy: FaultProxy
    kills: int = 0
    writes: int = 0
    _victims: list[int] = field(default_factory=list)
    _struck: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, *numbers: int) -> None:
        """Odd numbers die before the API server hears of the write, even ones before they hear its answer."""
        self.writes = 0
        self._victims = list(numbers)
        self.proxy.faults[:] = [
            Fault(lambda seen: self._strike(seen, odd=True), times=len(numbers) + 1, drop=True),
            Fault(lambda seen: self._strike(seen, odd=False), times=len(numbers) + 1, lose_reply=True),
        ]

    def disarm(self) -> None:
        """Spare it: a story does not always take the same number of status writes."""
        self.proxy.faults.clear()

    def _strike(self, seen: Seen, *, odd: bool) -> bool:
        if seen.method not in WRITING:
            return False
        self.writes += odd  # both faults see each request, this one first
        if self.writes not in self._victims or bool(self.writes % 2) is not odd:
            return False
        self._victims.remove(self.writes)
        self.operator.kill()
        self.kills += 1
        self._struck.set()
        return True

    @asynccontextmanager
    async def reviving(self) -> AsyncIterator[None]:
        """Inside the block a killed operator is started again at once."""
        task = asyncio.create_task(self._revive())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()
        await self.operator.until_ready()

    async def _revive(self) -> None:
        while True:
            await self._struck.wait()
            self._struck.clear()
            self.operator.launch()


@pytest.fixture
async def assassin(operator_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Assassin]:
    """An operator whose way to the API server is watched by its murderer."""
    async with fault_proxy(await credentials.load(str(operator_kubeconfig), None)) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(kubeconfig, tmp_path / "log", {"resync": "10m"})
        await operator.start()
        yield Assassin(operator, proxy)
        operator.end()


async def nothing(site: Site) -> None:
    await site.prepare()


async def published_on_the_old_version(site: Site) -> None:
    await site.prepare()
    await site.published(site.planned(version="1.0.0"))


async def first_publication(site: Site) -> None:
    planned = site.planned()
    await site.apply(planned.registration(), planned.eservice(), planned.act())
    await site.settled(planned, "AwaitingVerification")
    await site.apply(planned.verification())
    await site.settled(planned, "Published")


async def unpublication_and_return(site: Site) -> None:
    planned = site.planned(version="1.0.0")
    await site.apply(with_instruction(await site.see_template()))
    await site.settled(planned, "Unpublished")
    renewed = planned.renewed()
    await site.apply(renewed.act(), renewed.eservice())
    await site.candidate(renewed)
    await site.settled(planned, "Unpublished")
    await site.apply(renewed.verification())
    await site.settled(planned, "Published")
    await site.kept_without_pods(planned)


def asking(site: Site) -> tuple[Register, Planned, Manifest]:
    """A register, an e-service, and how the one is asked for by the other."""
    register, planned = Register(site), site.planned()
    return register, planned, planned.eservice(spec={"uses": [register.use()]})


async def waiting_for_a_grant(site: Site) -> None:
    register, planned, eservice = asking(site)
    await site.prepare()
    await register.prepare()
    await site.apply(planned.registration(), planned.act(), register.tested(planned), eservice)
    await site.until(planned.ref, lambda obj: set(gates(obj)) >= {"AccessGranted"}, "it waits for the holder")


async def a_grant_and_its_end(site: Site) -> None:
    register, planned, _ = asking(site)
    await site.apply(register.grant(planned))
    await site.settled(planned, "AwaitingVerification")
    await site.apply(planned.verification())
    await site.settled(planned, "Published")
    await site.delete(register.grant_ref(planned))
    await site.gone(register.grant_ref(planned))
    await site.until(planned.ref, lambda obj: not says(obj, "AccessGranted", "True"), "it says what it lost")


async def three_at_once(site: Site) -> None:
    services = [site.planned(name, replicas=2) for name in ("address", "parking", "tax")]
    for planned in services:
        await site.apply(planned.registration(), planned.eservice(), planned.act())
    for planned in services:
        await site.settled(planned, "AwaitingVerification")
        await site.apply(planned.verification())
    for planned in services:
        await site.settled(planned, "Published")


class Ending(NamedTuple):
    """How a story ended: the picture of everything, what was made and removed, how many writes it took."""

    picture: list[str]
    changes: Counter[str]
    events: int
    writes: int


@dataclass
class Theatre:
    """Plays a story on a new site each time."""

    assassin: Assassin
    people: KubeApi
    audit: AuditLog

    async def play(self, before: Story, story: Story, *victims: int) -> Ending:
        site = Site(self.people)
        await before(site)
        await quiet(self.assassin.operator)
        self.audit.skip()
        self.assassin.arm(*victims)
        async with self.assassin.reviving():
            await story(site)
        self.assassin.disarm()
        await self.assassin.operator.until_ready()
        await self.assassin.operator.at_rest()
        writes = self.assassin.writes
        old = site.planned(version="1.0.0")
        binding = binding_of(site.planned().name, Use.model_validate(Register(site).use()))
        names = Names(site, [old.release, site.planned().release, old.renewed().release, binding])
        changes = made_and_removed(self.audit.writes(), names)
        told = [request for request in self.audit.writes() if request.what == "create events"]
        ending = Ending(await portrait(site, names), changes, len(told), writes)
        await site.assert_sound()
        await site.clear(operated=True)
        return ending


def assert_same(killed: Ending, whole: Ending, where: str) -> None:
    changes, expected = killed.changes, whole.changes
    assert changes == expected, f"{where}: {changes - expected} too many, {expected - changes} too few"
    different = "\n".join(sorted(set(killed.picture) ^ set(whole.picture)))
    assert not different, f"{where}:\n{different}"


@pytest.mark.parametrize(
    "before, story",
    [
        (nothing, first_publication),
        (published_on_the_old_version, unpublication_and_return),
        (waiting_for_a_grant, a_grant_and_its_end),
    ],
    ids=["publication", "unpublication-and-return", "grant-and-its-end"],
)
async def test_killed_at_every_write(
    assassin: Assassin, people: KubeApi, audit: AuditLog, figures: Figures, before: Story, story: Story
) -> None:
    theatre = Theatre(assassin, people, audit)
    whole = await theatre.play(before, story)
    assert whole.changes
    events = 0
    victims = range(1, whole.writes + 1, STEP)
    for number in victims:
        killed = await theatre.play(before, story, number)
        assert_same(killed, whole, f"killed at write {number} of {whole.writes}")
        events += killed.events - whole.events
    assert len(victims) - 2 <= assassin.kills <= len(victims), "the last writes may have been saved"
    assert_log_clean(assassin.operator.records())
    name = f"killed at a write of {story.__name__.replace('_', ' ')}"
    figures.add(name, f"{assassin.kills} of {whole.writes} places, all survived; Events told {events:+d}")


async def test_killed_again_and_again_while_three_are_published(
    assassin: Assassin, people: KubeApi, audit: AuditLog, figures: Figures
) -> None:
    theatre = Theatre(assassin, people, audit)
    whole = await theatre.play(nothing, three_at_once)
    moments = sorted(random.Random(1909).sample(range(1, whole.writes), 8))  # noqa: S311 - any will do
    killed = await theatre.play(nothing, three_at_once, *moments)
    assert_same(killed, whole, f"killed at the writes {moments}")
    assert len(moments) - 2 <= assassin.kills <= len(moments)
    assert_log_clean(assassin.operator.records())
    figures.add("killed while three e-services are published", f"{assassin.kills} times, survived")


async def quiet(operator: OperatorProcess) -> None:
    """Wait until the operator has nothing to do: no key waits, none runs."""
    await operator.until_ready()
    while True:
        metrics = operator.metrics()
        if not metrics["eservice_operator_queue_depth"] and not metrics["eservice_operator_queue_running"]:
            return
        await asyncio.sleep(0.02)
