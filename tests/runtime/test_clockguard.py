# SPDX-License-Identifier: Apache-2.0
"""When the wall clock is believed: what answers of the API server say about it, and what people do to it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.cluster.attempts import Attempt
from eservice_operator.cluster.errors import Transient
from eservice_operator.runtime.clockguard import ClockGuard, Verdict, date_of, policy_under
from eservice_operator.runtime.metrics import Metrics
from tests.runtime.clocks import MovedClock
from tests.support import worlds

EARLIEST, LATEST = datetime(2020, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone


class Server:
    """An API server whose clock is ``skew`` ahead of the machine's true one, and a guard that asks it."""

    def __init__(self, skew: timedelta = timedelta(0)) -> None:
        self.clock = MovedClock()
        self.metrics = Metrics()
        self.changes: list[bool] = []
        self.skew = skew
        self.asked = 0
        self.away = False
        self.dated = True
        self.moved = timedelta(0)
        self.guard = ClockGuard(self.metrics, lambda: self.changes.append(self.guard.trusted()), self.clock)

    def date(self) -> str:
        return format_datetime(self.clock.now() - self.moved + self.skew, usegmt=True)

    def answer(self, times: int = 1, *, seconds: float = 0.01, code: int = 200) -> None:
        for _ in range(times):
            self.guard.answered(Attempt("list", code, seconds, self.date() if self.dated else ""))

    def jump(self, step: timedelta) -> None:
        """Somebody moves the machine's wall clock; the watchdog has not looked yet."""
        self.moved += step
        self.clock.jump(step)

    async def ask(self) -> None:
        self.asked += 1
        if self.away:
            self.guard.answered(Attempt("get", 0, 5.0))
            raise Transient(0, "Unreachable", "no route to host")
        self.answer()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.guard.run(self.ask))
        try:
            yield
        finally:
            task.cancel()

    def figure(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"eservice_operator_clock_{name}")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


async def test_before_any_answer_it_trusts_and_knows_no_difference() -> None:
    server = Server()
    assert server.guard.trusted()
    assert server.figure("trusted") == 1
    assert math.isnan(server.figure("skew_seconds") or 0)


@pytest.mark.parametrize("skew", [minutes(0), minutes(4), minutes(-4), minutes(5), minutes(-5)])
async def test_up_to_five_minutes_are_no_reason(skew: timedelta) -> None:
    server = Server(skew)
    server.answer(50)
    assert server.guard.trusted()
    assert server.changes == []
    assert server.figure("skew_seconds") == pytest.approx(-skew.total_seconds(), abs=1)


