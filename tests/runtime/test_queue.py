# SPDX-License-Identifier: Apache-2.0
"""The queue: each key once, one at a time, in time, and again after a failure."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.queue import AGAIN_AFTER_FAILURE, KeyedQueue, Limits
from tests.runtime.clocks import MovedClock, breathe
from tests.support.waiting import eventually

A, B, C = (ObjectKey("EService", "pmlp", name) for name in "abc")


class Recorder:
    """Reconciles by noting the key; what happens beyond that is up to the test."""

    def __init__(self) -> None:
        self.ran: list[ObjectKey] = []
        self.at: list[datetime] = []
        self.answer: Callable[[ObjectKey, datetime], Awaitable[Result]] | None = None

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        self.ran.append(key)
        self.at.append(now)
        return await self.answer(key, now) if self.answer is not None else Result()

    def always(self, result: Result) -> None:
        async def answer(_key: ObjectKey, _now: datetime) -> Result:
            return result

        self.answer = answer


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@asynccontextmanager
async def running(queue: KeyedQueue, recorder: Recorder) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(queue.run(recorder))
    await breathe()
    try:
        yield task
    finally:
        queue.stop()
        async with asyncio.timeout(5):
            await task


def queue_for(clock: MovedClock, limits: Limits | None = None, chance: float = 0.5) -> KeyedQueue:
    return KeyedQueue(Metrics(), clock=clock, limits=limits or Limits(), chance=lambda: chance)


class Gate:
    """Holds every reconcile back until it is opened, and knows how many are held."""

    def __init__(self, recorder: Recorder) -> None:
        self._open = asyncio.Event()
        self.inside: list[ObjectKey] = []
        self.most = 0
        recorder.answer = self._wait

    async def _wait(self, key: ObjectKey, _now: datetime) -> Result:
        self.inside.append(key)
        self.most = max(self.most, len(self.inside))
        await self._open.wait()
        self.inside.remove(key)
        return Result()

    def open(self) -> None:
        self._open.set()


async def test_a_key_added_often_before_it_runs_runs_once(recorder: Recorder, clock: MovedClock) -> None:
    queue = queue_for(clock)
    for _ in range(5):
        queue.add(A)
    assert queue.depth == 1
    async with running(queue, recorder):
        assert recorder.ran == [A]


async def test_a_key_added_while_it_runs_runs_once_more_and_never_beside_itself(
    recorder: Recorder, clock: MovedClock
) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        for _ in range(5):
            queue.add(A)
        await breathe()
        assert gate.inside == [A]
        gate.open()
        await breathe()
    assert recorder.ran == [A, A]
    assert gate.most == 1


async def test_different_keys_run_beside_each_other_up_to_the_number_of_workers(
    recorder: Recorder, clock: MovedClock
) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock, Limits(workers=2))
    async with running(queue, recorder):
        for key in (A, B, C):
            queue.add(key)
        await breathe()
        assert gate.inside == [A, B]
        assert queue.depth == 1
        gate.open()
        await breathe()
        assert recorder.ran == [A, B, C]


async def test_what_somebody_waits_for_goes_before_the_background(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock, Limits(workers=1))
    for key in (A, B):
        queue.add(key, background=True)
    queue.add(C)
    queue.add(B)  # promoted: somebody edited it
    async with running(queue, recorder):
        assert recorder.ran == [C, B, A]


async def test_the_background_takes_turns_once_it_has_waited_long(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock, Limits(workers=1))
    queue.add(A, background=True)
    await clock.advance(61)
    queue.add(B)
    queue.add(C)
    async with running(queue, recorder):
        assert recorder.ran == [A, B, C]


async def test_a_background_add_during_a_run_stays_in_the_background(
    recorder: Recorder, clock: MovedClock
) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock, Limits(workers=1))
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        queue.add(A, background=True)
        queue.add(B)
        gate.open()
        await breathe()
    assert recorder.ran == [A, B, A]


async def test_an_exception_is_logged_with_its_key_and_the_key_comes_back(
    recorder: Recorder, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_key: ObjectKey, _now: datetime) -> Result:
        raise ZeroDivisionError("by design")

    recorder.answer = fail
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        assert "EService pmlp/a" in caplog.text
        assert "ZeroDivisionError: by design" in caplog.text
        recorder.answer = None
        await clock.advance(1.0)
    assert recorder.ran == [A, A]


async def test_a_reconcile_that_hangs_is_cancelled_and_tried_again(
    recorder: Recorder, clock: MovedClock
) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock, Limits(longest_reconcile=0.001))
    async with running(queue, recorder):
        queue.add(A)
        await eventually(lambda: queue._failures == {A: 1})
        gate.open()
        await clock.advance(1.0)
    assert recorder.ran == [A, A]


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999999])
def test_backoff_grows_and_stays_within_its_bounds(chance: float) -> None:
    limits = Limits()
    waits = [limits.backoff(failures, chance) for failures in range(1, 5_000)]
    assert all(0.5 <= wait <= 300 for wait in waits)
    assert waits == sorted(waits)


def test_backoff_uses_its_whole_range() -> None:
    limits = Limits()
    assert limits.backoff(1, 0.0) == 0.5
    assert limits.backoff(1, 0.999999) == pytest.approx(1.0, abs=1e-3)
    assert limits.backoff(20, 0.0) == 0.5
    assert limits.backoff(20, 0.999999) == pytest.approx(300, abs=1e-2)


async def test_failures_are_spaced_further_and_further_and_a_success_starts_over(
    recorder: Recorder, clock: MovedClock
) -> None:
    recorder.always(Result(error="the API server is away"))
    queue = queue_for(clock, chance=1.0)
    async with running(queue, recorder):
        queue.add(A)
        await clock.advance(7)  # after 1, 2 and 4 s
        assert len(recorder.ran) == 4
        recorder.always(Result())
        await clock.advance(8)
        assert len(recorder.ran) == 5
        recorder.always(Result(error="away again"))
        queue.add(A)
        await clock.advance(1)
        assert len(recorder.ran) == 7


async def test_a_failure_that_wakes_its_own_key_is_no_loop(recorder: Recorder, clock: MovedClock) -> None:
    queue = queue_for(clock, Limits(first_backoff=60.0))

    async def write_and_fail(key: ObjectKey, _now: datetime) -> Result:
        queue.add(key)
        return Result(error="undone each time")

    recorder.answer = write_and_fail
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        assert recorder.ran == [A]
        await clock.advance(AGAIN_AFTER_FAILURE)
        assert recorder.ran == [A, A], "somebody may have edited it meanwhile"


async def test_an_edit_does_not_wait_for_the_backoff(recorder: Recorder, clock: MovedClock) -> None:
    recorder.always(Result(error="not yet"))
    queue = queue_for(clock, chance=1.0)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        queue.add(A)
        await breathe()
        assert len(recorder.ran) == 2
        await clock.advance(1.5)
        assert len(recorder.ran) == 2, (
            "the second failure waits two seconds, and the first one's retry is gone"
        )


async def test_the_instant_that_a_reconcile_names_is_kept(recorder: Recorder, clock: MovedClock) -> None:
    due = clock.now() + timedelta(hours=3)
    recorder.always(Result(next_at=due))
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        recorder.always(Result())
        await clock.advance(3 * 3600 - 0.001)
        assert len(recorder.ran) == 1
        await clock.advance(0.001)
        assert recorder.at[1:] == [due]
        await clock.advance(24 * 3600)
        assert len(recorder.ran) == 2


async def test_of_several_instants_the_earliest_counts_and_a_run_answers_them_all(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock)
    async with running(queue, recorder):
        for minutes in (30, 10, 20):
            queue.add_at(A, clock.now() + timedelta(minutes=minutes))
        await clock.advance(9 * 60)
        assert recorder.ran == []
        await clock.advance(60)
        assert recorder.ran == [A]
        await clock.advance(3600)
        assert recorder.ran == [A]


async def test_it_says_when_the_next_key_is_due_and_leaves_out_what_is_looked_at_anyway(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock, Limits(first_backoff=60.0))
    async with running(queue, recorder):
        queue.add_within(A, 5)
        assert queue.next_in == math.inf
        queue.add_at(A, clock.now() + timedelta(hours=3))
        queue.add_at(B, clock.now() + timedelta(hours=2))
        assert queue.next_in == 2 * 3600
        await clock.advance(10)
        assert (recorder.ran, queue.next_in) == ([A], 2 * 3600 - 10)
        recorder.always(Result(error="not yet"))
        queue.add(A)
        await breathe()
        assert queue.next_in == 90


async def test_a_clock_set_forward_makes_due_keys_run_within_the_longest_sleep(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add_at(A, clock.now() + timedelta(days=400))
        await breathe()
        assert max(clock.sleeps()) <= 30
        clock.jump(timedelta(days=401))
        await clock.advance(30)
        assert recorder.ran == [A]


async def test_a_clock_set_forward_counts_at_once_when_the_watchdog_says_so(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add_at(A, clock.now() + timedelta(days=400))
        await breathe()
        clock.jump(timedelta(days=401))
        queue.wake()
        await breathe()
        assert recorder.ran == [A]


async def test_a_clock_set_back_delays_no_retry(recorder: Recorder, clock: MovedClock) -> None:
    recorder.always(Result(error="not yet"))
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
        clock.jump(timedelta(days=-400))
        await clock.advance(1)
        assert len(recorder.ran) == 2


async def test_an_instant_without_a_time_zone_fails_its_reconcile_alone(
    recorder: Recorder, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def naive(_key: ObjectKey, now: datetime) -> Result:
        return Result(next_at=now.replace(tzinfo=None))

    recorder.answer = naive
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await clock.advance(1)
        assert recorder.ran == [A, A]
    assert "next_at has no time zone" in caplog.text


async def test_an_instant_in_the_past_does_not_become_a_loop(recorder: Recorder, clock: MovedClock) -> None:
    recorder.always(Result(next_at=clock.now() - timedelta(days=1)))
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add(A)
        await clock.advance(10)
        assert len(recorder.ran) == 11


async def test_spread_keys_run_in_the_background_within_their_time(
    recorder: Recorder, clock: MovedClock
) -> None:
    queue = queue_for(clock)
    async with running(queue, recorder):
        queue.add_within(A, 100)
        queue.add_within(B, 200)
        await clock.advance(150)
        assert recorder.ran == [A]
        queue.add(B)  # reconciled for another reason: its turn in the spread is over
        await clock.advance(100)
        assert recorder.ran == [A, B]


async def test_stop_lets_running_keys_finish_and_starts_no_other(
    recorder: Recorder, clock: MovedClock
) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock, Limits(workers=1))
    task = asyncio.create_task(queue.run(recorder))
    queue.add(A)
    queue.add(B)
    await breathe()
    queue.stop()
    queue.add(C)
    await breathe()
    assert not task.done()
    gate.open()
    async with asyncio.timeout(5):
        await task
    assert recorder.ran == [A]


async def test_stop_cuts_off_what_does_not_finish(
    recorder: Recorder, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    Gate(recorder)
    queue = queue_for(clock, Limits(drain=0.01))
    caplog.set_level(logging.WARNING)
    async with running(queue, recorder):
        queue.add(A)
        await breathe()
    assert "EService pmlp/a: cut off" in caplog.text


async def test_the_age_and_progress_that_health_asks_for(recorder: Recorder, clock: MovedClock) -> None:
    gate = Gate(recorder)
    queue = queue_for(clock, Limits(workers=1))
    async with running(queue, recorder):
        queue.add(A)
        await clock.advance(40)
        queue.add(B)
        await clock.advance(60)
        assert (queue.oldest_age, queue.idle_for) == (60, 100)
        gate.open()
        await breathe()
        assert (queue.oldest_age, queue.idle_for) == (0, 0)
