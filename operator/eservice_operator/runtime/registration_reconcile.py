# SPDX-License-Identifier: Apache-2.0
"""One reconcile of an EServiceRegistration: its identifier, what it may use, its status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.actions import Outcome
from eservice_operator.core.drafting import registration_letters
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import next_try
from eservice_operator.core.notes import registration_notes
from eservice_operator.core.policy import Policy
from eservice_operator.core.registering import (
    RegistrationDecision,
    decide_registration,
    registration_status,
)
from eservice_operator.runtime.loop import Loop, Telling
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import error_of
from eservice_operator.runtime.writing import Writer


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
        return await Loop(self.writer, self.outbox).run(
            key, now, lambda: self._look(key), lambda decision, outcome: self._told(decision, outcome, now)
        )

    def _look(self, key: ObjectKey) -> RegistrationDecision | InvalidObject | None:
        world = self.observer.registration(key)
        if world is None or isinstance(world, InvalidObject):
            return world
        answers = self.outbox.answers(key, world.registration.status.notices)
        return decide_registration(replace(world, deliveries=answers))

    def _told(self, decision: RegistrationDecision, outcome: Outcome, now: datetime) -> Telling:
        registration = decision.world.registration
        status = registration_status(decision, outcome, now, self.policy_now())
        return Telling(
            metadata=registration.metadata,
            before=registration.status,
            status=status,
            letters=registration_letters(registration, status, now),
            notes=registration_notes(registration.status, status),
            next_at=next_try(status.notices),
            error=error_of(outcome),
        )
