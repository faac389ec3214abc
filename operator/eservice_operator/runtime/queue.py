# SPDX-License-Identifier: Apache-2.0
"""Reconciles every key that was added, is due or failed before: one at a time per key, and in time."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.backlog import Backlog
from eservice_operator.runtime.clock import SYSTEM, Clock, sleep_or
from eservice_operator.runtime.logs import about
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Reconciler, Result
from eservice_operator.runtime.schedule import Schedule

log = logging.getLogger(__name__)

SOONEST_AGAIN = timedelta(seconds=1)
"""A deadline that lies in the past after a reconcile must not turn into a loop without a pause."""

AGAIN_AFTER_FAILURE = 5.0
"""Seconds at most until a key comes back that failed and was added while it ran."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the queue keeps to; all but ``workers`` in seconds."""

    workers: int = 16
    """Keys reconciled at once."""
    longest_sleep: float = 30.0
    """After this the wall clock is read again, so that one set forward makes the keys due that it passed."""
    longest_reconcile: float = 300.0
    """A reconcile that takes longer is cancelled and tried again."""
    drain: float = 20.0
    """Granted at the end to the keys that are running."""
    first_backoff: float = 0.5
    longest_backoff: float = 300.0

    def backoff(self, failures: int, chance: float) -> float:
        """The wait after so many failures in a row (from 1); full jitter by ``chance``, in [0, 1)."""
        ceiling = min(self.longest_backoff, self.first_backoff * 2.0 ** min(failures, 32))
        return self.first_backoff + chance * (ceiling - self.first_backoff)


DEFAULT_LIMITS = Limits()


