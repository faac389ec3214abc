# SPDX-License-Identifier: Apache-2.0
"""The server that proxies ask, and its log of requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs, web
from typing_extensions import override

from eservice_operator.authorizer.answer import ALWAYS, Answer, Decision
from eservice_operator.authorizer.decision import Authorizer
from eservice_operator.authorizer.figures import Figures
from eservice_operator.serving.bounded import BoundedServer
from eservice_operator.serving.logs import FIELDS

requests = logging.getLogger("eservice_operator.authorizer.requests")

ON_BEHALF_OF: Final = "X-On-Behalf-Of"
LOUD: Final = frozenset({Decision.OBSERVED, Decision.UNDECIDED})
SAID: Final = {
    Decision.ALLOWED: "allowed",
    Decision.OBSERVED: "let through, and would be refused",
    Decision.UNAUTHENTICATED: "refused",
    Decision.REFUSED: "refused",
    Decision.UNDECIDED: "not decided",
}


class AuthorizerServer(BoundedServer):
    """Answers ``/v1/check/<namespace>/<web service>/<version or ->`` by any method, whatever follows it."""

    most_connections = 2048
    """Each proxy keeps some, and loses a call when one of them is closed."""

    def __init__(self, authorizer: Authorizer, figures: Figures, monotonic: Callable[[], float]) -> None:
        super().__init__(figures.connections.set)
        self._authorizer = authorizer
        self._figures = figures
        self._monotonic = monotonic

    @override
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        began = self._monotonic()
        headers = request.headers
        answer = await self._authorizer.decide(
            request.raw_path, headers.getall(hdrs.AUTHORIZATION, ()), headers.getall(ON_BEHALF_OF, ())
        )
        seconds = self._monotonic() - began
        self._figures.answered(answer, seconds)
        _log(answer, seconds)
        return web.Response(status=answer.status, headers=answer.headers, text=answer.body)

    @override
    def unreadable(self) -> web.StreamResponse:
        self._figures.unreadable.inc()
        return web.Response(status=503, headers=ALWAYS, text="unreadable\n")


def _log(answer: Answer, seconds: float) -> None:
    """One line for each answer. Nothing in it is a caller's word but an institution's code."""
    place = answer.place
    fields = {
        "decision": answer.decision,
        "reason": answer.reason,
        "status": answer.status,
        "namespace": place.namespace if place else "",
        "webService": place.name if place else "",
        "contractVersion": place.version if place else "",
        "consumer": str(answer.consumer or ""),
        "onBehalfOf": answer.customer or "",
        "milliseconds": round(seconds * 1000, 2),
    }
    level = logging.WARNING if answer.decision in LOUD else logging.INFO
    requests.log(level, SAID[answer.decision], extra={FIELDS: fields})
