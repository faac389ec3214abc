# SPDX-License-Identifier: Apache-2.0
"""Probes and figures, on a port that any Pod may reach: who asks a lot, or slowly, stops nothing by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from aiohttp import web
from typing_extensions import override

from eservice_operator.serving.bounded import BoundedServer

METRICS: Final = "/metrics"
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SCRAPES: Final = 8
"""Scrapes that are answered at the same time: each may be kept from its end by who does not read it."""
SCRAPE_SECONDS: Final = 30.0
"""For one of them: Prometheus waits for ten by default."""
CHUNK: Final = 65_536
"""Bytes that are handed to a connection at a time; a slow one keeps no more than a few of these."""


class Verdict(NamedTuple):
    """What a probe says."""

    well: bool
    text: str


class Figures:
    """What ``render`` makes in a thread: one at a time, for all who asked before it began.

    It rests for as long as it took, so that whoever asks without end has half of one processor at most.
    """

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._coming: asyncio.Task[bytes] | None = None
        self._one = asyncio.Lock()
        self._rested_at = 0.0

    async def get(self) -> bytes:
        """The figures of a moment after this question."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._make(), name="figures")
        return await asyncio.shield(self._coming)

    async def _make(self) -> bytes:
        clock = asyncio.get_running_loop().time
        async with self._one:
            await asyncio.sleep(self._rested_at - clock())
            self._coming, began = None, clock()
            try:
                return await asyncio.to_thread(self._render)
            finally:
                self._rested_at = 2 * clock() - began


class ProbeServer(BoundedServer):
    """Answers ``probes`` by their paths: 200 or 503; and the figures that ``render`` makes in a thread.

    ``headers`` are on every answer. A probe waits for nothing, so a loop that does not answer is stuck.
    """

    most_connections = 256

    def __init__(
        self,
        probes: Mapping[str, Callable[[], Verdict]],
        render: Callable[[], bytes],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(lambda _: None)
        self._probes = probes
        self._figures = Figures(render)
        self._scrapes = 0
        self._headers = headers

    @override
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == METRICS:
            return await self._scrape(request) if request.method == "GET" else self._text(405, "GET it\n")
        probe = self._probes.get(request.path)
        if probe is None:
            return self._text(404, "not found\n")
        verdict = probe()
        return self._text(200 if verdict.well else 503, verdict.text)

    @override
    def unreadable(self) -> web.StreamResponse:
        return self._text(400, "unreadable\n")

    def _text(self, status: int, text: str) -> web.Response:
        return web.Response(status=status, text=text, headers=self._headers)

    async def _scrape(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._scrapes >= SCRAPES:
            return self._text(503, f"{SCRAPES} others scrape\n")
        self._scrapes += 1
        response = web.StreamResponse(headers={"Content-Type": METRICS_TYPE, **self._headers})
        try:
            async with asyncio.timeout(SCRAPE_SECONDS):
                await _show(request, response, await self._figures.get())
        except (TimeoutError, ConnectionError):  # who asked does not read, or has gone: nobody's fault here
            if not response.prepared:
                return self._text(503, "the figures take too long\n")
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._scrapes -= 1
        return response


async def _show(request: web.BaseRequest, response: web.StreamResponse, figures: bytes) -> None:
    """Bit by bit: a connection copies what it cannot send at once."""
    response.content_length = len(figures)
    await response.prepare(request)
    for begin in range(0, len(figures), CHUNK):
        await response.write(figures[begin : begin + CHUNK])
    await response.write_eof()
