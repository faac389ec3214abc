# SPDX-License-Identifier: Apache-2.0
"""One connection: who does not finish asking is not waited for, and what is sent along is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from typing_extensions import override

HEAD_SECONDS: Final = 10.0
"""From the first byte of a request (of a connection: from its start) until its head has to be there."""
HEAD_BYTES: Final = 131_072
"""What may come before a head is complete; gateways let 60 KiB (Envoy) to 1 MiB (Traefik) pass."""
FIELD_BYTES: Final = 65_536
"""The request line, and one header: an e-service's cookies and queries are long."""
LINGER_SECONDS: Final = 2.0
"""For a body that is thrown away, so that who sends it comes to read the answer."""
IDLE_SECONDS: Final = 3630.0
"""Longer than gateways keep connections: who closes first loses what is on its way."""

ErrorPage = Callable[[], web.StreamResponse]


class Connection(RequestHandler):
    """aiohttp's, with a time limit for heads, a bound of their size, and our page in place of errors."""

    __slots__ = ("_error_page", "_last", "_overdue", "_received")

    def __init__(self, manager: web.Server, error_page: ErrorPage) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # None is what turns it off
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=FIELD_BYTES,
            max_field_size=FIELD_BYTES,
            lingering_time=LINGER_SECONDS,
            read_bufsize=FIELD_BYTES,
            auto_decompress=False,
        )
        self._error_page = error_page
        self._overdue: asyncio.TimerHandle | None = None
        self._received = 0
        self._last = False

    def head_read(self, *, last: bool) -> None:
        """A request is complete; ``last``: no other comes after it, whatever is sent."""
        self._received = 0
        self._last = self._last or last
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self.head_read(last=True)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if not self._last:
            if self._received > HEAD_BYTES:
                self.force_close()
                return
            self._received += len(data)
            if self._overdue is None:
                self._wait_for_head()
        super().data_received(data)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Also who sends no HTTP is answered; a fault of ours is logged, and nobody sees it."""
        self.head_read(last=True)
        if status >= web.HTTPInternalServerError.status_code:
            self.log_exception("a request was not answered as it should be", exc_info=exc)
        response = self._error_page()
        response.force_close()
        return response

    def _wait_for_head(self) -> None:
        self._overdue = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.force_close)
