# SPDX-License-Identifier: Apache-2.0
"""Electors on the lease of a real API server: who gets it, what is survived, and what ends them."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import pytest
from kubernetes.aio.client import Configuration

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Transient
from eservice_operator.cluster.lease import Candidate, Lease, Terms, lease_of, ref_of_lease
from eservice_operator.core.actions import Ref
from eservice_operator.runtime import elector as electing
from eservice_operator.runtime.clock import SYSTEM, boottime
from eservice_operator.runtime.elector import Elector
from eservice_operator.runtime.leadership import Alone, connection_of_lease, identity_here
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.startup import CannotStart
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.faults.asked import Seen
from tests.support.faults.fault import FOR_EVER, Fault, dropped, refused, status_body
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

TERMS = Terms(duration=60, renew_deadline=40, retry=0.4)
"""Nobody loses it, or has it run out, by a machine that stands still for a while."""
RUNS_OUT = Terms(duration=6, renew_deadline=4, retry=0.4)
"""For who waits for that."""
TOO_LATE = Terms(duration=60, renew_deadline=6, retry=0.4)
"""For who does not renew it: nobody else can lead for long after its end."""
MANY = 8
CONFLICT: tuple[int, dict[str, str], str] = (409, {}, status_body(409, "Conflict"))


class Left(Exception):
    """In place of the end of the process."""


def leave(code: int) -> NoReturn:
    raise Left(code)


@dataclass
class Stage:
    """A lease of the test's own, and who stands for it, through ``configuration``."""

    api: KubeApi
    configuration: Configuration
    where: Ref
    metrics: Metrics = field(default_factory=Metrics)
    terms: Terms = TERMS

    @asynccontextmanager
    async def standing(
        self, name: str, meanwhile: Sequence[str] = ()
    ) -> AsyncIterator[tuple[Elector, asyncio.Task[None]]]:
        """An elector that has looked once, and runs; between the two the lease is given to ``meanwhile``."""
        elector = Elector(self.where, Candidate(name, self.terms), self.metrics, SYSTEM, leave=leave)
        transport = connection_of_lease(self.configuration, self.terms, name)
        running: asyncio.Task[None] | None = None
        try:
            await elector.look(transport)
            for holder in meanwhile:
                await self.give_to(holder)
            await elector.stand()
            running = asyncio.create_task(elector.run())
            yield elector, running
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            await transport.close()

    async def lease(self) -> Lease | None:
        found = await self.api.get(self.where)
        return None if found is None else lease_of(found)

    async def holder(self) -> str:
        found = await self.lease()
        assert found is not None
        return f"{found.holder} after {found.transitions}"

    async def renewed(self) -> None:
        """Wait until it is written once more."""
        before = await self.lease()

        async def written() -> bool:
            return await self.lease() != before

        await eventually(written, "a renewal")

    async def delete(self) -> None:
        found = await self.api.get(self.where)
        assert found is not None
        await self.api.delete(self.where, uid=found["metadata"]["uid"])

    async def give_to(self, holder: str) -> None:
        metadata = {"namespace": self.where.namespace, "name": self.where.name}
        spec = {"holderIdentity": holder, "leaseDurationSeconds": int(self.terms.duration)}
        body = {"apiVersion": self.where.api_version, "kind": "Lease", "metadata": metadata, "spec": spec}
        await self.api.apply(body, field_manager="somebody", force=True)


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(await credentials.load(str(cluster.kubeconfig), None)) as running:
        yield running


