# SPDX-License-Identifier: Apache-2.0
"""The time, asked for in one place, so that a test can pass a clock of its own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock, a clock that never goes back, and waiting by the latter."""

    def now(self) -> datetime:
        """The wall clock's instant, aware, in UTC. People and administrators move it."""
        ...

    def monotonic(self) -> float:
        """Seconds since some instant; only differences mean anything. Nobody moves it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many monotonic seconds."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall clock's instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some instant; stands still while the machine is suspended."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many monotonic seconds."""
        await asyncio.sleep(seconds)


SYSTEM = SystemClock()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return SYSTEM.now()


def monotonic() -> float:
    """Seconds since some instant; only differences mean anything."""
    return SYSTEM.monotonic()


def boottime() -> float:
    """Seconds since some instant; runs on while the process is stopped, or the machine suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def sleep_or(clock: Clock, seconds: float, event: asyncio.Event) -> bool:
    """Wait until ``event`` is set, at most ``seconds``; answers whether it is set."""
    if event.is_set() or seconds <= 0:
        await asyncio.sleep(0)
        return event.is_set()
    waits = {asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(event.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()
