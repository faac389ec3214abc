# SPDX-License-Identifier: Apache-2.0
"""How a request is passed on to the API server and its answer back, and where a fault comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from aiohttp import ClientSession, web
from multidict import CIMultiDictProxy
from yarl import URL

from tests.support.faults.asked import Seen
from tests.support.faults.fault import Fault
from tests.support.faults.record import Entry
from tests.support.faults.stream import GONE_AWAY, Stream

OWN_TO_A_HOP = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length"})
MADE_ANEW = OWN_TO_A_HOP | {"content-encoding"}
"""Headers of an answer that the proxy writes itself: it passes bodies on unpacked."""
PIECES = 10
"""In so many parts a slow body comes."""
T = TypeVar("T")


class Answer(NamedTuple):
    """A whole answer, as it goes to the client."""

    status: int
    headers: dict[str, str]
    body: bytes


Tape = dict[tuple[Any, ...], Answer]


class Rules(Protocol):
    """What the passing needs of its proxy."""

    ahead: timedelta
    recording: bool
    tape: Tape


class Lost(Exception):
    """The connection ends here, without a whole answer."""


@dataclass
class Passing:
    """The way to the API server of ``server``, with the credentials of ``session``."""

    session: ClientSession
    server: str
    rules: Rules
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set)

    async def alone(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` answers; it is finished also when who waits for it goes away."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for the last answer: nothing is left that holds a connection."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def answer(self, request: web.Request, entry: Entry, fault: Fault | None) -> web.StreamResponse:
        """The answer to anything but a watch.

        Raises:
            Lost: the client gets none, or not all of it.
        """
        if fault is None:
            return _response(await self._asked(request, entry))
        await _before(fault, entry.seen)
        replayed = self.rules.tape.get(entry.seen.listed) if fault.replay else None
        if fault.answer is not None:
            status, headers, body = fault.answer
            answer = Answer(status, {"Content-Type": "application/json"} | headers, body.encode())
            entry.outcome = str(status)
        elif replayed is not None:
            answer = replayed
            entry.outcome = str(answer.status)
        else:
            answer = await self._asked(request, entry, fault.page)
        if fault.then is not None:
            await fault.then(entry.seen)
        if fault.lose_reply:
            raise Lost
        if fault.edit is not None and answer.status < 400:
            answer = answer._replace(body=fault.edit(answer.body))
        if fault.cut is None and not fault.slow:
            return _response(answer)
        entry.outcome = "none" if fault.cut is not None else entry.outcome
        return await _in_pieces(request, answer, fault)

    async def watch(self, stream: Stream, entry: Entry, fault: Fault | None) -> web.StreamResponse:
        """The answer to a watch, which goes on until somebody ends it.

        Raises:
            Lost: as in ``answer``.
        """
        if fault is not None:
            if fault.answer is not None or fault.drop or fault.lose_reply:
                return await self.answer(stream.request, entry, fault)
            await _before(fault, entry.seen)
            if fault.half_open:
                await stream.response.prepare(stream.request)
                entry.outcome = "200"
                await stream.ended()
                return stream.response
        try:
            async with self._request(stream.request, entry.seen) as answer:
                entry.upstream, entry.outcome = answer.status, str(answer.status)
                if not answer.ok:
                    refusal = Answer(answer.status, self._passed_on(answer.headers), await answer.read())
                    return _response(refusal)
                stream.response.headers.update(self._passed_on(answer.headers))
                await stream.response.prepare(stream.request)
                await stream.relay(answer)
        except GONE_AWAY as error:
            raise Lost from error
        return stream.response

    async def _asked(self, request: web.Request, entry: Entry, page: int = 0) -> Answer:
        """What the API server answers; its own end of the connection is the client's."""
        try:
            async with self._request(request, entry.seen, page) as reply:
                answer = Answer(reply.status, self._passed_on(reply.headers), await reply.read())
        except GONE_AWAY as error:
            raise Lost from error
        entry.upstream, entry.outcome = answer.status, str(answer.status)
        if self.rules.recording and entry.seen.verb == "list":
            self.rules.tape[entry.seen.listed] = answer
        return answer

    def _request(self, request: web.Request, seen: Seen, page: int = 0) -> Any:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in OWN_TO_A_HOP}
        address = URL(f"{self.server}{request.raw_path}", encoded=True)
        if page:
            address = address.update_query(limit=page)
        return self.session.request(request.method, address, data=seen.body or None, headers=headers)

    def _passed_on(self, headers: CIMultiDictProxy[str]) -> dict[str, str]:
        kept = {key: value for key, value in headers.items() if key.lower() not in MADE_ANEW}
        if "Date" in kept:
            date = parsedate_to_datetime(kept["Date"]) + self.rules.ahead
            kept["Date"] = format_datetime(date, usegmt=True)
        return kept


async def _before(fault: Fault, seen: Seen) -> None:
    if fault.first is not None:
        await fault.first(seen)
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.until is not None:
        await fault.until.wait()
    if fault.drop:
        raise Lost


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _in_pieces(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    """The body slowly, or a part of it only."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    end = len(answer.body) if fault.cut is None else int(len(answer.body) * fault.cut)
    step = max(1, end // PIECES)
    for begin in range(0, end, step):
        await response.write(answer.body[begin : min(begin + step, end)])
        await asyncio.sleep(fault.slow / PIECES)
    if fault.cut is not None and request.transport is not None:
        request.transport.close()  # what was written still arrives
    return response
