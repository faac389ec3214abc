# SPDX-License-Identifier: Apache-2.0
"""When what is done: a few things at once, the urgent ones first, on one event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Hashable
from datetime import datetime
from itertools import count
from typing import Any, Final, Protocol

NEVER: Final = float("inf")
EACH: Final = 2
"""Jobs of one and the same that are under way at once: silent hosts of one e-service hold up no others."""
DRAIN: Final = 2.0
"""Seconds at the end for what is under way to be cancelled in."""

Job = Callable[[], Coroutine[Any, Any, None] | None]
"""What is done in its turn; answers None where there is nothing to wait for, and else what never raises."""
Planned = tuple[float, int, Hashable, Job]
"""The monotonic instant, the order of planning, whose job it is, and the job."""


class Clock(Protocol):
    """The clocks that the probe goes by."""

    def now(self) -> datetime:
        """The wall clock's instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some instant."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many monotonic seconds."""
        ...


class Turns:
    """Jobs with their instants; at most ``abreast`` are under way at once, and of the same at most two."""

    def __init__(self, clock: Clock, abreast: int) -> None:
        self._clock = clock
        self._abreast = abreast
        self._urgent: list[Planned] = []
        self._routine: list[Planned] = []
        self._held: defaultdict[Hashable, list[tuple[list[Planned], Planned]]] = defaultdict(list)
        """Whose turn it is, while two of the same are under way, with the heap that they go back to."""
        self._busy: Counter[Hashable] = Counter()
        self._order = count()
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Task[None] | None = None
        self._timed = NEVER
        self._closed = False

    def plan(self, of: Hashable, seconds: float, job: Job, *, urgent: bool) -> None:
        """Do somebody's job after so many seconds, or once it is its turn."""
        heap = self._urgent if urgent else self._routine
        heapq.heappush(heap, (self._clock.monotonic() + seconds, next(self._order), of, job))
        self._go_on()

    async def close(self) -> None:
        """Start nothing more, and cancel what is under way."""
        self._closed = True
        tasks = {*self._running, *(() if self._timer is None else (self._timer,))}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN)

    @property
    def under_way(self) -> int:
        """How many jobs are."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many have an instant."""
        return len(self._urgent) + len(self._routine) + sum(map(len, self._held.values()))

    def _go_on(self) -> None:
        now = self._clock.monotonic()
        for heap in (self._urgent, self._routine):
            while heap and heap[0][0] <= now and len(self._running) < self._abreast and not self._closed:
                self._start(heap, heapq.heappop(heap))
        self._arm(now)

    def _start(self, heap: list[Planned], planned: Planned) -> None:
        _, _, of, job = planned
        if self._busy[of] >= EACH:
            self._held[of].append((heap, planned))
            return
        begun = job()
        if begun is not None:
            task = asyncio.create_task(begun)
            self._running.add(task)
            self._busy[of] += 1
            task.add_done_callback(lambda task: self._ended(task, of))

    def _ended(self, task: asyncio.Task[None], of: Hashable) -> None:
        self._running.discard(task)
        self._busy[of] -= 1
        if not self._busy[of]:
            del self._busy[of]
        for heap, planned in self._held.pop(of, ()):
            heapq.heappush(heap, planned)
        if not self._closed:
            self._go_on()

    def _arm(self, now: float) -> None:
        """Wake up for the next instant, unless everything has to wait for something to end."""
        if self._closed or len(self._running) >= self._abreast:
            return
        due = min((heap[0][0] for heap in (self._urgent, self._routine) if heap), default=NEVER)
        if due >= self._timed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timed = due
        self._timer = asyncio.create_task(self._later(due - now), name="probe timer")

    async def _later(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timer, self._timed = None, NEVER
        self._go_on()