@pytest.fixture
def stage(api: KubeApi, proxy: FaultProxy, namespace: str) -> Stage:
    return Stage(api, proxy.configuration(), ref_of_lease(namespace, "leader"))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is given back also where that takes longer than an operator that ends would wait."""
    monkeypatch.setattr(electing, "LAST_WORD", 30.0)


def writes(seen: Seen) -> bool:
    return seen.writes


@pytest.mark.cluster
class TestElections:
    async def test_of_many_that_begin_at_once_one_leads(self, stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            stood = await asyncio.gather(
                *(stack.enter_async_context(stage.standing(f"pod-{number}")) for number in range(MANY))
            )
            leading = [elector for elector, _ in stood if elector.leading]
            assert [elector.identity for elector in leading] == [(await stage.holder()).split()[0]]
            await stage.renewed()
            assert [elector for elector, _ in stood if elector.leading] == leading
            assert not any(task.done() for _, task in stood)

    async def test_given_back_it_is_taken_at_the_next_look(self, stage: Stage) -> None:
        async with stage.standing("first") as (first, running), stage.standing("second") as (second, _):
            assert (first.leading, second.leading) == (True, False)
            await first.release()
            assert first.time_left() == 0
            async with asyncio.timeout(TERMS.duration - 2):
                await second.won()
            await running
            assert await stage.holder() == "second after 1"

    async def test_who_ends_without_a_word_is_waited_for(self, stage: Stage) -> None:
        stage.terms = RUNS_OUT
        async with stage.standing("first"):
            pass
        began = boottime()
        async with stage.standing("second") as (second, _), asyncio.timeout(60):
            assert not second.leading
            await second.won()
            assert boottime() - began >= RUNS_OUT.duration
            assert await stage.holder() == "second after 1"

    async def test_one_that_somebody_deletes_is_made_again(self, stage: Stage) -> None:
        async with stage.standing("first") as (first, running), stage.standing("second") as (second, _):
            await stage.delete()
            await eventually(stage.lease, "it is there again")
            assert (first.leading, second.leading, running.done()) == (True, False, False)
            assert await stage.holder() == "first after 0"

    async def test_who_leads_knows_whether_another_one_may_have_since_it_looked_first(
        self, stage: Stage
    ) -> None:
        """What it has read between the two is of nobody else's time then, and need not be read again."""
        async with stage.standing("first") as (first, _), stage.standing("second") as (second, _):
            assert first.undisturbed
            await first.release()
            await second.won()
            assert not second.undisturbed
            await second.release()
        async with stage.standing("third") as (third, _):
            assert (third.leading, third.undisturbed) == (True, True)
            await third.release()
        async with stage.standing("fourth", meanwhile=("somebody", "")) as (fourth, _):
            assert (fourth.leading, fourth.undisturbed) == (True, False)

    async def test_looking_takes_nothing(self, stage: Stage) -> None:
        async with stage.standing("first", meanwhile=("somebody",)) as (first, _):
            assert not first.leading
            assert await stage.holder() == "somebody after 0"

    @pytest.mark.parametrize("holder", ["somebody", ""])
    async def test_one_that_somebody_takes_away_ends_the_leader(self, stage: Stage, holder: str) -> None:
        async with stage.standing("first") as (first, running):
            await stage.give_to(holder)
            with pytest.raises(Left):
                async with asyncio.timeout(TERMS.renew_deadline):
                    await running
            assert first.time_left() == 0


