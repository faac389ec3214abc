# SPDX-License-Identifier: Apache-2.0
"""One reconcile of an EServiceRegistration: its identifier, what it may use, its status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.drafting import registration_letters
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import next_try
from eservice_operator.core.policy import Policy
from eservice_operator.core.registering import decide_registration, registration_status
from eservice_operator.core.transitions import registration_notes
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import ROUNDS, error_of
from eservice_operator.runtime.writing import NOTHING_DONE, Writer


@dataclass
class RegistrationReconciler:
    """Brings one EServiceRegistration at a time to what the rules say; implements `Reconciler`."""

    observer: Observer
    writer: Writer
    outbox: Outbox
    policy_now: Callable[[], Policy]
    _allocation: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report; one registration after the other, as they share the numbers."""
        async with self._allocation:
            return await self._reconcile(key, now)

    async def _reconcile(self, key: ObjectKey, now: datetime) -> Result:
        outcome, left = NOTHING_DONE, ROUNDS
        while True:
            world = self.observer.registration(key)
            if world is None:
                self.outbox.answers(key, ())
                return Result()
            if isinstance(world, InvalidObject):
                return await self.writer.invalid(key, world, now)
            answers = self.outbox.answers(key, world.registration.status.notices)
            decision = decide_registration(replace(world, deliveries=answers))
            if not decision.actions or outcome.failure is not None or not left:
                break
            left -= 1
            outcome = await self.writer.apply(decision.actions)
        registration = decision.world.registration
        status = registration_status(decision, outcome, now, self.policy_now())
        told = await self.writer.write_status(key, registration.metadata, registration.status, status)
        if told.failure is None:
            self.outbox.post(key, registration_letters(registration, status, now))
        if told.done:
            await self.writer.publish(
                key, registration.metadata, registration_notes(registration.status, status)
            )
        return Result(next_at=next_try(status.notices), error=error_of(outcome) or error_of(told))
