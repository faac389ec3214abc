# SPDX-License-Identifier: Apache-2.0
"""One reconcile of an EService: observe, decide, confirm, apply, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.reasons import ConditionType
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.freshness import Freshness, Looks
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.actions import Delete, Outcome
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import Decision, decide, take_down
from eservice_operator.core.drafting import service_letters
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.core.report import report
from eservice_operator.core.transitions import notes, notes_elsewhere
from eservice_operator.core.world import World
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import (
    ROUNDS,
    contested,
    earliest_of,
    error_of,
    look_again,
    outdated,
    retry,
)
from eservice_operator.runtime.witnessing import Witnessing
from eservice_operator.runtime.writing import NOTHING_DONE, Writer, ref_to


@dataclass
class ServiceReconciler:
    """Brings one EService at a time to what the rules say; implements `Reconciler`."""

    observer: Observer
    writer: Writer
    outbox: Outbox
    policy_now: Callable[[], Policy]
    freshness: Freshness
    settle: timedelta
    monotonic: Callable[[], float]
    witnessing: Witnessing
    _in_flight: dict[ObjectKey, float] = field(default_factory=dict)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC, whole seconds)."""
        outcome, left, tried, looks = NOTHING_DONE, ROUNDS, 0, Looks()
        while True:
            world = self.observer.eservice(key)
            if world is None:
                self._in_flight.pop(key, None)
                self.outbox.answers(key, ())
                self.witnessing.forget(key)
                self.writer.forget(key)
                return await self._gone(key)
            if isinstance(world, InvalidObject):
                return await self._unreadable(key, world, now)
            decision = decide(self._answered(key, world), now, self.policy_now())
            self.witnessing.follow(key, decision)
            generation = world.service.metadata.generation
            if outcome.failure is not None and generation != tried:
                # what failed was asked for by a spec that was changed meanwhile
                outcome = Outcome(outcome.done)
            if not decision.actions or not left or (outcome.failure is not None and not outdated(outcome)):
                break
            left -= 1
            try:
                confirmed = await self.freshness.confirm(decision, looks)
            except ApiError as error:
                return Result(error=f"cannot confirm what the decision rests on: {error}")
            if confirmed:
                outcome, tried = outcome.then(await self.writer.apply(decision.actions)), generation
                looks = Looks()  # what was read before a write is no last look at what follows it
        return await self._tell(key, decision, outcome)

    def _answered(self, key: ObjectKey, world: World) -> World:
        """The world with what is known beside the cluster: of notices on their way, and from outside."""
        decided = (notice for decision in world.decisions for notice in decision.status.notices)
        notices = (*world.service.status.notices, *decided)
        answers, under_way = self.outbox.answers(key, notices), self.outbox.under_way(notices)
        seen = self.witnessing.seen(key)
        if not answers and not under_way and seen is None:
            return world
        return replace(world, deliveries=answers, under_way=under_way, sightings=seen)

    async def _unreadable(self, key: ObjectKey, invalid: InvalidObject, now: datetime) -> Result:
        """Nothing can be decided of it but this: what goes away need not be read.

        Its routes go, and then our finalizer.
        """
        metadata, _ = self.observer.envelope(key)
        if metadata.deletion_timestamp is None:
            return await self.writer.invalid(key, invalid, now)
        actions = take_down(ref_to(key), metadata, self.observer.orphans(key))
        return Result(error=error_of(await self.writer.apply(actions)))

    async def _gone(self, key: ObjectKey) -> Result:
        """An EService that is no more has no routes; normally our finalizer has seen to that."""
        routes = self.observer.orphans(key)
        try:
            if not routes or not await self.freshness.absent(ref_to(key)):
                return Result()
        except ApiError as error:
            return Result(error=str(error))
        gone = [Delete(route.ref, route.uid, "its EService is gone", regardless=True) for route in routes]
        outcome = await self.writer.apply(gone)
        return Result(error=retry(outcome))

    async def _tell(self, key: ObjectKey, decision: Decision, outcome: Outcome) -> Result:
        """Report, publish what changed, and say when to look again."""
        service, now = decision.facts.world.service, decision.facts.now
        status, error = report(decision, outcome), retry(outcome) or contested(decision, outcome)
        if self._waits(key, service.status, status):
            self.outbox.post(key, service_letters(decision.facts, service.status))
            return Result(next_at=earliest_of(now + self.settle, decision.next_at), error=error)
        told = await self.writer.write_status(key, service.metadata, service.status, status)
        if told.failure is not None:
            return Result(next_at=look_again(decision, outcome), error=told.failure.message)
        self.outbox.post(key, service_letters(decision.facts, status))
        if told.done:
            await self.writer.publish(key, service.metadata, notes(service.status, status))
            await self.writer.tell_others(notes_elsewhere(decision.facts))
        return Result(next_at=look_again(decision, outcome), error=error)

    def _waits(self, key: ObjectKey, old: EServiceStatus, new: EServiceStatus) -> bool:
        """Whether to hold a status back for a moment: most work is done before anybody reads of it."""
        told_once = new.removed_annotations != old.removed_annotations  # the next look does not see them
        if new == old or told_once or find(new.conditions, ConditionType.RECONCILING) is None:
            self._in_flight.pop(key, None)
            return False
        since = self._in_flight.setdefault(key, self.monotonic())
        if self.monotonic() - since < self.settle.total_seconds():
            return True
        del self._in_flight[key]
        return False
