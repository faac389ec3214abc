# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline, in place of sleeping for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

ROUND = 0.25
"""Seconds; a question and the pause before the next take a tenth of it where nothing stands still."""


async def promptly(check: Callable[[], Any], what: str, within: float) -> None:
    """Wait until ``check`` is true, for ``within`` seconds of a machine that does not stand still.

    For what is promised in so many seconds. A question that is not answered for longer than `ROUND` counts as
    that: whoever is asked, or asks, was not given the processor.
    """
    counted = 0.0
    while True:
        began = time.monotonic()
        if await check():
            return
        assert counted < within, f"{what} was not met in {within} s"
        await asyncio.sleep(0.01)
        counted += min(time.monotonic() - began, ROUND)


async def eventually(check: Callable[[], Any], what: str = "the condition", within: float = 15.0) -> Any:
    """The first true answer of ``check``, asked again and again; fails after ``within`` seconds.

    ``check`` may be a coroutine function.
    """
    deadline = time.monotonic() + within
    pause = 0.005
    while True:
        asked = check()
        answer = await asked if isawaitable(asked) else asked
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} was not met in {within} s; last answer: {answer!r}"
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.25)
