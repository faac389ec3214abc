# SPDX-License-Identifier: Apache-2.0
"""The last look at the API server: at what a decision was made on, whoever tells the store of a change.

The e-service is public on 3.0.0, and its decision takes effect on 2027-06-01.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Transient
from eservice_operator.cluster.freshness import Freshness, Looks
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.shared_read import SharedRead
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Create, Manifest, Ref, ref_of
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import World
from tests.core import test_promise as promise
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, place_of
from tests.support.worlds import NAME, NAMESPACE, SECOND

DUE = promise.DUE
DEFERRAL = worlds.deferral("2027-08-31")
DECISION = ("UnpublishDecision", "", f"{NAME}-production-001")


EACH_ONCE = [
    "get EService",
    "get EServiceRegistration",
    "get EServiceTemplate",
    "get UnpublishDecision",
    "list UnpublishDeferral",
]


@dataclass
class Live:
    """What the API server has; ``meanwhile`` is done while it answers a LIST.

    With ``all_there`` it answers nobody before so many have asked.
    """

    objects: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)
    meanwhile: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    all_there: asyncio.Barrier | None = None
    all_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once each of `EACH_ONCE` was asked for."""
    versions: Any = field(default_factory=lambda: count(100))

    def put(self, body: Manifest) -> Manifest:
        version = {"resourceVersion": str(next(self.versions))}
        made = body | {"metadata": {"uid": f"uid-{body['metadata']['name']}"} | body["metadata"] | version}
        self.objects[place_of(body)] = made
        return made

    async def get(self, ref: Ref) -> Manifest | None:
        self.asked.append(f"get {ref.kind}")
        await self._all()
        return self.objects.get((ref.kind, ref.namespace, ref.name))

    async def list(self, resource: Any, **_: Any) -> tuple[list[Manifest], str]:
        self.asked.append(f"list {resource.kind}")
        await self._all()
        found = [body for place, body in self.objects.items() if place[0] == resource.kind]
        self.meanwhile()
        return found, str(next(self.versions))

    async def _all(self) -> None:
        if len(self.asked) == len(EACH_ONCE):
            self.all_asked.set()
        if self.all_there is not None:
            await self.all_there.wait()


@dataclass
class Site:
    policy: Policy
    live: Live
    store: Store
    freshness: Freshness
    told: list[Change]

    def decide(self) -> Decision:
        world = Observer(self.store, self.policy).eservice(ObjectKey("EService", NAMESPACE, NAME))
        assert isinstance(world, World)
        return decide(world, DUE, self.policy)

    def stored(self, place: tuple[str, str, str]) -> Manifest:
        found = self.store.get(*place)
        assert found is not None
        return found

    def watch_tells(self, body: Manifest) -> None:
        self.store.upsert(body)


def made(decision: Decision) -> list[Create]:
    """The decisions to unpublish that are about to be made."""
    creations = [action for action in decision.actions if isinstance(action, Create)]
    return [one for one in creations if one.manifest["kind"] == "UnpublishDecision"]


@pytest.fixture(params=[worlds.POLICY, worlds.NOTICED], ids=["the route goes", "it shows the notice"])
def site(request: pytest.FixtureRequest) -> Site:
    """Everything that is there a second before it leaves the public route, in the store and on the server."""
    cluster: PureCluster = promise.new()
    cluster.policy = request.param
    promise.announced(cluster)
    cluster.advance(promise.KNOWN, DUE - SECOND)
    assert cluster.routed()
    live, store, told = Live(), Store(INDEXES), list[Change]()
    for body in cluster.objects.values():
        store.upsert(live.put(body))
    return Site(cluster.policy, live, store, Freshness(cast("KubeApi", live), store, told.append), told)


async def test_what_is_as_it_was_decided_on_is_confirmed(site: Site) -> None:
    decision = site.decide()
    assert "off the public route" in {action.reason for action in decision.actions}
    assert await site.freshness.confirm(decision)
    assert sorted(site.live.asked) == EACH_ONCE
    assert not site.told


