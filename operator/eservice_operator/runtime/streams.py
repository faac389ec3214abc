# SPDX-License-Identifier: Apache-2.0
"""The streams that kopf opens, closed in an orderly way at its end.

A watcher of kopf that is cancelled while it hands an event on leaves its stream open: async generators,
one within the other. Python would close all of them at the same time, at the end of the event loop, and there
each finds that another is at work in it or has closed what it waits for: errors in the log, after "stopped".
Here they are closed one after the other, from the outside inwards.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import AsyncGeneratorType
from typing import Any, Final
from weakref import WeakKeyDictionary

log = logging.getLogger(__name__)

KOPF = "kopf."
"""How the names of the modules begin whose streams are closed; everybody else closes their own."""
PATIENCE: Final = 5.0
"""Seconds for a stream to close."""


class Streams:
    """The streams of kopf that are in use, in the order in which they were begun: the outer ones first."""

    def __init__(self) -> None:
        self._begun: WeakKeyDictionary[AsyncGenerator[Any, Any], None] = WeakKeyDictionary()

    @contextmanager
    def noticed(self) -> Iterator[None]:
        """Take note of what is begun in this thread until the end of the block."""
        before = sys.get_asyncgen_hooks()

        def begins(stream: AsyncGenerator[Any, Any]) -> None:
            if _module_of(stream).startswith(KOPF):
                self._begun[stream] = None
            if before.firstiter is not None:
                before.firstiter(stream)

        sys.set_asyncgen_hooks(firstiter=begins)
        try:
            yield
        finally:
            sys.set_asyncgen_hooks(firstiter=before.firstiter)

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Close, at the end of the block, what those leave open who end in it."""
        held = list(self._begun)  # or Python would begin to close them by itself, in tasks of its own
        try:
            yield
        finally:
            for stream in dict.fromkeys([*held, *self._begun]):
                await _close(stream)


def _module_of(stream: AsyncGenerator[Any, Any]) -> str:
    frame = stream.ag_frame if isinstance(stream, AsyncGeneratorType) else None
    return "" if frame is None else str(frame.f_globals["__name__"])


async def _close(stream: AsyncGenerator[Any, Any]) -> None:
    """Close it; one that is closed already takes no notice."""
    try:
        async with asyncio.timeout(PATIENCE):
            await stream.aclose()
    except Exception as error:  # noqa: BLE001 - the others are to be closed all the same
        log.warning("a stream of kopf does not close: %r: %s", stream, error)
