# SPDX-License-Identifier: Apache-2.0
"""A clock that the test moves."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count


class MovedClock:
    """Both clocks stand still until `advance`; `jump` moves the wall clock alone, as people do."""

    def __init__(self) -> None:
        self._wall = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
        self._monotonic = 1_000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        await future

    def jump(self, step: timedelta) -> None:
        self._wall += step

    async def advance(self, seconds: float) -> None:
        """Let time pass; whoever slept wakes at its own instant and acts before the next one does."""
        await breathe()
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._move_to(max(due, self._monotonic))
            future.set_result(None)
            await breathe()
        self._move_to(end)
        await breathe()

    def sleeps(self) -> list[float]:
        """How long, from now, everybody still sleeps."""
        return sorted(due - self._monotonic for due, _, future in self._sleepers if not future.done())

    def _move_to(self, monotonic: float) -> None:
        self._wall += timedelta(seconds=monotonic - self._monotonic)
        self._monotonic = monotonic


async def breathe() -> None:
    """Let every task that can go on go on, until it waits for something."""
    for _ in range(50):
        await asyncio.sleep(0)
