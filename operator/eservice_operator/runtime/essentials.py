# SPDX-License-Identifier: Apache-2.0
"""The tasks without which the operator would look alive and do nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Essentials:
    """Tasks that last until they are cancelled. One that ends on its own ends the operator."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` as ``name``, which is how its end would be reported."""
        self.add(name, asyncio.create_task(work, name=name))

    def add(self, name: str, task: asyncio.Task[None]) -> None:
        """The same for a task that somebody also waits for."""
        self._tasks[task] = name

    async def last_until(self, event: asyncio.Event) -> bool:
        """Wait until ``event`` is set (True), or until any task ended, which is logged (False)."""
        waiting = asyncio.create_task(_until(event), name="stop waiter")
        try:
            done, _ = await asyncio.wait({waiting, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        ended = [task for task in done if task is not waiting]
        for task in ended:
            log.error(
                "%s ended, so nothing would go on: %s",
                self._tasks[task],
                _reason(task),
                exc_info=_error(task),
            )
        return not ended

    async def cancel(self, patience: float) -> None:
        """Cancel all that still run, and give them ``patience`` seconds to close what they opened."""
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=patience)
        for task in late:
            log.warning("%s does not end", self._tasks[task])


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def _error(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _reason(task: asyncio.Task[None]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "it returned" if error is None else f"{type(error).__name__}: {error}"