async def test_all_of_it_is_read_at_the_same_time(site: Site) -> None:
    """A fleet has its deadline at one instant: who waits for each answer in turn holds up the next one."""
    site.live.all_there = asyncio.Barrier(len(EACH_ONCE))
    async with asyncio.timeout(10):
        assert await site.freshness.confirm(site.decide())


async def test_a_fleet_reads_its_template_and_the_deferrals_together(site: Site) -> None:
    decision = site.decide()
    assert all(await asyncio.gather(*(site.freshness.confirm(decision) for _ in range(20))))
    asked = Counter(site.live.asked)
    assert asked["get EService"] == 20
    assert asked["get EServiceTemplate"] == asked["list UnpublishDeferral"] == 1


async def test_a_template_that_is_being_read_already_is_read_again(site: Site) -> None:
    """What it said before somebody asked is no last look for that one."""
    site.live.all_there = asyncio.Barrier(len(EACH_ONCE) + 1)
    first = asyncio.create_task(site.freshness.confirm(site.decide()))
    async with asyncio.timeout(10):
        await site.live.all_asked.wait()
        second = asyncio.create_task(site.freshness.confirm(site.decide()))
        barrier, site.live.all_there = site.live.all_there, None
        await barrier.wait()
        assert await first
        assert await second
    assert Counter(site.live.asked)["get EServiceTemplate"] == 2


async def test_a_deferral_that_the_store_does_not_know_is_found(site: Site) -> None:
    site.live.put(DEFERRAL)
    assert not await site.freshness.confirm(site.decide())
    assert [change.key.kind for change in site.told] == ["UnpublishDeferral"]
    again = site.decide()
    assert "off the public route" not in {action.reason for action in again.actions}
    assert await site.freshness.confirm(again)


async def test_nor_is_one_confirmed_that_a_watch_told_of_after_the_decision(site: Site) -> None:
    """By then the store knows it, and the decision does not."""
    decision = site.decide()
    made = site.live.put(DEFERRAL)
    site.live.meanwhile = lambda: site.watch_tells(made)
    assert not await site.freshness.confirm(decision)


async def test_nor_one_of_another_object_that_a_watch_told_of(site: Site) -> None:
    decision = site.decide()
    place = ("EServiceTemplate", "", worlds.TEMPLATE)
    changed = site.live.put(site.live.objects[place])
    site.live.meanwhile = lambda: site.watch_tells(changed)
    assert not await site.freshness.confirm(decision)


async def test_what_a_list_left_out_by_mistake_is_not_absent(site: Site) -> None:
    """Nothing rests on it either, before another list has it: what is decided by its absence is put off."""
    service = site.stored(("EService", NAMESPACE, NAME))
    ref = ref_of(service)
    assert site.store.prune("EService", (), "999999999")
    for ask in (site.freshness.absent(ref), site.freshness.as_seen([ref], Looks())):
        with pytest.raises(Transient, match="a list has left it out"):
            await ask
    site.live.objects.pop(("EService", NAMESPACE, NAME))
    assert await site.freshness.absent(ref)


async def test_nobody_holds_it_off_by_writes_during_each_look(site: Site) -> None:
    """What a decision rests on need not be the newest: it has been read live, and then decided on."""
    place = ("EService", NAMESPACE, NAME)

    def scribble() -> None:
        site.watch_tells(site.live.put(site.live.objects[place]))

    site.live.meanwhile, looks = scribble, Looks()
    assert not await site.freshness.confirm(site.decide(), looks)
    again, asked = site.decide(), len(site.live.asked)
    assert "off the public route" in {action.reason for action in again.actions}
    assert await site.freshness.confirm(again, looks)
    assert len(site.live.asked) == asked, "and is not read once more"
    assert not await site.freshness.confirm(site.decide(), Looks()), "the next reconcile looks for itself"


async def test_what_the_looks_did_not_cover_is_read_before_the_next_decision_stands(site: Site) -> None:
    place, looks = ("EService", NAMESPACE, NAME), Looks()
    site.live.put(site.live.objects[place])
    assert not await site.freshness.confirm(site.decide(), looks)
    another = copy.deepcopy(site.stored(DECISION))
    another["metadata"] |= {"name": f"{NAME}-production-002", "uid": "uid-another"}
    site.watch_tells(site.live.put(another))
    site.live.asked.clear()
    assert await site.freshness.confirm(site.decide(), looks)
    assert site.live.asked == ["get UnpublishDecision"]


