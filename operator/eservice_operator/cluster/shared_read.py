# SPDX-License-Identifier: Apache-2.0
"""One LIST, or one GET, for everybody who asked before it began."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

REST = 4.0
"""How long to rest after a read, in times of what it took: a fifth of the time at most goes into lists."""
LONGEST_REST = 1.0
"""The same in seconds."""


class SharedRead:
    """Lets those who ask at the same time share a read, which begins after each of them has asked.

    ``read`` asks the API server and keeps what it says; what it raises, all of them get. Before the next one
    it rests ``rest`` times as long as it took.
    """

    def __init__(self, read: Callable[[], Awaitable[object]], *, rest: float = REST) -> None:
        self._read = read
        self._rest = rest
        self._last: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        """The read that has not begun."""
        self._earliest = 0.0
        """When the next one may begin, by the clock of the loop."""

    async def ask(self) -> None:
        """Return once a read that began after this call is over."""
        if self._waiting is None:
            self._waiting = self._last = asyncio.create_task(self._next(self._last), name="shared read")
        await asyncio.shield(self._waiting)

    async def _next(self, before: asyncio.Task[None] | None) -> None:
        clock = asyncio.get_running_loop().time
        if before is not None and not before.done():
            await asyncio.wait([before])
        await asyncio.sleep(max(0.0, self._earliest - clock()))
        self._waiting, began = None, clock()
        try:
            await self._read()
        finally:
            self._earliest = clock() + min(self._rest * (clock() - began), LONGEST_REST)
