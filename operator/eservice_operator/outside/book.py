# SPDX-License-Identifier: Apache-2.0
"""Keeps what was seen last of every public host, and asks again when it is time.

After a route has changed its hosts are asked quickly, at rest once in an interval. Everything here belongs to
one event loop, and no reconcile waits for an answer.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.sightings import (
    PATIENCE,
    Answer,
    Known,
    Question,
    Witnessed,
    answered_by,
    fits,
    hear,
)
from eservice_operator.outside.turns import Clock, Turns

log = logging.getLogger(__name__)

PAUSES: Final = (0.2, 0.3, 0.5, 1.0, 3.0, 5.0, 10.0, 10.0)
"""Seconds from one question to the next while a host does not show what its route does; then longer."""
SECOND_LOOK: Final = 2.0
"""Seconds after which a first good answer, or a first bad one, is looked at again: not all of a gateway
follows at once, and one odd answer is no news."""
JITTER: Final = 0.1
"""The part of an interval by which questions at rest are early or late."""
MARGIN: Final = 0.5
"""Seconds after the end of the patience at which that is looked at: reports count in whole seconds."""


class Asks(Protocol):
    """Who asks one question."""

    async def ask(self, host: str, path: str) -> Answer:
        """Ask for ``path`` of a public host; never raises but for a bug."""
        ...


class Told(Protocol):
    """Who counts what was asked, and what came of it."""

    def answered(self, key: ObjectKey, host: str, answer: Answer) -> None:
        """A question has ended."""
        ...

    def agreed(self, question: Question, seconds: float) -> None:
        """So long after the change of a face was decided, all its hosts have shown it."""
        ...

    def forgotten(self, key: ObjectKey, host: str) -> None:
        """A host is not asked any more."""
        ...


@dataclass(slots=True)
class _Host:
    """One host of a route: what is known of it, and how far the questions have come."""

    known: Known | None = None
    heard: bool = False
    """Whether it has answered about this very route."""
    step: int = 0
    """How many questions in a row did not bring what the route shows."""
    confirmed: bool = False
    """Whether a good answer was looked at a second time."""


@dataclass(slots=True, eq=False)
class _Entry:
    """One e-service's route, as it is asked about."""

    question: Question
    since: datetime
    generation: int
    """That of the route which was last answered about."""
    began: float | None
    """The monotonic instant at which the change of its face was decided; none once that was seen."""
    hosts: dict[str, _Host] = field(default_factory=dict)

    def rests(self, host: str) -> bool:
        """Whether a host shows what the route shows, and nothing speaks against it."""
        known, asked = self.hosts[host].known, self.question
        if known is None or known.doubt is not None:
            return False
        return fits(known.sighting.answered, asked.face, marked=asked.marked)

    def all_rest(self) -> bool:
        """Whether every host does."""
        return all(self.rests(host) for host in self.hosts)


