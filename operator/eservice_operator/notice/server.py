# SPDX-License-Identifier: Apache-2.0
"""The server of the page, and the one for probes and scrapes beside it: each on its own address."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from typing_extensions import override

from eservice_operator.api.names import NOTICE_HEADER
from eservice_operator.core.address import Address
from eservice_operator.notice.answer import STATUS, Answer, Asked, answer
from eservice_operator.notice.connection import Connection
from eservice_operator.notice.figures import Figures

log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 512
"""With one more, the one that has been silent the longest is closed."""
CLOSING_SECONDS: Final = 0.5
"""For what is under way when the server closes."""
BACKLOG: Final = 1024
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SERVER: Final = {"Server": "eservice-notice"}
"""In place of the versions of Python and aiohttp."""


class NoticeServer(web.Server):
    """Answers every request with the notice. Bodies are not read."""

    def __init__(self, clock: Callable[[], datetime], figures: Figures) -> None:
        super().__init__(self._answer)
        self._clock = clock
        self._figures = figures
        self._silent: OrderedDict[RequestHandler, None] = OrderedDict()
        self._leaving = False

    def leave(self) -> None:
        """From now on each answer is the last of its connection."""
        self._leaving = True

    @override
    def __call__(self) -> RequestHandler:
        return Connection(self, self._unreadable)

    @override
    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._silent[handler] = None
        while len(self._silent) > MOST_CONNECTIONS:
            self._close(self._silent.popitem(last=False)[0])
        self._figures.connections.set(len(self._silent))

    @override
    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._silent.pop(handler, None)
        self._figures.connections.set(len(self._silent))

    def _close(self, handler: RequestHandler) -> None:
        """At once, also where the other side takes nothing that it was sent."""
        transport = handler.transport
        handler.force_close()
        if transport is not None:
            transport.abort()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        last = self._leaving or request.body_exists
        connection = request.protocol
        if isinstance(connection, Connection):
            connection.head_read(last=last)
            if connection in self._silent:  # it may have been closed meanwhile
                self._silent.move_to_end(connection)
        response = self._response(
            Asked(
                method=request.method,
                accept=request.headers.getall("Accept", ()),
                accept_language=request.headers.getall("Accept-Language", ()),
                notice=request.headers.getall(NOTICE_HEADER, ()),
            )
        )
        if last:
            response.force_close()
        return response

    def _unreadable(self) -> web.StreamResponse:
        self._figures.unreadable()
        return self._response(Asked())

    def _response(self, asked: Asked) -> web.Response:
        told: Answer = answer(asked, self._clock())
        self._figures.answered(told)
        return web.Response(status=STATUS, headers={**told.headers, **SERVER}, body=told.body)


class HealthApp:
    """/livez, /readyz and /metrics, and nothing else."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.ready = False
        self.app = web.Application()
        self.app.router.add_get("/livez", self._livez)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", self._metrics)

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n", headers=SERVER)

    async def _readyz(self, _request: web.Request) -> web.Response:
        ready = self.ready
        return web.Response(
            text="ok\n" if ready else "not ready\n", status=200 if ready else 503, headers=SERVER
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._figures.render(), headers={"Content-Type": METRICS_TYPE, **SERVER})


@asynccontextmanager
async def listening(runner: web.BaseRunner, address: Address) -> AsyncIterator[Address]:
    """Serve inside the block; yields the address with the port in use. Raises OSError if it is taken."""
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host or None, address.port, backlog=BACKLOG).start()
        bound: Any = runner.addresses[0]
        yield Address(address.host, bound[1])
    finally:
        await runner.cleanup()


def runner_of(server: NoticeServer) -> web.ServerRunner:
    """Closes within a second."""
    return web.ServerRunner(server, shutdown_timeout=CLOSING_SECONDS)


def health_runner_of(health: HealthApp) -> web.AppRunner:
    """Closes within a second, and does not fill the log."""
    return web.AppRunner(health.app, access_log=None, shutdown_timeout=CLOSING_SECONDS)
