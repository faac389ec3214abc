# SPDX-License-Identifier: Apache-2.0
"""A server of single requests over a bounded number of connections. Bodies are not read."""

from __future__ import annotations

import asyncio
import ssl
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from typing_extensions import override

from eservice_operator.core.address import Address
from eservice_operator.serving.connection import Connection

CLOSING_SECONDS: Final = 0.5
"""For what is under way when the server closes."""
BACKLOG: Final = 1024


class BoundedServer(web.Server):
    """Answers every request by ``respond``; ``count`` is told how many connections are open."""

    most_connections: ClassVar[int]
    """With one more, the one that has been silent the longest is closed."""

    def __init__(self, count: Callable[[int], None]) -> None:
        super().__init__(self._answer)
        self._count = count
        self._silent: OrderedDict[RequestHandler, None] = OrderedDict()
        self._leaving = False

    @abstractmethod
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request."""

    @abstractmethod
    def unreadable(self) -> web.StreamResponse:
        """The answer to what is no HTTP, is too large, or could not be answered for a fault of ours."""

    def leave(self) -> None:
        """From now on each answer is the last of its connection."""
        self._leaving = True

    @property
    def runner(self) -> web.ServerRunner:
        """Closes within a second."""
        return web.ServerRunner(self, shutdown_timeout=CLOSING_SECONDS)

    @override
    def __call__(self) -> RequestHandler:
        return Connection(self, self.unreadable)

    @override
    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._silent[handler] = None
        while len(self._silent) > self.most_connections:
            self._close(self._silent.popitem(last=False)[0])
        self._count(len(self._silent))

    @override
    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._silent.pop(handler, None)
        self._count(len(self._silent))

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
        response = await self.respond(request)
        if last:
            response.force_close()
        return response


@asynccontextmanager
async def listening(
    runner: web.BaseRunner, address: Address, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Address]:
    """Serve inside the block; yields the address with the port in use. Raises OSError if it is taken."""
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host or None, address.port, backlog=BACKLOG, ssl_context=tls)
        await site.start()
        bound: Any = runner.addresses[0]
        yield Address(address.host, bound[1])
    finally:
        await runner.cleanup()
