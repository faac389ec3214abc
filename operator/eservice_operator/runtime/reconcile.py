# SPDX-License-Identifier: Apache-2.0
"""One reconcile of each kind: observe, decide, apply, report. No branch here knows a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.core.records import next_change, record_status
from eservice_operator.runtime.access_reconcile import (
    AssignmentReconciler,
    GrantReconciler,
    WebServiceReconciler,
)
from eservice_operator.runtime.loop import Loop
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Reconciler, Result
from eservice_operator.runtime.registration_reconcile import RegistrationReconciler
from eservice_operator.runtime.retries import error_of
from eservice_operator.runtime.service_reconcile import ServiceReconciler
from eservice_operator.runtime.template_reconcile import TemplateReconciler
from eservice_operator.runtime.witnessing import Witnessing
from eservice_operator.runtime.writing import Writer


@dataclass
class ObjectReconciler:
    """Brings one object at a time to what the rules say; implements `Reconciler`.

    ``policy_now`` is asked at each step anew: the clock can lose its trust between two of them.
    """

    observer: Observer
    applier: Applier
    freshness: Freshness
    events: EventSink
    outbox: Outbox
    policy_now: Callable[[], Policy]
    settle: timedelta
    monotonic: Callable[[], float]
    copier: CredentialsCopier
    witnessing: Witnessing = field(default_factory=Witnessing)

    def __post_init__(self) -> None:
        self._writer = Writer(self.observer, self.applier, self.events)
        of_all = (self.observer, self._writer, self.outbox, self.policy_now)
        self._services = ServiceReconciler(
            *of_all, self.freshness, self.settle, self.monotonic, self.witnessing
        )
        self._templates = TemplateReconciler(*of_all, self.monotonic)
        self._registrations = RegistrationReconciler(*of_all)
        loop, access = Loop(self._writer, self.outbox), self.observer.access
        self._access: dict[str, Reconciler] = {
            "WebServiceGrant": GrantReconciler(access, loop, self.policy_now, self.copier, self.freshness),
            "WebService": WebServiceReconciler(access, loop, self.policy_now, self.monotonic),
            "AgentAssignment": AssignmentReconciler(access, loop, self.policy_now, self.monotonic),
        }

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC)."""
        now = now.replace(microsecond=0)
        match key.kind:
            case "EService":
                return await self._services.reconcile(key, now)
            case "EServiceTemplate":
                return await self._templates.reconcile(key, now)
            case "EServiceRegistration":
                return await self._registrations.reconcile(key, now)
            case _ if key.kind in self._access:
                return await self._access[key.kind].reconcile(key, now)
            case _:
                return await self._record(key, now)

    async def _record(self, key: ObjectKey, now: datetime) -> Result:
        """An act, a verification, a deferral, a test, an identifier: nothing is done for it, only said."""
        world = self.observer.record(key)
        if world is None:
            self._writer.forget(key)
            return Result()
        if isinstance(world, InvalidObject):
            return await self._writer.invalid(key, world, now)
        status = record_status(world, now, self.policy_now())
        told = await self._writer.write_status(key, world.record.metadata, world.record.status, status)
        return Result(next_at=next_change(world, now, self.policy_now()), error=error_of(told))
