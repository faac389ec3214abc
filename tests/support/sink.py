# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that takes events: what it was sent, and answers that a test decides."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Taken:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes


@dataclass
class Sink:
    """Answers 202 unless ``answers`` has something else, each once."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses with headers."""
    taken: list[Taken] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.taken.append(Taken(request.path_qs, headers, await request.read()))
        status, further = self.answers.pop(0) if self.answers else (202, {})
        return web.Response(status=status, headers=further)


@asynccontextmanager
async def event_sink(tls: ssl.SSLContext | None = None) -> AsyncIterator[Sink]:
    """A sink on this event loop, on a port of its own."""
    sink = Sink()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", sink.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        (address,) = runner.addresses
        sink.url = f"{'https' if tls else 'http'}://localhost:{address[1]}/events?source=eservice"
        yield sink
    finally:
        await runner.cleanup()
