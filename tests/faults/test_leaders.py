# SPDX-License-Identifier: Apache-2.0
"""Two operators on a real API server: one leads, and the other follows it, however that one ends."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.support.fault_proxy import fault_proxy
from tests.support.figures import Figures
from tests.support.fleet import Planned
from tests.support.log_pipe import LogPipe
from tests.support.moved_operator import move_by
from tests.support.pressure import starved
from tests.support.replicas import TAKEOVER, Replica, Replicas, instant, replicas, seconds_between
from tests.support.site import Site, says
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GRACEFUL = 3.0
CRASH = 20.0
"""Seconds within which another one leads: product figures, of a machine that has time for it.

So what processes waited for a processor meanwhile does not count; and whatever the machine does, the first
look of a standby at a lease that is free takes it.
"""
DURATION = 15.0
"""Seconds for which a lease holds from when another one saw its renewal."""
AT_ONCE = 2
"""Looks at a lease that is free, until it is taken: one may be on its way while it becomes free."""
FLEET = 20
CREATED = 201
Begin = Callable[[], Coroutine[Any, Any, None]]
ROUNDS = int(os.environ.get("ESERVICE_TEST_LEADERS", "2"))
"""How often a leader is stopped in the middle of writing; each costs half a minute."""
SEED = int(os.environ.get("ESERVICE_TEST_SEED", "7"))


@pytest.fixture
async def site(people: KubeApi, pair: Replicas) -> AsyncIterator[Site]:  # noqa: ARG001 - they end after it
    place = Site(people)
    await place.prepare()
    yield place
    await place.clear(operated=False)


def paused(planned: Planned) -> Manifest:
    return planned.eservice(spec={"publication": {"paused": {"reason": "maintenance"}}})


async def who_leads(*both: Replica) -> tuple[Replica, Replica]:
    """The leader and the other, once there is one."""
    await asyncio.gather(*(one.until_ready() for one in both))
    await eventually(lambda: any(one.leads for one in both), "one of them leads", TAKEOVER)
    leading = [one for one in both if one.leads]
    assert len(leading) == 1
    (leader,) = leading
    return leader, next(one for one in both if one is not leader)


async def test_one_leads_and_is_followed_when_it_stops_and_when_it_crashes(
    pair: Replicas, site: Site, figures: Figures
) -> None:
    first, second = await who_leads(pair.launch(), pair.launch())
    planned = site.planned()
    await site.published(planned)
    assert pair.wrote(first.identity)
    assert (pair.wrote(second.identity), second.ready, second.alive) == ([], True, True)

    told, waited = instant(now()), starved()
    assert await first.terminate() == 0
    await pair.until_leads(second)
    released, taken = pair.turns(first.identity)[-1], pair.turns(second.identity)[0].at
    took = seconds_between(told, taken)
    figures.add("another one leads after SIGTERM to the leader", f"{took:.1f} s")
    assert took - (starved() - waited) <= GRACEFUL
    assert released.at < taken
    assert pair.looks(second.identity, released.at, taken), "it looks, and takes it"
    # until it was answered that was not written yet, however long that took
    assert len(pair.looks(second.identity, released.answered, taken)) <= AT_ONCE, "its first look takes it"
    await site.apply(paused(planned))
    await site.settled(planned, "Paused")

    third = await pair.start()
    assert not third.leads
    second.kill()
    killed, waited = instant(now()), starved()
    await pair.until_leads(third)
    renewed, taken = pair.turns(second.identity)[-1].at, pair.turns(third.identity)[0].at
    took = seconds_between(killed, taken)
    figures.add("another one leads after SIGKILL of the leader", f"{took:.1f} s")
    assert took - (starved() - waited) <= CRASH
    assert seconds_between(renewed, taken) >= DURATION, "its lease was let run out"
    first_seen, *later = pair.looks(third.identity, renewed, taken)
    assert [at for at in later if seconds_between(first_seen, at) >= DURATION], "it looks, and takes it"
    # when it asked again it had its answer, however long that took
    free = [at for at in later if seconds_between(later[0], at) >= DURATION]
    assert len(free) <= AT_ONCE, "its first look after that takes it"
    await site.apply(planned.eservice())
    await site.settled(planned, "Published")
    await site.assert_sound()
    assert (await pair.said()).transitions == 2


async def stopped_in_the_middle(
    pair: Replicas,
    leader: Replica,
    other: Replica,
    begin: Callable[[], Coroutine[Any, Any, None]],
    writes: int,
) -> asyncio.Task[None]:
    """After some of its writes for what people ``begin`` the leader stands still, and the other one leads."""
    before = len(pair.wrote(leader.identity))
    asking = asyncio.create_task(begin())
    await pair.until_wrote(leader, before + writes)
    leader.stop()
    await pair.until_leads(other)
    return asking


async def test_a_leader_that_was_stopped_past_its_lease_writes_nothing_when_it_wakes(
    pair: Replicas, site: Site, figures: Figures
) -> None:
    fleet = [site.planned(f"s{number:02d}") for number in range(FLEET)]
    leader, other = await who_leads(pair.launch(), pair.launch())

    async def write(form: Callable[[Planned], Manifest], *, first: bool = False) -> None:
        """An edit of each e-service, at the beginning with all that it needs."""
        manifests = [
            [*planned.everything(), form(planned)] if first else [form(planned)] for planned in fleet
        ]
        await asyncio.gather(*(site.apply(*written) for written in manifests))

    chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
    held_back, began_after = 0, []
    for number in range(ROUNDS):
        publish = partial(write, Planned.eservice, first=number == 0)
        await (await stopped_in_the_middle(pair, leader, other, publish, chance.randint(1, FLEET)))
        await write(paused)
        await pair.until_wrote(other, 1)
        held_back += await pair.woken(leader, other)
        began_after.append(other.began_after)
        leader, other = other, await pair.start()
    await write(Planned.eservice)
    for planned in fleet:
        await site.settled(planned, "Published")
    assert_made_once(pair)
    await site.assert_sound()
    figures.add(
        "leaders stopped past their lease in the middle of writing",
        f"{ROUNDS}, of which none wrote after another one led; {held_back} writes were held back",
    )
    figures.add("from the lease to the first look", ", ".join(f"{took:.1f} s" for took in began_after))


@pytest.fixture
async def hasty(
    people: KubeApi, operator_kubeconfig: Path, tmp_path: Path, cluster: Cluster
) -> AsyncIterator[Replicas]:
    """A pair whose lease runs out before its connections do: those are given up when unused for 15 s."""
    terms = {"lease_duration": "12s", "renew_deadline": "9s", "retry_period": "0.5s"}
    async with replicas(people, operator_kubeconfig, tmp_path, cluster.audit_log, **terms) as made:
        yield made


@pytest.fixture
async def pipe() -> AsyncIterator[LogPipe]:
    made = LogPipe()
    yield made
    made.close()


async def test_a_leader_that_stands_still_between_two_writes_does_not_make_the_second(
    hasty: Replicas, people: KubeApi, pipe: LogPipe
) -> None:
    """Nothing but the guard holds it back: the second write is in the next step of its event loop.

    It stands at the line of its log about the first one, which nobody reads. Where it waits for an answer it
    would look at its lease, and end, before that brought it as far as to another write.
    """
    site = Site(people)
    planned = site.planned()
    await site.prepare()
    leader = await hasty.start(launcher=pipe.launch)
    other = await hasty.start()
    assert (leader.leads, other.leads) == (True, False)
    pipe.stop()
    await site.apply(planned.registration())
    await hasty.until_wrote(leader, 1)
    await eventually(lambda: leader.stuck, "it stands still")
    leader.stop()
    await hasty.until_leads(other)
    pipe.resume()
    await hasty.woken(leader, other)
    await site.until(planned.registered, lambda obj: says(obj, "Ready", "True"), "the other one goes on")
    await site.clear(operated=True)


def assert_made_once(pair: Replicas) -> None:
    """No object is made while it is there, whoever of them made it; a pause takes some away in between."""
    done = [one for one in pair.audit.writes() if one.succeeded and one.resource not in {"events", "leases"}]
    made = Counter(one.target for one in done if one.code == CREATED)
    assert made
    made.subtract(one.target for one in done if one.verb == "delete")
    assert max(made.values()) <= 1, [target for target, times in made.items() if times > 1]


async def test_a_lease_that_somebody_deletes_or_takes_and_clocks_that_somebody_moves(
    pair: Replicas, tmp_path: Path
) -> None:
    offset = tmp_path / "offset"
    move_by(offset, 0)
    leader = await pair.start(program=(sys.executable, "-m", "tests.support.moved_operator", str(offset)))
    other = await pair.start()
    assert (leader.leads, other.leads) == (True, False)

    for moved in (7200, -7200):
        move_by(offset, moved)
        known = (await pair.said()).renewed

        async def renewed(known: str = known) -> bool:
            return (await pair.said()).renewed != known

        await eventually(renewed, "a renewal under another wall clock")
    assert (leader.leads, other.leads, (await pair.said()).transitions) == (True, False, 0)

    await pair.delete()
    await eventually(pair.lease, "it is made again")
    assert (await pair.said()).holder == leader.identity
    assert (leader.leads, other.leads) == (True, False)

    def take(body: Manifest) -> None:
        body["spec"] = {"holderIdentity": "somebody", "leaseDurationSeconds": 15}

    await pair.write(take)
    assert await leader.ended() == 1
    assert leader.said("is lost, as somebody holds it: ending at once")
    assert not other.leads
    await pair.until_leads(other)
    assert pair.wrote(leader.identity) == []


async def test_who_is_cut_off_from_the_api_server_ends_and_comes_back(
    pair: Replicas, operator_kubeconfig: Path, tmp_path: Path
) -> None:
    async with fault_proxy(await credentials.load(str(operator_kubeconfig), None)) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        leader = await pair.start(kubeconfig=kubeconfig)
        assert leader.leads
        async with proxy.down():
            assert await leader.ended() == 1
        assert leader.said("is lost, as it was not renewed for 10 s: ending at once")
        again = await pair.start(kubeconfig=kubeconfig)
        await pair.until_leads(again)
