# SPDX-License-Identifier: Apache-2.0
"""An open watch: its events pass one by one, unless a fault says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, web

from tests.support.faults.asked import Seen
from tests.support.faults.fault import LATE_BY, Frame, Treatment, gone
from tests.support.waiting import eventually

GONE_AWAY = (ClientError, ConnectionError)
"""So it shows when one of the two sides, or a test, has ended the watch."""


@dataclass(eq=False)
class Stream:
    """One watch; ``treat`` says what becomes of an event of it."""

    seen: Seen
    request: web.Request
    response: web.StreamResponse
    treat: Callable[[Seen, Frame], Treatment | None]
    _answer: ClientResponse | None = None
    _held: list[Frame] = field(default_factory=list)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    async def relay(self, answer: ClientResponse) -> None:
        """Until one side ends it; an end in the middle is passed on as such."""
        self._answer, rest = answer, b""
        if self._over.is_set():  # as it began
            return
        try:
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    await self._pass(line)
        except GONE_AWAY:
            self.cut()
        finally:
            for task in self._late:
                task.cancel()

    async def _pass(self, line: bytes) -> None:
        frame: Frame = json.loads(line)
        treatment = self.treat(self.seen, frame)
        if treatment is Treatment.STALLED:
            self._open.clear()
            await self._open.wait()
        if treatment is Treatment.TORN:
            await self._tear(line)
        elif treatment is Treatment.GONE:
            await self.send(gone())
            self.end()
        elif treatment in {Treatment.HELD, Treatment.LATE} or _same(frame, self._held):
            self._held.append(frame)
            if treatment is Treatment.LATE:
                self._late.add(asyncio.create_task(self._bring(_uid(frame))))
        elif treatment is not Treatment.DROPPED:
            for _ in range(2 if treatment is Treatment.TWICE else 1):
                await self.response.write(line + b"\n")

    async def _bring(self, uid: object) -> None:
        """Send what is held back about one object, after a while."""
        await asyncio.sleep(LATE_BY)
        due = [frame for frame in self._held if _uid(frame) == uid]
        self._held = [frame for frame in self._held if _uid(frame) != uid]
        for frame in due:
            await self.send(frame)

    async def _tear(self, line: bytes) -> None:
        await self.response.write(line[: len(line) // 2])
        if self.request.transport is not None:
            self.request.transport.close()  # what was written still arrives
        self.end()

    async def ended(self) -> None:
        """Until the client goes away, which cancels this, or a test ends the watch."""
        await self._over.wait()

    async def release(self) -> None:
        """Send what was held back, and go on."""
        held, self._held = self._held, []
        for frame in held:
            await self.send(frame)
        self._open.set()

    async def send(self, frame: Frame) -> None:
        """An event that the API server never sent; a watch that was only asked for yet is waited for."""
        await eventually(lambda: self.response.prepared, f"an answer to {self.seen.path}")
        await self.response.write(json.dumps(frame).encode() + b"\n")

    def end(self) -> None:
        """An end in good order, as at the watch's own time limit."""
        self._open.set()
        self._over.set()
        if self._answer is not None:
            self._answer.close()

    def cut(self) -> None:
        """An end in the middle."""
        if self.request.transport is not None:
            self.request.transport.abort()
        self.end()


def _same(frame: Frame, held: Iterable[Frame]) -> bool:
    """Whether an earlier event about this object is held back; a watch never tells of one out of order."""
    return _uid(frame) is not None and any(_uid(one) == _uid(frame) for one in held)


def _uid(frame: Frame) -> object:
    return frame["object"].get("metadata", {}).get("uid")
