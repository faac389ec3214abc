# SPDX-License-Identifier: Apache-2.0
"""The server of the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiohttp import web
from typing_extensions import override

from eservice_operator.api.names import NOTICE_HEADER
from eservice_operator.notice.answer import STATUS, Answer, Asked, answer
from eservice_operator.notice.figures import Figures
from eservice_operator.serving.bounded import BoundedServer

SERVER: Final = {"Server": "eservice-notice"}
"""In place of the versions of Python and aiohttp."""


class NoticeServer(BoundedServer):
    """Answers every request with the notice."""

    most_connections = 512

    def __init__(self, clock: Callable[[], datetime], figures: Figures) -> None:
        super().__init__(figures.connections.set)
        self._clock = clock
        self._figures = figures

    @override
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        return self._response(
            Asked(
                method=request.method,
                accept=request.headers.getall("Accept", ()),
                accept_language=request.headers.getall("Accept-Language", ()),
                notice=request.headers.getall(NOTICE_HEADER, ()),
            )
        )

    @override
    def unreadable(self) -> web.StreamResponse:
        self._figures.unreadable()
        return self._response(Asked())

    def _response(self, asked: Asked) -> web.Response:
        told: Answer = answer(asked, self._clock())
        self._figures.answered(told)
        return web.Response(status=STATUS, headers={**told.headers, **SERVER}, body=told.body)
