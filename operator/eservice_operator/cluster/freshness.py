# SPDX-License-Identifier: Apache-2.0
"""A last look at the apiserver before a step that gives something to the public or takes it away.

The store may lag behind; most writes are safe to make from it, since the next look mends them. Taking
a service off the public route, or putting a release on it, is not; nor is opening a web service to somebody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster import indexes
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Transient
from eservice_operator.cluster.resources import resource_of
from eservice_operator.cluster.shared_read import SharedRead
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Create, Delete, Manifest, Ref, target_of
from eservice_operator.core.decide import Decision, eservice_ref
from eservice_operator.core.repairs import becomes_public
from eservice_operator.core.signed import Subject

DEFERRAL = UnpublishDeferral.__name__
SHARED = frozenset({EServiceTemplate.__name__})
"""What all of a fleet rests on: those who take effect at one instant read it together."""
RECORDS = frozenset({DEFERRAL, AcceptanceAct.__name__, ProductionVerification.__name__})


@dataclass
class Looks:
    """What one reconcile has read live since its last write, and each later decision of it rests on."""

    at: set[Ref] = field(default_factory=set)
    deferrals: bool = False


class Freshness:
    """Compares what a decision rests on with the apiserver, where the decision is a grave one."""

    def __init__(self, api: KubeApi, store: Store, on_change: Callable[[Change], None]) -> None:
        self._api = api
        self._store = store
        self._on_change = on_change
        self._deferrals = SharedRead(self._list_deferrals)
        self._shared: dict[Ref, SharedRead] = {}

    async def confirm(self, decision: Decision, looks: Looks | None = None) -> bool:
        """Whether the decision rests on what is true now; if not, the store has learnt: decide again.

        To be asked at once, before the store can learn anything else: what it learns meanwhile, from
        whomever, was not decided on either. ``looks`` are those of the same reconcile: what it has read live
        already, and then decided on, is not read again. Otherwise whoever may write the EService, if only an
        annotation, could hold a decision off by a write during each look. Raises ``ApiError`` when the
        apiserver cannot be asked: then nothing is given or taken.
        """
        looks = Looks() if looks is None else looks
        behind, place = tuple(_behind(decision)), "/".join(decision.facts.place)
        unread = [ref for ref in behind if ref not in looks.at]
        unlisted = takes_off(decision) and not looks.deferrals
        if not unread and not unlisted:
            return True
        decided_on = self._seen(behind, place)
        # at the same time: the list may have to rest first, and a fleet has its deadline at one instant
        lists = [self._deferrals.ask()] if unlisted else []
        await asyncio.gather(*map(self._read, unread), *lists)
        looks.at.update(unread)
        looks.deferrals |= unlisted
        return self._seen(behind, place) == decided_on

    async def as_seen(self, behind: Iterable[Ref], looks: Looks) -> bool:
        """Whether objects are what the store says of them; if not, it has learnt: decide again.

        As for `confirm`: what ``looks`` has read already is not read again. Raises ``ApiError``.
        """
        named = tuple(behind)
        decided_on = self._versions(named)
        for ref in named:
            if ref not in looks.at:
                await self._look(ref)
                looks.at.add(ref)
        return self._versions(named) == decided_on

    async def absent(self, ref: Ref) -> bool:
        """Whether an object that the store does not have is really not there; raises ``ApiError``."""
        return not await self._look(ref)

    def _seen(self, behind: Iterable[Ref], place: str) -> list[tuple[str, ...]]:
        """In which versions the store has what a decision rests on, and the deferrals of its e-service."""
        deferrals = self._store.by_index(DEFERRAL, indexes.ESERVICE, place)
        return [*self._versions(behind), *map(_version, deferrals)]

    def _versions(self, named: Iterable[Ref]) -> list[tuple[str, ...]]:
        objects = (self._store.get(ref.kind, ref.namespace, ref.name) for ref in named)
        return [() if obj is None else _version(obj) for obj in objects]

    async def _read(self, ref: Ref) -> None:
        """Have the store learn what it is, by a read that others share where many rest on it."""
        if ref.kind not in SHARED:
            await self._look(ref)
            return
        if ref not in self._shared:
            self._shared[ref] = SharedRead(partial(self._look, ref), rest=0)
        await self._shared[ref].ask()

    async def _look(self, ref: Ref) -> bool:
        """Read it, have the store learn; whether it is there.

        Raises ``ApiError`` also where the store has it from a list that it is gone: the next list mends that.
        """
        known = self._store.get(ref.kind, ref.namespace, ref.name)
        live = await self._api.get(ref)
        if live is None:
            change = None if known is None else self._store.delete(known)
        else:
            change = self._store.upsert(slim(live))
        if change is not None:
            self._on_change(change)
        if live is not None and self._store.get(ref.kind, ref.namespace, ref.name) is None:
            raise Transient(0, "Unseen", f"{ref} is there, and a list has left it out")
        return live is not None

    async def _list_deferrals(self) -> None:
        items, version = await self._api.list(resource_of(DEFERRAL), keep=slim)
        for change in self._store.replace(DEFERRAL, items, version):
            self._on_change(change)


def _version(obj: Manifest) -> tuple[str, ...]:
    """What tells the states of an object apart; nothing rests on what we remark in the status of a record."""
    metadata = obj["metadata"]
    if obj["kind"] in RECORDS:
        return metadata["uid"], str(metadata["generation"])
    return metadata["uid"], metadata["resourceVersion"]


def _behind(decision: Decision) -> Iterator[Ref]:
    """What a grave decision rests on, and the apiserver is asked for; nothing behind any other."""
    if takes_off(decision):
        yield from _behind_taking(decision)
    elif _gives(decision):
        yield from _behind_giving(decision)
    yield from _behind_replacing(decision)


def takes_off(decision: Decision) -> bool:
    """Whether the e-service leaves the public route: that goes, or shows the notice page from now on."""
    facts = decision.facts
    leaves = facts.served_by is not None and not decision.rollout.serves
    leaves |= facts.world.service.metadata.deletion_timestamp is not None
    route = facts.driver.kind, facts.driver.name(*facts.place)
    former = None if facts.former is None else (facts.former.ref.kind, facts.former.ref.name)
    return any(
        (kind, name) in (route, former) if leaves else (kind, name) == route and isinstance(action, Delete)
        for action in decision.actions
        for _, kind, _, name in (target_of(action),)
    )


def _gives(decision: Decision) -> bool:
    """Whether a release becomes public."""
    deleted = decision.facts.world.service.metadata.deletion_timestamp is not None
    return not deleted and becomes_public(decision.facts, decision.rollout)


def _behind_taking(decision: Decision) -> Iterator[Ref]:
    """The EService itself, its registration, its templates and its decisions."""
    world = decision.facts.world
    yield eservice_ref(decision.facts)
    if world.registration is not None:
        yield Ref(names.API_VERSION, "EServiceRegistration", "", world.registration.metadata.name)
    for name in world.templates:
        yield Ref(names.API_VERSION, "EServiceTemplate", "", name)
    for record in world.decisions:
        yield Ref(names.API_VERSION, "UnpublishDecision", "", record.metadata.name)


def _behind_giving(decision: Decision) -> Iterator[Ref]:
    """The act and the verification that let the release go public."""
    facts, release = decision.facts, decision.rollout.public
    if release is None:
        return
    act = facts.act(release)
    if act is not None:
        yield Ref(names.API_VERSION, "AcceptanceAct", "", act.metadata.name)
    last = facts.last_verification(Subject(release, wanted=release.name == facts.wanted.name))
    if last is not None:
        yield Ref(names.API_VERSION, "ProductionVerification", last.metadata.namespace, last.metadata.name)


def _behind_replacing(decision: Decision) -> Iterator[Ref]:
    """The deleted decision that another is made in the place of, and the EService that remembers it."""
    for action in decision.actions:
        if isinstance(action, Create) and action.manifest["kind"] == UnpublishDecision.__name__:
            replaced = action.manifest["spec"].get("replaces")
            if replaced is not None:
                yield eservice_ref(decision.facts)
                yield Ref(names.API_VERSION, UnpublishDecision.__name__, "", replaced["name"])