@pytest.mark.parametrize(
    "skew, words",
    [
        (minutes(10), "about 601 s behind the API server's"),
        (minutes(-10), "about 599 s ahead of the API server's"),
    ],
)
async def test_more_than_five_minutes_end_the_trust_once(
    skew: timedelta, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(skew)
    server.answer(2)
    assert server.guard.trusted()
    server.answer()
    assert not server.guard.trusted()
    server.answer(20)
    assert server.changes == [False]
    assert server.figure("trusted") == 0
    assert server.figure("skew_seconds") == pytest.approx(-skew.total_seconds(), abs=1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert words in caplog.text
    assert "nothing more is unpublished" in caplog.text


async def test_one_odd_answer_of_many_changes_nothing() -> None:
    server = Server()
    for _ in range(30):
        server.answer(5)
        server.skew = minutes(60)
        server.answer(2)
        server.skew = minutes(0)
    server.answer()
    assert server.guard.trusted()
    assert server.changes == []


async def test_a_slow_answer_bounds_too_little_to_end_the_trust() -> None:
    server = Server(minutes(-5) - timedelta(seconds=20))
    server.answer(10, seconds=30)
    assert server.guard.trusted()
    server.answer(3, seconds=0.2)
    assert not server.guard.trusted()


@pytest.mark.parametrize(
    "header", ["", "yesterday", "Sun, 22 Nov 2026 06:21:57 -0000", "Sun, 99 Nov 2026 1:2:3 GMT"]
)
async def test_a_date_that_is_missing_or_unreadable_changes_nothing(header: str) -> None:
    server = Server(minutes(60))
    server.answer(2)
    server.guard.answered(Attempt("list", 200, 0.01, header))
    assert server.guard.trusted()
    server.answer()
    assert not server.guard.trusted()


@pytest.mark.parametrize("code", [0, 500, 502, 503])
async def test_only_the_api_server_s_own_answers_count(code: int) -> None:
    server = Server(minutes(60))
    server.answer(10, code=code)
    assert server.guard.trusted()
    server.answer(10, code=403)
    assert not server.guard.trusted()


async def test_trust_comes_back_after_answers_that_agree_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(minutes(10))
    server.answer(3)
    server.skew = timedelta(0)
    server.answer(5)
    await server.clock.advance(9)
    server.answer()
    assert not server.guard.trusted()
    await server.clock.advance(1)
    server.answer()
    assert server.guard.trusted()
    assert server.changes == [False, True]
    assert server.figure("trusted") == 1
    assert "it is trusted" in caplog.text


async def test_it_does_not_flap_when_one_server_of_three_is_wrong() -> None:
    server = Server(minutes(10))
    server.answer(3)
    for turn in range(300):
        server.skew = minutes(10 if turn % 3 == 0 else 0)
        server.answer()
        await server.clock.advance(1)
    assert server.changes == [False]


async def test_it_does_not_flap_around_the_limit() -> None:
    server = Server()
    for turn in range(200):
        server.skew = timedelta(seconds=300 + 15 * math.sin(turn / 5))
        server.answer(3)
        await server.clock.advance(2)
    assert server.changes == [False]
    server.skew = timedelta(seconds=230)
    server.answer(3)
    await server.clock.advance(10)
    server.answer()
    assert server.guard.trusted()


async def test_one_answer_after_a_long_silence_is_not_enough_to_trust_again() -> None:
    server = Server(minutes(10))
    server.answer(3)
    server.skew = timedelta(0)
    server.answer()
    await server.clock.advance(60)
    server.answer()
    assert not server.guard.trusted()
    server.answer()
    assert server.guard.trusted()


@pytest.mark.parametrize("step", [timedelta(days=365), minutes(-6)])
async def test_a_wall_clock_that_was_moved_is_not_believed_from_that_moment_on(step: timedelta) -> None:
    server = Server()
    server.answer(3)
    server.jump(step)
    assert not server.guard.trusted()  # neither the watchdog nor any answer has told yet
    assert server.changes == [False]
    assert server.figure("skew_seconds") == pytest.approx(step.total_seconds(), abs=1)


async def test_several_small_moves_are_counted_together() -> None:
    server = Server()
    server.answer(3)
    for _ in range(2):
        server.jump(minutes(2))
        server.guard.moved()
        assert server.guard.trusted()
    server.jump(minutes(2))
    server.guard.moved()
    assert not server.guard.trusted()


async def test_after_a_small_move_the_figure_shows_it_and_the_server_is_asked() -> None:
    server = Server()
    server.answer(3)
    async with server.asking():
        server.jump(minutes(2))
        server.guard.moved()
        assert server.figure("skew_seconds") == pytest.approx(120, abs=1)
        await server.clock.advance(60)
    assert server.asked == 1
    assert server.guard.trusted()


async def test_the_closest_answer_speaks_for_the_clock_as_it_is_now() -> None:
    server = Server()
    server.answer(seconds=0.01)
    server.jump(timedelta(seconds=4))  # too little for the watchdog
    server.answer(seconds=9)
    assert server.figure("skew_seconds") == pytest.approx(4, abs=1)


async def test_answers_from_before_a_move_are_forgotten() -> None:
    server = Server(minutes(60))
    server.answer(2)
    server.jump(minutes(60))
    server.guard.moved()
    server.answer()  # the wall clock is right now
    assert server.guard.trusted()
    server.answer(20)
    assert server.changes == []


async def test_a_machine_that_slept_is_trusted_again_once_the_server_agrees() -> None:
    server = Server()
    server.answer(3)
    async with server.asking():
        server.clock.jump(timedelta(hours=8))  # the monotonic clock stood still; the date goes along
        server.guard.moved()
        assert not server.guard.trusted()
        await server.clock.advance(9)
        assert not server.guard.trusted()
        await server.clock.advance(3)
        assert server.guard.trusted()
    assert server.changes == [False, True]


async def test_without_any_date_ever_a_move_changes_nothing() -> None:
    server = Server()
    server.dated = False
    server.answer(10)
    async with server.asking():
        server.jump(timedelta(days=365))
        server.guard.moved()
        await server.clock.advance(60)
        assert server.guard.trusted()
    assert server.asked == 0


async def test_it_asks_while_there_is_doubt_and_never_otherwise() -> None:
    server = Server()
    async with server.asking():
        server.answer(5)
        await server.clock.advance(600)
        assert server.asked == 0
        server.skew = minutes(10)
        server.answer()  # of another server, perhaps
        await server.clock.advance(3)
        assert not server.guard.trusted()
        await server.clock.advance(60)
        assert server.asked == pytest.approx(32, abs=1)
        server.skew = timedelta(0)
        await server.clock.advance(14)
        assert server.guard.trusted()
        settled = server.asked
        await server.clock.advance(600)
        assert server.asked == settled


async def test_one_odd_answer_is_asked_about_and_forgotten() -> None:
    server = Server()
    async with server.asking():
        server.answer(3)
        server.skew = minutes(10)
        server.answer()
        server.skew = timedelta(0)
        await server.clock.advance(60)
    assert server.asked == 1
    assert server.changes == []


async def test_it_goes_on_asking_while_the_server_is_away() -> None:
    server = Server()
    server.answer(3)
    async with server.asking():
        server.away = True
        server.jump(minutes(60))
        server.guard.moved()
        await server.clock.advance(60)
        assert not server.guard.trusted()
        server.away = False
        server.jump(minutes(-60))
        server.guard.moved()
        await server.clock.advance(14)
        assert server.guard.trusted()


async def test_each_trust_has_one_policy() -> None:
    trusted = True
    present = policy_under(worlds.POLICY, lambda: trusted)
    first = present()
    assert first.clock_trusted
    trusted = False
    second = present()
    assert not second.clock_trusted
    assert second is present()
    trusted = True
    assert first is present()


@given(
    skew=st.floats(-100_000, 100_000),
    asked=st.floats(0, 30),
    stamped=st.floats(0, 1),
    began=st.datetimes(timezones=st.just(UTC), min_value=EARLIEST, max_value=LATEST),
)
def test_the_true_difference_lies_within_the_bounds(
    skew: float, asked: float, stamped: float, began: datetime
) -> None:
    """``skew``: of the wall clock. The answer is dated at a moment between the request and its arrival."""

    async def check() -> None:
        server = Server()
        clock, guard = server.clock, server.guard
        true = began + timedelta(seconds=asked * stamped)
        clock._wall = began + timedelta(seconds=asked + skew)
        guard.answered(Attempt("list", 200, asked, format_datetime(true, usegmt=True)))
        reading = guard._alike[-1]
        assert reading.least - 1e-3 <= skew <= reading.most + 1e-3
        if reading.verdict is Verdict.FAR:
            assert abs(skew) > 299.99
        if reading.verdict is Verdict.NEAR:
            assert abs(skew) < 240.01

    asyncio.run(check())


def test_dates_are_read_as_the_server_writes_them() -> None:
    assert date_of("Sun, 06 Nov 1994 08:49:37 GMT") == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert date_of("") is None