async def test_what_the_operator_itself_remarks_on_a_record_changes_nothing(site: Site) -> None:
    made = site.live.put(worlds.deferral("2027-01-31"))
    site.store.upsert(made)
    decision = site.decide()
    remarked = site.live.put(made | {"status": {"observedGeneration": 1}})
    site.live.meanwhile = lambda: site.watch_tells(remarked)
    assert await site.freshness.confirm(decision)


async def test_a_deferral_of_another_e_service_changes_nothing(site: Site) -> None:
    site.live.put(worlds.deferral("2027-08-31", spec={"eService": {"name": "another"}}))
    assert await site.freshness.confirm(site.decide())
    assert [change.key.kind for change in site.told] == ["UnpublishDeferral"], "the store learns it still"


async def test_many_that_leave_at_once_share_a_list(site: Site) -> None:
    decision = site.decide()
    assert all(await asyncio.gather(*(site.freshness.confirm(decision) for _ in range(8))))
    assert site.live.asked.count("list UnpublishDeferral") == 1
    assert await site.freshness.confirm(decision)
    assert site.live.asked.count("list UnpublishDeferral") == 2


# a decision in the place of a deleted one


async def test_before_another_is_made_in_its_place_the_deleted_one_and_the_e_service_are_looked_at(
    site: Site,
) -> None:
    del site.live.objects[DECISION]
    site.store.delete(site.stored(DECISION))
    decision = site.decide()
    assert [action.manifest["spec"]["replaces"]["name"] for action in made(decision)] == [DECISION[2]]
    assert await site.freshness.confirm(decision)
    assert {"get EService", "get UnpublishDecision"} <= set(site.live.asked)


async def test_one_that_is_there_after_all_is_not_replaced(site: Site) -> None:
    """The store lags behind: it was put back, say by a restore."""
    site.store.delete(site.stored(DECISION))
    restored = site.live.put(site.live.objects[DECISION])
    decision = site.decide()
    assert made(decision)
    assert not await site.freshness.confirm(decision)
    assert site.stored(DECISION) == restored
    assert not made(site.decide())


async def test_nor_by_an_e_service_that_remembers_another_by_now(site: Site) -> None:
    del site.live.objects[DECISION]
    site.store.delete(site.stored(DECISION))
    decision = site.decide()
    site.live.put(site.live.objects["EService", NAMESPACE, NAME])
    assert not await site.freshness.confirm(decision)
    assert [change.key.kind for change in site.told] == ["EService"]


# the list itself


async def test_who_asks_while_a_list_is_under_way_gets_the_next_one() -> None:
    begun, under_way, may_end = list[int](), asyncio.Event(), asyncio.Event()

    async def read() -> None:
        begun.append(len(begun))
        under_way.set()
        await may_end.wait()

    shared = SharedRead(read)
    first = asyncio.create_task(shared.ask())
    await under_way.wait()
    others = [asyncio.create_task(shared.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    assert len(begun) == 1
    may_end.set()
    await asyncio.gather(first, *others)
    assert len(begun) == 2


async def test_a_list_that_fails_fails_for_all_and_the_next_begins_anew() -> None:
    asked = list[int]()

    async def read() -> None:
        asked.append(1)
        if len(asked) == 1:
            raise ApiError(503, "unavailable", "away")

    shared = SharedRead(read)
    answers = await asyncio.gather(shared.ask(), shared.ask(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ApiError, ApiError]
    await shared.ask()
    assert len(asked) == 2


async def test_who_goes_away_takes_the_list_from_nobody() -> None:
    may_end, done = asyncio.Event(), list[int]()

    async def read() -> None:
        await may_end.wait()
        done.append(1)

    shared = SharedRead(read)
    gone, stays = asyncio.create_task(shared.ask()), asyncio.create_task(shared.ask())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    may_end.set()
    await stays
    assert done == [1]
