# SPDX-License-Identifier: Apache-2.0
"""One reconcile of an EServiceTemplate: its e-services counted, the brake, its status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.braking import decide_template
from eservice_operator.core.drafting import template_letters
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import next_try
from eservice_operator.core.policy import Policy
from eservice_operator.core.transitions import template_notes
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import ROUNDS, earliest_of, error_of, outdated
from eservice_operator.runtime.writing import NOTHING_DONE, Writer

TEMPLATE_PAUSE = timedelta(seconds=2)
"""How often at most a template counts its e-services."""


@dataclass
class TemplateReconciler:
    """Brings one EServiceTemplate at a time to what the rules say; implements `Reconciler`."""

    observer: Observer
    writer: Writer
    outbox: Outbox
    policy_now: Callable[[], Policy]
    _counted: dict[ObjectKey, datetime] = field(default_factory=dict)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC, whole seconds)."""
        outcome, left = NOTHING_DONE, ROUNDS
        while True:
            world = self.observer.template(key)
            if world is None:
                self._counted.pop(key, None)
                self.outbox.answers(key, ())
                return Result()
            if isinstance(world, InvalidObject):
                return await self.writer.invalid(key, world, now)
            if left == ROUNDS and (pause := self._pauses(key, world.template, now)) is not None:
                return Result(next_at=pause)
            answers = self.outbox.answers(key, world.template.status.notices)
            decision = decide_template(replace(world, deliveries=answers), now, self.policy_now())
            if not decision.actions or not left or (outcome.failure is not None and not outdated(outcome)):
                break
            left -= 1
            outcome = await self.writer.apply(decision.actions)
        template, status = world.template, decision.status
        told = await self.writer.write_status(key, template.metadata, template.status, status)
        if told.failure is None:
            self.outbox.post(key, template_letters(template, status, now))
        if told.done:
            await self.writer.publish(key, template.metadata, template_notes(template.status, status))
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
