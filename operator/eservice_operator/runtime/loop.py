# SPDX-License-Identifier: Apache-2.0
"""The loop of all kinds but EServices: observe, decide, confirm where that is asked, apply, then report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from eservice_operator.api.base import ObjectMeta, Status
from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.freshness import Looks
from eservice_operator.core.actions import Action, Outcome
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.letters import Letter
from eservice_operator.core.notes import Note
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import ROUNDS, Decided, error_of, outdated
from eservice_operator.runtime.writing import NOTHING_DONE, Writer

D = TypeVar("D", bound=Decided)


@dataclass(frozen=True, slots=True)
class Telling:
    """What a reconcile says of its object in the end."""

    metadata: ObjectMeta
    before: Status
    """The status as it was observed."""
    status: Status
    letters: tuple[Letter, ...] = ()
    """To be handed over once the status is written."""
    notes: tuple[Note, ...] = ()
    """Events, for a status that says something new."""
    next_at: datetime | None = None
    error: str | None = None
    """What is worth another try."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Brings one object at a time to what the rules say."""

    writer: Writer
    outbox: Outbox

    async def run(
        self,
        key: ObjectKey,
        now: datetime,
        look: Callable[[], D | InvalidObject | None],
        tell: Callable[[D, Outcome], Telling],
        confirm: Callable[[D, Looks], Awaitable[bool]] | None = None,
        at_once: Callable[[D], Sequence[Action]] = lambda _: (),
    ) -> Result:
        """Reconcile ``key``: ``look`` observes and decides, and is asked again after each write.

        ``tell`` gets the last decision and what the last writes came to. ``confirm`` says whether a decision
        rests on what is true now; where it does not, ``look`` is asked again before anything is written, but
        for ``at_once``: what rests on nothing, and is done once before ``confirm`` is asked.
        """
        outcome, left, looks, begun = NOTHING_DONE, ROUNDS, Looks(), False
        while True:
            decision = look()
            if decision is None:
                self.outbox.answers(key, ())
                self.writer.forget(key)
                return Result()
            if isinstance(decision, InvalidObject):
                return await self.writer.invalid(key, decision, now)
            if not decision.actions or not left or (outcome.failure is not None and not outdated(outcome)):
                return await self._tell(key, tell(decision, outcome))
            left -= 1
            first = () if begun else at_once(decision)
            if first:
                outcome, looks, begun = await self.writer.apply(first), Looks(), True
                continue
            try:
                confirmed = confirm is None or await confirm(decision, looks)
            except ApiError as error:
                if outcome.done:
                    await self._tell(key, tell(decision, outcome))
                return Result(error=f"cannot confirm what the decision rests on: {error}")
            if confirmed:
                outcome, looks = await self.writer.apply(decision.actions), Looks()

    async def _tell(self, key: ObjectKey, telling: Telling) -> Result:
        told = await self.writer.write_status(key, telling.metadata, telling.before, telling.status)
        if told.failure is None:
            self.outbox.post(key, telling.letters)
        if told.done:
            await self.writer.publish(key, telling.metadata, telling.notes)
        return Result(next_at=telling.next_at, error=telling.error or error_of(told))
