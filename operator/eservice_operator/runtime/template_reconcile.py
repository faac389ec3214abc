# SPDX-License-Identifier: Apache-2.0
"""One reconcile of an EServiceTemplate: its e-services counted, the brake, its status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eservice_operator.api.parse import InvalidObject
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.actions import Action, Outcome
from eservice_operator.core.braking import TemplateDecision, decide_template
from eservice_operator.core.drafting import template_letters
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import next_try
from eservice_operator.core.notes import template_notes
from eservice_operator.core.policy import Policy
from eservice_operator.runtime.loop import Loop, Telling
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.pauses import Pauses
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import earliest_of, error_of
from eservice_operator.runtime.writing import Writer


@dataclass
class TemplateReconciler:
    """Brings one EServiceTemplate at a time to what the rules say; implements `Reconciler`."""

    observer: Observer
    writer: Writer
    outbox: Outbox
    policy_now: Callable[[], Policy]
    monotonic: Callable[[], float]
    _pauses: Pauses = field(default_factory=Pauses)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC, whole seconds)."""

        async def look() -> Result:
            return await Loop(self.writer, self.outbox).run(
                key, now, lambda: self._look(key, now), lambda seen, outcome: _told(seen, outcome, now)
            )

        return await self._pauses.spaced(key, self.observer.generation(key), now, self.monotonic, look)

    def _look(self, key: ObjectKey, now: datetime) -> _Seen | InvalidObject | None:
        world = self.observer.template(key)
        if world is None:
            self._pauses.forget(key)
        if world is None or isinstance(world, InvalidObject):
            return world
        answers = self.outbox.answers(key, world.template.status.notices)
        decision = decide_template(replace(world, deliveries=answers), now, self.policy_now())
        return _Seen(world.template, decision)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A template as it was observed, and what was decided about it."""

    template: EServiceTemplate
    decision: TemplateDecision

    @property
    def actions(self) -> tuple[Action, ...]:
        """What to do now."""
        return self.decision.actions


def _told(seen: _Seen, outcome: Outcome, now: datetime) -> Telling:
    template, status = seen.template, seen.decision.status
    return Telling(
        metadata=template.metadata,
        before=template.status,
        status=status,
        letters=template_letters(template, status, now),
        notes=template_notes(template.status, status),
        next_at=earliest_of(seen.decision.next_at, next_try(status.notices)),
        error=error_of(outcome),
    )
