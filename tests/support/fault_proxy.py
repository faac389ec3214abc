# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy in front of the real API server that does to requests what networks and outages do.

The client side is plain HTTP without credentials; the proxy has those of the administrator.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, web
from kubernetes.aio.client import Configuration

from tests.support.api_session import api_session

HOP_BY_HOP = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive"}


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def watch(self) -> bool:
        return "watch" in self.query


@dataclass
class Fault:
    """What to do to the next ``times`` requests that ``match``.

    ``answer`` (status, headers, body): in place of asking the API server. ``lose_reply``: the API server is
    asked, and its answer lost. ``drop``: the connection ends before the API server hears of the request.
    """

    match: Callable[[Seen], bool]
    times: int = 1
    answer: tuple[int, dict[str, str], str] | None = None
    lose_reply: bool = False
    drop: bool = False


@dataclass
class FaultProxy:
    """``seen`` are the requests so far; ``hidden`` the names whose watch events do not come through."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    _watches: list[tuple[ClientResponse, web.StreamResponse]] = field(default_factory=list)

    def configuration(self) -> Configuration:
        """For a client that goes through the proxy."""
        return Configuration(host=self.url)

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._watches)

    async def end_watches(self, frame: dict[str, Any] | None = None) -> None:
        """Send ``frame`` on every open watch, if given, and end them."""
        for answer, response in list(self._watches):
            if frame is not None:
                await response.write(json.dumps(frame).encode() + b"\n")
            answer.close()

    def cut_watches(self) -> None:
        """Break every open watch in the middle of its stream."""
        for _, response in list(self._watches):
            transport = response._req.transport if response._req is not None else None
            if transport is not None:
                transport.abort()

    def _fault(self, request: Seen) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.match(request):
                fault.times -= 1
                return fault
        return None

    async def _handle(self, session: ClientSession, server: str, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.method, request.path, dict(request.query), dict(request.headers))
        self.seen.append(seen)
        fault = self._fault(seen)
        if fault is not None and fault.answer is not None:
            status, headers, body = fault.answer
            return web.Response(status=status, headers=headers, text=body, content_type="application/json")
        if fault is not None and fault.drop:
            return self._lose(request)
        headers = {key: value for key, value in request.headers.items() if key not in HOP_BY_HOP}
        async with session.request(
            request.method, f"{server}{request.raw_path}", data=await request.read() or None, headers=headers
        ) as answer:
            if seen.watch and answer.ok:
                return await self._relay(request, answer)
            content = await answer.read()
            if fault is not None and fault.lose_reply:
                return self._lose(request)
            return web.Response(status=answer.status, body=content, content_type=answer.content_type)

    def _lose(self, request: web.Request) -> web.Response:
        if request.transport is not None:  # else the client has gone already
            request.transport.abort()
        return web.Response()

    async def _relay(self, request: web.Request, answer: ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self._watches.append((answer, response))
        rest = b""
        try:
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if json.loads(line)["object"].get("metadata", {}).get("name") not in self.hidden:
                        await response.write(line + b"\n")
        except (ClientError, ConnectionError):
            pass  # the client, or a test, ended it
        finally:
            self._watches.remove((answer, response))
        return response


@asynccontextmanager
async def fault_proxy(configuration: Configuration) -> AsyncIterator[FaultProxy]:
    """A running proxy to the API server of ``configuration``."""
    proxy = FaultProxy()
    async with api_session(configuration) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            return await proxy._handle(session, configuration.host, request)

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        proxy.url = f"http://{host}:{port}"
        try:
            yield proxy
        finally:
            await runner.cleanup()
