# SPDX-License-Identifier: Apache-2.0
"""A last look at the apiserver before a step that gives something to the public or takes it away.

The store may lag behind; most writes are safe to make from it, since the next look mends them. Taking
a service off the public route, or putting a release on it, is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eservice_operator.api import names
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import resource_of
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Create, Delete, Ref
from eservice_operator.core.decide import Decision, eservice_ref
from eservice_operator.core.facts import Subject


class Freshness:
    """Compares what a decision rests on with the apiserver, where the decision is a grave one."""

    def __init__(self, api: KubeApi, store: Store, on_change: Callable[[Change], None]) -> None:
        self._api = api
        self._store = store
        self._on_change = on_change

    async def confirm(self, decision: Decision) -> bool:
        """Whether the decision rests on what is true now; if not, the store has learnt: decide again.

        Raises ``ApiError`` when the apiserver cannot be asked: then nothing is given or taken.
        """
        fresh = True
        if _takes(decision):
            for ref in _behind_taking(decision):
                fresh &= await self._same(ref)
            fresh &= await self._same_list("UnpublishDeferral")
        elif _gives(decision):
            for ref in _behind_giving(decision):
                fresh &= await self._same(ref)
        for ref in _behind_replacing(decision):
            fresh &= await self._same(ref)
        return fresh

    async def absent(self, ref: Ref) -> bool:
        """Whether an object that the store does not have is really not there; raises ``ApiError``."""
        await self._same(ref)
        return self._store.get(ref.kind, ref.namespace, ref.name) is None

    async def _same(self, ref: Ref) -> bool:
        known = self._store.get(ref.kind, ref.namespace, ref.name)
        live = await self._api.get(ref)
        if live is None:
            change = None if known is None else self._store.delete(known)
        else:
            change = self._store.upsert(slim(live))
        return not self._told(change)

    async def _same_list(self, kind: str) -> bool:
        items, version = await self._api.list(resource_of(kind))
        changes = self._store.replace(kind, [slim(item) for item in items], version)
        for change in changes:
            self._on_change(change)
        return not changes

    def _told(self, change: Change | None) -> bool:
        if change is not None:
            self._on_change(change)
        return change is not None


def _takes(decision: Decision) -> bool:
    """Whether the e-service leaves the public route."""
    return any(isinstance(action, Delete) and action.ref.kind == "HTTPRoute" for action in decision.actions)


def _gives(decision: Decision) -> bool:
    """Whether a release becomes public: the Service moves to it, or a route appears."""
    facts, rollout = decision.facts, decision.rollout
    if rollout.public is None or facts.world.service.metadata.deletion_timestamp is not None:
        return False
    return rollout.public.name != facts.public_name or (rollout.serves and facts.route is None)


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
