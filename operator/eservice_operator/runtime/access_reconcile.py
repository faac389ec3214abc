# SPDX-License-Identifier: Apache-2.0
"""One reconcile of a grant, a web service or an assignment: of what decides who may call what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.grant_freshness import behind_opening
from eservice_operator.cluster.observe_access import AccessObserver
from eservice_operator.core.access.assigning import assignment_next, assignment_status
from eservice_operator.core.access.granting import GrantDecision, decide_grant, grant_status
from eservice_operator.core.access.holding import (
    WebServiceDecision,
    decide_web_service,
    web_service_status,
)
from eservice_operator.core.access.letters import web_service_letters
from eservice_operator.core.access.notes import grant_notes, web_service_notes
from eservice_operator.core.access.posting import next_of_web_service
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import AssignmentWorld
from eservice_operator.core.actions import Action, Outcome
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.runtime.loop import Loop, Telling
from eservice_operator.runtime.pauses import Pauses
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import contested, earliest_of, foreign_look, retry


@dataclass
class GrantReconciler:
    """Brings one WebServiceGrant at a time to what the rules say; implements `Reconciler`."""

    observer: AccessObserver
    loop: Loop
    policy_now: Callable[[], Policy]
    copier: CredentialsCopier
    freshness: Freshness

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Copy credentials where that is due, then observe, decide, confirm, apply and report."""
        missed = None
        try:
            copy_at = await self.copier.refresh(key, Times.under(self.policy_now(), now))
        except ApiError as error:
            copy_at, missed = None, f"cannot copy credentials: {error}"
        result = await self.loop.run(
            key,
            now,
            lambda: self._look(key, now),
            lambda seen, outcome: self._told(seen, outcome, now),
            lambda seen, looks: self.freshness.as_seen(behind_opening(seen), looks),
            lambda seen: seen.closing,
        )
        return Result(next_at=earliest_of(result.next_at, copy_at), error=result.error or missed)

    def _look(self, key: ObjectKey, now: datetime) -> GrantDecision | InvalidObject | None:
        world = self.observer.grant(key)
        if world is None or isinstance(world, InvalidObject):
            return world
        return decide_grant(replace(world, copied=self.copier.known(key)), now, self.policy_now())

    def _told(self, decision: GrantDecision, outcome: Outcome, now: datetime) -> Telling:
        grant, status = decision.world.case.grant, grant_status(decision, outcome, now)
        return Telling(
            metadata=grant.metadata,
            before=grant.status,
            status=status,
            notes=grant_notes(grant.status, status),
            next_at=earliest_of(decision.next_at, foreign_look(outcome, now)),
            error=retry(outcome) or contested(decision, outcome),
        )


@dataclass
class WebServiceReconciler:
    """Brings one WebService at a time to what the rules say; implements `Reconciler`."""

    observer: AccessObserver
    loop: Loop
    policy_now: Callable[[], Policy]
    monotonic: Callable[[], float]
    _pauses: Pauses = field(default_factory=Pauses)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report; who asks is counted now and then, the wall stands at once."""

        async def look() -> Result:
            return await self.loop.run(
                key,
                now,
                lambda: self._look(key, now),
                lambda seen, outcome: self._told(seen, outcome, now),
            )

        return await self._pauses.spaced(key, self.observer.wall_of(key), now, self.monotonic, look)

    def _look(self, key: ObjectKey, now: datetime) -> WebServiceDecision | InvalidObject | None:
        world = self.observer.web_service(key)
        if world is None:
            self._pauses.forget(key)
        if world is None or isinstance(world, InvalidObject):
            return world
        notices, outbox = world.offer.web_service.status.notices, self.loop.outbox
        answers, under_way = outbox.answers(key, notices), outbox.under_way(notices)
        return decide_web_service(
            replace(world, deliveries=answers, under_way=under_way), now, self.policy_now()
        )

    def _told(self, decision: WebServiceDecision, outcome: Outcome, now: datetime) -> Telling:
        world, policy = decision.world, self.policy_now()
        web_service, status = world.offer.web_service, web_service_status(decision, outcome, now, policy)
        step = next_of_web_service(world, status, now, policy)
        return Telling(
            metadata=web_service.metadata,
            before=web_service.status,
            status=status,
            letters=web_service_letters(world, status, now),
            notes=web_service_notes(web_service.status, status),
            next_at=earliest_of(decision.next_at, foreign_look(outcome, now), step),
            error=retry(outcome) or contested(decision, outcome),
        )


@dataclass(frozen=True, slots=True)
class _Assigned:
    """An assignment as it is seen: nothing is done for it, only said."""

    world: AssignmentWorld
    actions: tuple[Action, ...] = ()


@dataclass
class AssignmentReconciler:
    """Says of one AgentAssignment at a time how it stands; implements `Reconciler`."""

    observer: AccessObserver
    loop: Loop
    policy_now: Callable[[], Policy]
    monotonic: Callable[[], float]
    _pauses: Pauses = field(default_factory=Pauses)

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe and report; its customers are counted now and then, another spec or connection at once."""

        async def look() -> Result:
            return await self.loop.run(
                key, now, lambda: self._look(key), lambda seen, _: self._told(seen, now)
            )

        mark = self.observer.mark_of_assignment(key)
        return await self._pauses.spaced(key, mark, now, self.monotonic, look)

    def _look(self, key: ObjectKey) -> _Assigned | InvalidObject | None:
        world = self.observer.assignment(key)
        if world is None:
            self._pauses.forget(key)
        if world is None or isinstance(world, InvalidObject):
            return world
        return _Assigned(world)

    def _told(self, seen: _Assigned, now: datetime) -> Telling:
        assignment, policy = seen.world.agent.assignment, self.policy_now()
        status = assignment_status(seen.world, now, policy)
        return Telling(
            metadata=assignment.metadata,
            before=assignment.status,
            status=status,
            next_at=assignment_next(seen.world, now, policy),
        )
