# SPDX-License-Identifier: Apache-2.0
"""A cancellation that is certain, for what may not hear of one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

Answer = TypeVar("Answer")

AGAIN: Final = 0.1
"""Seconds after which what goes on all the same is cancelled once more."""


async def cancellable(attempt: Coroutine[Any, Any, Answer]) -> Answer:
    """What the attempt answers; when this is cancelled, only after the attempt has ended.

    aiosmtplib waits with `asyncio.wait_for`, and in Python 3.11 that drops a cancellation which comes in the
    moment of the answer: the attempt would go on until some timeout, and the end of the operator with it.
    """
    task = asyncio.create_task(attempt)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=AGAIN)
        if not task.cancelled():
            task.exception()  # nobody asks for it any more
        raise
    return task.result()
