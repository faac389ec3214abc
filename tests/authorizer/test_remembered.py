# SPDX-License-Identifier: Apache-2.0
"""Answers that hold for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from eservice_operator.authorizer.remembered import HIT, MISS, Remembered

MOST = 3


@dataclass
class Source:
    """Asked for answers; ``held`` makes it wait, ``value`` or ``error`` is what it answers."""

    value: int = 1
    error: Exception | None = None
    asked: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> int:
        self.asked += 1
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return self.value


@dataclass
class Clock:
    """Moved by the test."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def remembered(clock: Clock, told: list[str]) -> Remembered[str, int]:
    """Good answers (not 0) hold for ten seconds, others for one."""
    return Remembered(lambda value: 10 if value else 1, MOST, clock, told.append)


@pytest.fixture
def source() -> Source:
    made = Source()
    made.free.set()
    return made


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_answer_holds_for_its_time_from_when_it_was_asked_for(
    remembered: Remembered[str, int], source: Source, clock: Clock, told: list[str]
) -> None:
    source.free.clear()
    first = asyncio.create_task(remembered.get("k", source.ask))
    await settled()
    clock.seconds = 4
    source.free.set()
    assert await first == 1
    source.free.clear()
    clock.seconds = 9.9
    assert await remembered.get("k", source.ask) == 1
    assert told == [MISS, HIT]
    clock.seconds = 10
    late = asyncio.create_task(remembered.get("k", source.ask))
    await settled()
    assert not late.done()
    source.free.set()
    assert await late == 1


async def test_many_who_ask_together_ask_once(remembered: Remembered[str, int], source: Source) -> None:
    assert await asyncio.gather(*(remembered.get("k", source.ask) for _ in range(9))) == [1] * 9
    assert source.asked == 1


async def test_who_gives_up_takes_the_answer_from_nobody(
    remembered: Remembered[str, int], source: Source
) -> None:
    source.free.clear()
    one, other = (asyncio.create_task(remembered.get("k", source.ask)) for _ in range(2))
    await settled()
    one.cancel()
    await settled()
    source.free.set()
    assert await other == 1


async def test_all_who_wait_get_the_error_and_nothing_is_kept(
    remembered: Remembered[str, int], source: Source
) -> None:
    source.error = ValueError("away")
    got = await asyncio.gather(*(remembered.get("k", source.ask) for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in got] == ["away"] * 3
    assert len(remembered) == 0
    source.error = None
    assert await remembered.get("k", source.ask) == 1


async def test_a_good_answer_in_demand_is_asked_for_again_while_it_holds(
    remembered: Remembered[str, int], source: Source, clock: Clock
) -> None:
    await remembered.get("k", source.ask)
    clock.seconds = 4
    assert await remembered.get("k", source.ask) == 1
    await settled()
    assert source.asked == 1
    clock.seconds, source.value = 8, 2
    assert await remembered.get("k", source.ask) == 1
    await settled()
    assert await remembered.get("k", source.ask) == 2
    assert source.asked == 2
    clock.seconds = 11
    assert await remembered.get("k", source.ask) == 2


async def test_a_new_answer_takes_the_place_of_the_old_also_when_it_is_a_no(
    remembered: Remembered[str, int], source: Source, clock: Clock
) -> None:
    await remembered.get("k", source.ask)
    clock.seconds, source.value = 8, 0
    await remembered.get("k", source.ask)
    await settled()
    assert await remembered.get("k", source.ask) == 0
    clock.seconds, source.value = 9, 1
    assert await remembered.get("k", source.ask) == 1
    assert len(remembered) == 1


async def test_a_renewal_that_fails_prolongs_nothing(
    remembered: Remembered[str, int], source: Source, clock: Clock
) -> None:
    await remembered.get("k", source.ask)
    clock.seconds, source.error = 8, ValueError("away")
    assert await remembered.get("k", source.ask) == 1
    await settled()
    clock.seconds = 10
    with pytest.raises(ValueError, match="away"):
        await remembered.get("k", source.ask)


async def test_others_displace_no_good_answers_and_both_are_bounded(
    remembered: Remembered[str, int], source: Source
) -> None:
    await remembered.get("good", source.ask)
    source.value = 0
    for number in range(9):
        await remembered.get(f"bad {number}", source.ask)
    assert len(remembered) == 1 + MOST
    asked = source.asked
    assert await remembered.get("good", source.ask) == 1
    assert source.asked == asked
    source.value = 1
    for number in range(9):
        await remembered.get(f"good {number}", source.ask)
    assert len(remembered) == 2 * MOST
