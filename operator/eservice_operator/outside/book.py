# SPDX-License-Identifier: Apache-2.0
"""Keeps what was seen last of every public host, and asks again when it is time.

After a route has changed its hosts are asked quickly, at rest once in an interval. Everything here belongs to
one event loop, and no reconcile waits for an answer.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, Protocol

from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.sightings import PATIENCE, Answer, Question, Witnessed, answered_by, hear
from eservice_operator.outside.entries import Entry, entry_of
from eservice_operator.outside.turns import Clock, Turns

log = logging.getLogger(__name__)

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
        self._entries: dict[ObjectKey, Entry] = {}

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
        entry, resumed = entry_of(question, old, recalled, began, self._clock.now().replace(microsecond=0))
        self._entries[key] = entry
        for host in () if old is None else old.hosts:
            if host not in entry.hosts:
                self._told.forgotten(key, host)
        self._begin(key, entry, resumed=resumed)

    def _begin(self, key: ObjectKey, entry: Entry, *, resumed: bool) -> None:
        """Ask at once, but for what a restart only asks anew; and look when the patience is over."""
        for host in entry.hosts:
            routine = resumed and entry.rests(host)
            pause = random.uniform(0, self._interval) if routine else 0.0  # noqa: S311 - jitter
            self._plan(key, entry, host, pause, urgent=not routine)
        now = self._clock.now()
        for since in {state.since for state in entry.hosts.values()}:
            left = (PATIENCE - (now - since)).total_seconds()
            if left > 0:
                self._turns.plan(key, left + MARGIN, lambda: self._overdue(key, entry), urgent=True)

    def forget(self, key: ObjectKey) -> None:
        """Ask no more about an e-service."""
        entry = self._entries.pop(key, None)
        for host in () if entry is None else entry.hosts:
            self._told.forgotten(key, host)

    def seen(self, key: ObjectKey) -> Witnessed | None:
        """What is known of the hosts of an e-service; none where nobody asks about it."""
        entry = self._entries.get(key)
        return None if entry is None else entry.seen()

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

    def _plan(self, key: ObjectKey, entry: Entry, host: str, pause: float, *, urgent: bool) -> None:
        self._turns.plan(key, pause, lambda: self._asking(key, entry, host), urgent=urgent)

    def _stands(self, key: ObjectKey, entry: Entry) -> bool:
        """Whether the entry is still what is asked about; a plan of an earlier one comes to nothing."""
        return self._entries.get(key) is entry

    def _asking(self, key: ObjectKey, entry: Entry, host: str) -> Coroutine[Any, Any, None] | None:
        return self._ask(key, entry, host) if self._stands(key, entry) else None

    async def _ask(self, key: ObjectKey, entry: Entry, host: str) -> None:
        try:
            answer = await self._asker.ask(host, entry.question.path)
        except Exception:
            log.exception("asking %s failed unexpectedly", host)
            self._plan(key, entry, host, self._interval, urgent=False)
            return
        if self._stands(key, entry):
            self._hear(key, entry, host, answer)
            rested = entry.hosts[host].confirmed
            pause = entry.pause(host, self._interval)
            self._plan(key, entry, host, pause, urgent=not (rested and entry.rests(host)))

    def _hear(self, key: ObjectKey, entry: Entry, host: str, answer: Answer) -> None:
        """Take an answer down, and wake who has to know of it."""
        self._told.answered(key, host, answer)
        state = entry.hosts[host]
        before, state.known = state.known, hear(state.known, answer, entry.question)
        state.heard, entry.generation = True, entry.question.generation
        if before is None or before.sighting != state.known.sighting:
            said = answered_by(answer, entry.question).value
            log.info("%s of %s/%s: %s (%s)", host, key.namespace, key.name, said, answer.why or answer.code)
            self._wake(key)
        if entry.began is not None and entry.all_rest() and all(one.heard for one in entry.hosts.values()):
            self._told.agreed(entry.question, self._clock.monotonic() - entry.began)
            entry.began = None

    def _overdue(self, key: ObjectKey, entry: Entry) -> None:
        """The patience with a change is over."""
        if self._stands(key, entry) and not entry.all_rest():
            self._wake(key)
