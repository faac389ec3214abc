# SPDX-License-Identifier: Apache-2.0
"""One reconcile of each kind: observe, decide, apply, report. No branch here knows a rule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.base import ObjectMeta, Status
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.actions import Action, Delete, Outcome, Ref, SetStatus, target_of
from eservice_operator.core.braking import decide_template
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import start_of_day
from eservice_operator.core.decide import Decision, decide, take_down
from eservice_operator.core.drafting import registration_letters, service_letters, template_letters
from eservice_operator.core.invalid import invalid_status
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import next_try
from eservice_operator.core.policy import Policy
from eservice_operator.core.records import next_change, record_status
from eservice_operator.core.registering import decide_registration, registration_status
from eservice_operator.core.report import report
from eservice_operator.core.transitions import Note, notes, registration_notes, template_notes
from eservice_operator.core.world import World
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import (
    contested,
    earliest,
    earliest_of,
    error_of,
    look_again,
    outdated,
    retry,
)

log = logging.getLogger(__name__)

ROUNDS = 8
"""Steps of one reconcile: each write can make the next one possible."""
TEMPLATE_PAUSE = timedelta(seconds=2)
"""How often at most a template counts its e-services."""
NOTHING_DONE = Outcome(())


@dataclass
class ObjectReconciler:
    """Brings one object at a time to what the rules say; implements `Reconciler`."""

    observer: Observer
    applier: Applier
    freshness: Freshness
    events: EventSink
    outbox: Outbox
    policy_now: Callable[[], Policy]
    settle: timedelta
    monotonic: Callable[[], float]
    _in_flight: dict[ObjectKey, float] = field(default_factory=dict)
    _counted: dict[ObjectKey, datetime] = field(default_factory=dict)
    _allocation: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def policy(self) -> Policy:
        """How decisions are made at this moment: the clock can lose its trust between two steps."""
        return self.policy_now()

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC)."""
        now = now.replace(microsecond=0)
        match key.kind:
            case "EService":
                return await self._eservice(key, now)
            case "EServiceTemplate":
                return await self._template(key, now)
            case "EServiceRegistration":
                async with self._allocation:
                    return await self._registration(key, now)
            case _:
                return await self._record(key, now)

    async def _eservice(self, key: ObjectKey, now: datetime) -> Result:
        outcome, left, tried = NOTHING_DONE, ROUNDS, 0
        while True:
            world = self.observer.eservice(key)
            if world is None:
                self._in_flight.pop(key, None)
                self.outbox.answers(key, ())
                return await self._gone(key)
            if isinstance(world, InvalidObject):
                return await self._unreadable(key, world, now)
            decision, generation = decide(self._answered(key, world), now, self.policy), _generation(world)
            if outcome.failure is not None and generation != tried:
                outcome = NOTHING_DONE  # what failed was asked for by a spec that was changed meanwhile
            if not decision.actions or not left or (outcome.failure is not None and not outdated(outcome)):
                break
            left -= 1
            try:
                confirmed = await self.freshness.confirm(decision)
            except ApiError as error:
                return Result(error=f"cannot confirm what the decision rests on: {error}")
            if confirmed:
                outcome, tried = await self._apply(decision.actions), generation
        return await self._tell(key, decision, outcome)

    def _answered(self, key: ObjectKey, world: World) -> World:
        """The world with what became of notices since their ledgers were written, and what is under way."""
        decided = (notice for decision in world.decisions for notice in decision.status.notices)
        notices = (*world.service.status.notices, *decided)
        answers, under_way = self.outbox.answers(key, notices), self.outbox.under_way(notices)
        return replace(world, deliveries=answers, under_way=under_way) if answers or under_way else world

    async def _unreadable(self, key: ObjectKey, invalid: InvalidObject, now: datetime) -> Result:
        """Nothing can be decided of it but this: what goes away need not be read.

        Its route goes, and then our finalizer.
        """
        metadata, _ = self.observer.envelope(key)
        if metadata.deletion_timestamp is None:
            return await self._invalid(key, invalid, now)
        actions = take_down(_ref(key), metadata, self.observer.orphan(key))
        return Result(error=error_of(await self._apply(actions)))

    async def _gone(self, key: ObjectKey) -> Result:
        """An EService that is no more has no public route; normally our finalizer has seen to that."""
        route = self.observer.orphan(key)
        try:
            if route is None or not await self.freshness.absent(_ref(key)):
                return Result()
        except ApiError as error:
            return Result(error=str(error))
        outcome = await self._apply([Delete(route.ref, route.uid, "its EService is gone")])
        return Result(error=retry(outcome))

    async def _tell(self, key: ObjectKey, decision: Decision, outcome: Outcome) -> Result:
        """Report, publish what changed, and say when to look again."""
        service, now = decision.facts.world.service, decision.facts.now
        status, error = report(decision, outcome), retry(outcome) or contested(decision, outcome)
        if self._waits(key, service.status, status):
            self.outbox.post(key, service_letters(decision.facts, service.status))
            return Result(next_at=earliest(now + self.settle, decision.next_at), error=error)
        told = await self._write_status(key, service.metadata, service.status, status)
        if told.failure is not None:
            return Result(error=told.failure.message)
        self.outbox.post(key, service_letters(decision.facts, status))
        if told.done:
            await self._publish(key, service.metadata, notes(service.status, status))
        return Result(next_at=look_again(decision, outcome), error=error)

    async def _publish(self, key: ObjectKey, metadata: ObjectMeta, told: Iterable[Note]) -> None:
        """Tell Events about an object."""
        for note in told:
            await self.events.publish(_ref(key), metadata.uid, note.type, note.reason, note.text, note.action)

    def _waits(self, key: ObjectKey, old: EServiceStatus, new: EServiceStatus) -> bool:
        """Whether to hold a status back for a moment: most work is done before anybody reads of it."""
        if new == old or find(new.conditions, ConditionType.RECONCILING) is None:
            self._in_flight.pop(key, None)
            return False
        since = self._in_flight.setdefault(key, self.monotonic())
        if self.monotonic() - since < self.settle.total_seconds():
            return True
        del self._in_flight[key]
        return False

    async def _template(self, key: ObjectKey, now: datetime) -> Result:
        outcome, left = NOTHING_DONE, ROUNDS
        while True:
            world = self.observer.template(key)
            if world is None:
                self._counted.pop(key, None)
                self.outbox.answers(key, ())
                return Result()
            if isinstance(world, InvalidObject):
                return await self._invalid(key, world, now)
            if left == ROUNDS and (pause := self._pauses(key, world.template, now)) is not None:
                return Result(next_at=pause)
            answers = self.outbox.answers(key, world.template.status.notices)
            decision = decide_template(replace(world, deliveries=answers), now, self.policy)
            if not decision.actions or not left or (outcome.failure is not None and not outdated(outcome)):
                break
            left -= 1
            outcome = await self._apply(decision.actions)
        template, status = world.template, decision.status
        told = await self._write_status(key, template.metadata, template.status, status)
        if told.failure is None:
            self.outbox.post(key, template_letters(template, status, now))
        if told.done:
            await self._publish(key, template.metadata, template_notes(template.status, status))
        next_at = earliest_of(decision.next_at, next_try(status.notices))
        return Result(next_at=next_at, error=error_of(outcome) or error_of(told))

    def _pauses(self, key: ObjectKey, template: EServiceTemplate, now: datetime) -> datetime | None:
        """Until when a template need not be looked at: it was just now, and its spec is the same."""
        counted = self._counted.get(key)
        fresh = template.status.observed_generation == template.metadata.generation
        if fresh and counted is not None and timedelta(0) <= now - counted < TEMPLATE_PAUSE:
            return counted + TEMPLATE_PAUSE
        self._counted[key] = now
        return None

    async def _registration(self, key: ObjectKey, now: datetime) -> Result:
        outcome, left = NOTHING_DONE, ROUNDS
        while True:
            world = self.observer.registration(key)
            if world is None:
                self.outbox.answers(key, ())
                return Result()
            if isinstance(world, InvalidObject):
                return await self._invalid(key, world, now)
            answers = self.outbox.answers(key, world.registration.status.notices)
            decision = decide_registration(replace(world, deliveries=answers))
            if not decision.actions or outcome.failure is not None or not left:
                break
            left -= 1
            outcome = await self._apply(decision.actions)
        registration = decision.world.registration
        status = registration_status(decision, outcome, now, self.policy)
        told = await self._write_status(key, registration.metadata, registration.status, status)
        if told.failure is None:
            self.outbox.post(key, registration_letters(registration, status, now))
        if told.done:
            await self._publish(key, registration.metadata, registration_notes(registration.status, status))
        return Result(next_at=next_try(status.notices), error=error_of(outcome) or error_of(told))

    async def _record(self, key: ObjectKey, now: datetime) -> Result:
        world = self.observer.record(key)
        if world is None:
            return Result()
        if isinstance(world, InvalidObject):
            return await self._invalid(key, world, now)
        status = record_status(world, now, self.policy)
        told = await self._write_status(key, world.record.metadata, world.record.status, status)
        following = next_change(world, now, self.policy)
        return Result(
            next_at=None if following is None else start_of_day(following, self.policy.zone),
            error=error_of(told),
        )

    async def _invalid(self, key: ObjectKey, invalid: InvalidObject, now: datetime) -> Result:
        """Stalled until the spec changes; the last good children stay."""
        metadata, old = self.observer.envelope(key)
        status = invalid_status(old, metadata.generation, invalid.errors, now)
        return Result(error=error_of(await self._write_status(key, metadata, old, status)))

    async def _apply(self, actions: Sequence[Action]) -> Outcome:
        """Carry out and say what was done; why is part of each action."""
        outcome = await self.applier.run(actions)
        for action in outcome.done:
            log.info("%s %s: %s", type(action).__name__, target_of(action), action.reason)
        if outcome.failure is not None:
            failed = outcome.failure
            log.warning("%s failed, %s: %s", type(failed.action).__name__, failed.reason, failed.message)
        return outcome

    async def _write_status(self, key: ObjectKey, metadata: ObjectMeta, old: Status, new: Status) -> Outcome:
        """Write a status if it says anything new."""
        if new == old:
            return NOTHING_DONE
        return await self.applier.run(
            [SetStatus(_ref(key), metadata.uid, status_body(new), "the facts changed")]
        )


def status_body(status: Status) -> dict[str, Any]:
    """A status as it is sent: nothing that is absent or empty."""
    return _filled(status.model_dump(mode="json", by_alias=True, exclude_none=True))


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    filled = {key: _filled(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in filled.items() if value not in ({}, [])}


def _generation(world: World) -> int:
    return world.service.metadata.generation


def _ref(key: ObjectKey) -> Ref:
    return Ref(names.API_VERSION, key.kind, key.namespace, key.name)