class KeyedQueue:
    """Runs a reconciler over keys.

    A key waits at most once, however often it is added; added while it runs, it runs once more afterwards: at
    once, or after a failure within `AGAIN_AFTER_FAILURE`.
    A run answers everything that was planned for its key before, so what counts afterwards is the instant it
    names. Everything here belongs to one event loop, and nothing blocks.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        clock: Clock = SYSTEM,
        limits: Limits = DEFAULT_LIMITS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._limits = limits
        self._chance = chance
        self._backlog = Backlog()
        self._running: dict[ObjectKey, asyncio.Task[None]] = {}
        self._again: dict[ObjectKey, bool] = {}  # added while running, and whether only in the background
        self._failures: dict[ObjectKey, int] = {}
        self._deadlines = Schedule()  # by the wall clock
        self._retries = Schedule()  # by the monotonic clock, as is the next one
        self._spread = Schedule()
        self._crew: tuple[asyncio.TaskGroup, Reconciler] | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._progressed = clock.monotonic()
        metrics.queue_depth.set_function(lambda: self.depth)
        metrics.queue_oldest.set_function(lambda: self.oldest_age)
        metrics.queue_running.set_function(lambda: len(self._running))
        metrics.queue_deadlines.set_function(lambda: len(self._deadlines))
        metrics.queue_next.set_function(lambda: self.next_in)

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._backlog)

    @property
    def oldest_age(self) -> float:
        """Seconds that the oldest of the waiting keys has waited."""
        oldest = self._backlog.oldest()
        return 0.0 if oldest is None else self._clock.monotonic() - oldest

    @property
    def next_in(self) -> float:
        """Seconds until the next deadline or retry; regular looks apart. Infinite where there is none."""
        due = self._deadlines.soonest(), self._retries.soonest()
        now = self._clock.now().timestamp(), self._clock.monotonic()
        return min(
            (at - clock for at, clock in zip(due, now, strict=True) if at is not None), default=math.inf
        )

    @property
    def idle_for(self) -> float:
        """Seconds since a reconcile last came to an end, well or not."""
        return self._clock.monotonic() - self._progressed

    def add(self, key: ObjectKey, *, background: bool = False) -> None:
        """Reconcile ``key`` as soon as a worker is free."""
        if self._stopping:
            return
        if key in self._running:
            self._again[key] = background and self._again.get(key, True)
        elif self._backlog.add(key, self._clock.monotonic(), background=background):
            self._metrics.queue_adds.labels(key.kind).inc()
            self._dispatch()

    def add_at(self, key: ObjectKey, instant: datetime) -> None:
        """Reconcile ``key`` once the wall clock shows ``instant`` (aware); of several, the earliest."""
        self._schedule(self._deadlines, key, instant.timestamp())

    def add_within(self, key: ObjectKey, seconds: float) -> None:
        """Reconcile ``key`` in the background after some seconds: how many keys are spread over time."""
        self._schedule(self._spread, key, self._clock.monotonic() + seconds)

    def wake(self) -> None:
        """Look at the clocks now; called when the wall clock has been moved."""
        self._wake.set()

    def stop(self) -> None:
        """Start nothing new; `run` returns once the running keys are done or their time is up."""
        self._stopping = True
        self._wake.set()

    async def run(self, reconciler: Reconciler) -> None:
        """Work until `stop`; keys added before wait for it. Raises only for a bug in the queue itself."""
        async with asyncio.TaskGroup() as group:
            self._crew = group, reconciler
            self._dispatch()
            while not self._stopping:
                self._wake.clear()
                self._ripen()
                await sleep_or(self._clock, self._pause(), self._wake)
            await self._drain()

    def _schedule(self, schedule: Schedule, key: ObjectKey, due: float) -> None:
        """Plan, and look at the clocks again if this comes before everything that was planned there."""
        before = schedule.next_due()
        schedule.put(key, due)
        if before is None or due < before:
            self._wake.set()

    def _pause(self) -> float:
        """Seconds until the next planned instant, by whichever clock, at most the longest sleep."""
        pauses = [self._limits.longest_sleep]
        if (deadline := self._deadlines.next_due()) is not None:
            pauses.append(deadline - self._clock.now().timestamp())
        pauses.extend(
            due - self._clock.monotonic()
            for schedule in (self._retries, self._spread)
            if (due := schedule.next_due()) is not None
        )
        return min(pauses)

    def _ripen(self) -> None:
        """Add the keys whose planned instant has come."""
        for key in self._deadlines.pop_due(self._clock.now().timestamp()):
            self.add(key)
        for key in self._retries.pop_due(self._clock.monotonic()):
            self._metrics.queue_retries.labels(key.kind).inc()
            self.add(key)
        for key in self._spread.pop_due(self._clock.monotonic()):
            self.add(key, background=True)

    def _dispatch(self) -> None:
        """Start as many waiting keys as there are free workers."""
        while self._crew is not None and not self._stopping and len(self._running) < self._limits.workers:
            taken = self._backlog.take(self._clock.monotonic())
            if taken is None:
                return
            key, since = taken
            self._metrics.queue_wait.observe(self._clock.monotonic() - since)
            for schedule in (self._deadlines, self._retries, self._spread):
                schedule.discard(key)
            group, reconciler = self._crew
            self._running[key] = group.create_task(self._work(key, reconciler), name=f"reconcile {key}")

    async def _work(self, key: ObjectKey, reconciler: Reconciler) -> None:
        began = self._clock.monotonic()
        with about(key):
            result = await self._attempt(key, reconciler)
            self._progressed = self._clock.monotonic()
            self._metrics.reconciled(key.kind, self._progressed - began, ok=result.error is None)
            self._plan(key, result)
        del self._running[key]
        again = self._again.pop(key, None)
        if again is not None and result.error is None:
            self.add(key, background=again)
        elif again is not None:  # perhaps only its own writes woke it: without a pause that were a loop
            self._schedule(self._retries, key, self._clock.monotonic() + AGAIN_AFTER_FAILURE)
        self._dispatch()

    async def _attempt(self, key: ObjectKey, reconciler: Reconciler) -> Result:
        """One reconcile; whatever it raises becomes an error to try again."""
        try:
            async with asyncio.timeout(self._limits.longest_reconcile):
                return await reconciler.reconcile(key, self._clock.now())
        except Exception as error:
            log.exception("%s: the reconcile failed unexpectedly", key)
            self._metrics.reconcile_raised.labels(key.kind).inc()
            return Result(error=f"{type(error).__name__}: {error}")

    def _plan(self, key: ObjectKey, result: Result) -> None:
        """When the key comes back: after its backoff, at the instant it named, or when something changes."""
        if result.error is None:
            self._failures.pop(key, None)
        else:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            wait = self._limits.backoff(failures, self._chance())
            self._schedule(self._retries, key, self._clock.monotonic() + wait)
            log.warning("%s: tried again in %.1f s (failure %d): %s", key, wait, failures, result.error)
        if result.next_at is not None:
            self.add_at(key, max(result.next_at, self._clock.now() + SOONEST_AGAIN))

    async def _drain(self) -> None:
        """Wait for the running keys, and cut off those whose time is up."""
        running = dict(self._running)
        if not running:
            return
        log.info("finishing %d running keys, at most %.0f s", len(running), self._limits.drain)
        _, late = await asyncio.wait(running.values(), timeout=self._limits.drain)
        for key, task in running.items():
            if task in late:
                log.warning("%s: cut off; it is taken up again at the next start", key)
                task.cancel()