@pytest.mark.cluster
class TestTrouble:
    async def test_a_storm_of_conflicts_is_outlived(self, stage: Stage, proxy: FaultProxy) -> None:
        async with stage.standing("first") as (first, running):
            proxy.faults.append(Fault(writes, times=6, answer=CONFLICT))
            await stage.renewed()
            assert (first.leading, running.done()) == (True, False)

    async def test_an_answer_that_is_lost_changes_nothing(self, stage: Stage, proxy: FaultProxy) -> None:
        proxy.faults.append(Fault(writes, times=1, lose_reply=True))
        async with stage.standing("first") as (first, running):
            assert first.leading, "it was made, and the answer lost: it is ours all the same"
            proxy.faults.append(Fault(writes, times=2, lose_reply=True))
            await stage.renewed()
            await stage.renewed()
            assert (first.leading, running.done()) == (True, False)

    async def test_who_asks_to_wait_for_longer_than_the_lease_lasts_is_asked_again_before(
        self, stage: Stage, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with stage.standing("first") as (first, running):
            put_off: tuple[int, dict[str, str], str] = (429, {"Retry-After": "60"}, status_body(429))
            proxy.faults.append(Fault(writes, times=3, answer=put_off))
            await stage.renewed()
            assert (first.leading, running.done()) == (True, False)
            assert proxy.injected()["answered 429"] == 3
            await eventually(lambda: "answers again, after 3 turns in vain" in caplog.text, "it says so")
        assert caplog.text.count("could not be renewed, and is tried again: 429") == 1

    @pytest.mark.parametrize(
        "fault",
        [
            dropped("/leases"),
            refused("/leases", 503),
            refused("/leases", 403),
            Fault(lambda seen: "/leases" in seen.path, times=FOR_EVER, delay=8),
            Fault(writes, times=FOR_EVER, answer=CONFLICT),
        ],
        ids=["no connection", "errors", "no right", "no answer", "conflicts"],
    )
    async def test_without_a_renewal_it_ends_at_the_deadline(
        self, stage: Stage, proxy: FaultProxy, fault: Fault, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.terms = TOO_LATE
        async with stage.standing("first") as (first, running):
            await stage.renewed()
            proxy.faults.append(fault)
            began = boottime()
            with pytest.raises(Left):
                async with asyncio.timeout(60):
                    await running
            assert boottime() - began < TOO_LATE.duration, "before another one could lead"
            assert (first.leading, first.time_left()) == (False, 0)
            proxy.faults.clear()
            await proxy.release()
        assert "is lost, as it was not renewed for 6 s: ending at once" in caplog.text
        assert caplog.text.count("could not be renewed") <= 1

    async def test_a_namespace_that_is_not_there_is_waited_for(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.where = ref_of_lease("nowhere-to-be-found", "leader")
        waiting = (
            "waiting for the lease nowhere-to-be-found/leader: there is no namespace nowhere-to-be-found;"
        )

        async def stand() -> None:
            async with stage.standing("first"):
                pytest.fail("it does not stand")

        standing = asyncio.create_task(stand())
        await eventually(lambda: waiting in caplog.text, "it says so")
        assert not standing.done()
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)

    async def test_without_the_right_to_read_it_it_does_not_start(
        self, stage: Stage, proxy: FaultProxy
    ) -> None:
        proxy.faults.append(refused("/leases", 403))
        with pytest.raises(CannotStart, match=r"the lease .*/leader: 403"):
            async with stage.standing("first"):
                pytest.fail("it does not stand")

    @pytest.mark.parametrize("holder, left", [("", " after 0"), ("another", "another after 0")])
    async def test_after_a_renewal_of_which_no_answer_came_what_is_ours_is_given_back(
        self, stage: Stage, proxy: FaultProxy, holder: str, left: str
    ) -> None:
        stage.terms = RUNS_OUT
        async with stage.standing("first") as (first, running):
            running.cancel()  # between two turns: the next one would look who holds it
            await asyncio.gather(running, return_exceptions=True)
            over = asyncio.Event()
            proxy.faults.append(Fault(writes, then=lambda _: over.wait()))
            with pytest.raises(Transient, match="no answer"):
                await first._turn()
            over.set()
            if holder:
                await stage.give_to(holder)
            await first.release()
            assert await stage.holder() == left

    async def test_what_cannot_be_given_back_has_to_run_out(
        self, stage: Stage, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with stage.standing("first") as (first, running):
            proxy.faults.append(Fault(writes, times=FOR_EVER, answer=(503, {}, status_body(503))))
            await first.release()
            assert first.time_left() == 0
            await running
        assert "could not be given back, so it has to run out: 503" in caplog.text


async def test_without_an_election_it_leads_for_ever() -> None:
    alone = Alone("me", Metrics())
    await alone.won()
    assert (alone.leading, alone.time_left()) == (True, math.inf)
    await alone.release()
    assert alone.leading


def test_an_identity_says_where_and_differs_from_start_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTNAME", "eservice-operator-7d9 (x)\n")
    assert re.fullmatch(r"eservice-operator-7d9--x--_[0-9a-f]{8}", identity_here())
    assert identity_here() != identity_here()