class Book:
    """What answers under the public hosts; ``wake`` is called with an e-service's key when that changes."""

    def __init__(
        self,
        asker: Asks,
        wake: Callable[[ObjectKey], None],
        told: Told,
        *,
        clock: Clock,
        interval: timedelta,
        abreast: int = 16,
    ) -> None:
        self._asker = asker
        self._wake = wake
        self._told = told
        self._clock = clock
        self._interval = interval.total_seconds()
        self._turns = Turns(clock, abreast)
        self._entries: dict[ObjectKey, _Entry] = {}

    def watch(
        self, key: ObjectKey, question: Question, recalled: Witnessed | None, began: float | None = None
    ) -> None:
        """Ask about a route from now on; nothing happens where that is so already.

        ``recalled`` is what an earlier process saw; ``began``, monotonic, when the change of its face was
        decided.
        """
        old = self._entries.get(key)
        if old is not None and old.question == question:
            return
        before = self.seen(key) if old is not None else recalled
        if before is None or before.face is not question.face:
            before = None
        elif old is not None:
            began = old.began
        resumed = old is None and before is not None and before.generation == question.generation
        since = before.since if before is not None and resumed else self._clock.now().replace(microsecond=0)
        generation = question.generation if before is None else before.generation
        entry = self._entries[key] = _Entry(question, since, generation, began)
        for host in question.hosts:
            sighting = None if before is None else before.hosts.get(host)
            entry.hosts[host] = _Host(None if sighting is None else Known(sighting), confirmed=resumed)
        for host in () if old is None else old.hosts:
            if host not in entry.hosts:
                self._told.forgotten(key, host)
        self._begin(key, entry, resumed=resumed)

    def _begin(self, key: ObjectKey, entry: _Entry, *, resumed: bool) -> None:
        """Ask at once, but for what a restart only asks anew; and look when the patience is over."""
        for host in entry.hosts:
            routine = resumed and entry.rests(host)
            pause = random.uniform(0, self._interval) if routine else 0.0  # noqa: S311 - jitter
            self._plan(key, entry, host, pause, urgent=not routine)
        left = PATIENCE - (self._clock.now() - entry.since)
        if left > timedelta(0):
            self._turns.plan(left.total_seconds() + MARGIN, lambda: self._overdue(key, entry), urgent=True)

    def forget(self, key: ObjectKey) -> None:
        """Ask no more about an e-service."""
        entry = self._entries.pop(key, None)
        for host in () if entry is None else entry.hosts:
            self._told.forgotten(key, host)

    def seen(self, key: ObjectKey) -> Witnessed | None:
        """What is known of the hosts of an e-service; none where nobody asks about it."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        known = {host: state.known.sighting for host, state in entry.hosts.items() if state.known is not None}
        return Witnessed(entry.question.face, entry.generation, entry.since, known)

    async def close(self) -> None:
        """End every question; what was not answered is asked after the next start."""
        await self._turns.close()

    @property
    def under_way(self) -> int:
        """How many questions are."""
        return self._turns.under_way

    @property
    def planned(self) -> int:
        """How many questions, and ends of a patience, have their instant."""
        return self._turns.waiting

    def _plan(self, key: ObjectKey, entry: _Entry, host: str, pause: float, *, urgent: bool) -> None:
        self._turns.plan(pause, lambda: self._asking(key, entry, host), urgent=urgent)

    def _stands(self, key: ObjectKey, entry: _Entry) -> bool:
        """Whether the entry is still what is asked about; a plan of an earlier one comes to nothing."""
        return self._entries.get(key) is entry

    def _asking(self, key: ObjectKey, entry: _Entry, host: str) -> Coroutine[Any, Any, None] | None:
        return self._ask(key, entry, host) if self._stands(key, entry) else None

    async def _ask(self, key: ObjectKey, entry: _Entry, host: str) -> None:
        try:
            answer = await self._asker.ask(host, entry.question.path)
        except Exception:
            log.exception("asking %s failed unexpectedly", host)
            self._plan(key, entry, host, self._interval, urgent=False)
            return
        if self._stands(key, entry):
            self._hear(key, entry, host, answer)
            rested = entry.hosts[host].confirmed
            pause = self._pause(entry, host)
            self._plan(key, entry, host, pause, urgent=not (rested and entry.rests(host)))

    def _hear(self, key: ObjectKey, entry: _Entry, host: str, answer: Answer) -> None:
        """Take an answer down, and wake who has to know of it."""
        self._told.answered(key, host, answer)
        state = entry.hosts[host]
        before, state.known = state.known, hear(state.known, answer, entry.question)
        state.heard, entry.generation = True, entry.question.generation
        if before is None or before.sighting.answered is not state.known.sighting.answered:
            said = answered_by(answer, entry.question).value
            log.info("%s of %s/%s: %s (%s)", host, key.namespace, key.name, said, answer.why or answer.code)
            self._wake(key)
        if entry.began is not None and entry.all_rest() and all(one.heard for one in entry.hosts.values()):
            self._told.agreed(entry.question, self._clock.monotonic() - entry.began)
            entry.began = None

    def _overdue(self, key: ObjectKey, entry: _Entry) -> None:
        """The patience with a change is over."""
        if self._stands(key, entry) and not entry.all_rest():
            self._wake(key)

    def _pause(self, entry: _Entry, host: str) -> float:
        """Seconds until the next question."""
        state = entry.hosts[host]
        if not entry.rests(host):
            doubted = state.known is not None and state.known.doubt is not None
            state.confirmed, state.step = False, state.step + 1
            pause = SECOND_LOOK if doubted else _ladder(state.step - 1)
            return min(pause, self._interval)
        state.step = 0
        if not state.confirmed:
            state.confirmed = True
            return min(SECOND_LOOK, self._interval)
        return self._interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter


def _ladder(step: int) -> float:
    """The pause after so many answers in a row that do not fit."""
    last = len(PAUSES) - 1
    return PAUSES[step] if step <= last else PAUSES[last] * 2.0 ** min(step - last, 16)
