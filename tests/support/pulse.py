# SPDX-License-Identifier: Apache-2.0
"""For how long a machine stood still: for that a promise of so many seconds cannot answer.

Each program on the way is asked all the time for something that takes it no work. What an answer takes beyond
`USUAL` the program, or who asks, was not given the processor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.operator import OperatorProcess

PAUSE = 0.05
USUAL = 0.1
"""Seconds for all of them; a few milliseconds where there is nothing else on the machine."""
LONGEST = 10.0

Look = Callable[[], Awaitable[Any]]


def at_the_loop_of(operator: OperatorProcess) -> Look:
    """A probe, which an operator answers from the loop that does its work; it may have ended."""
    return lambda: asyncio.to_thread(operator.probed, "/livez", LONGEST)


@dataclass
class Pulse:
    """What was lost, as the monotonic seconds from and up to which an answer was late."""

    lost: list[tuple[float, float]] = field(default_factory=list)

    def within(self, begins: float, ends: float) -> float:
        """Seconds of an interval in which the machine stood still."""
        return sum(max(0.0, min(ends, late[1]) - max(begins, late[0])) for late in self.lost)

    @asynccontextmanager
    async def beating(self, looks: Sequence[Look]) -> AsyncIterator[None]:
        """Inside the block the programs are looked at."""
        task = asyncio.create_task(self._beat(looks))
        try:
            yield
            assert not task.done(), f"the pulse has ended: {task}"
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _beat(self, looks: Sequence[Look]) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(PAUSE)
            await asyncio.gather(*(look() for look in looks), return_exceptions=True)
            ended, due = time.monotonic(), began + PAUSE + USUAL
            if ended > due:
                self.lost.append((due, ended))
