# SPDX-License-Identifier: Apache-2.0
"""A proxy before the API server that can be told to misbehave."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from eservice_operator.cluster import credentials
from tests.support.api_session import api_session

HOP_BY_HOP = {"host", "connection", "transfer-encoding", "content-length", "content-encoding"}

VERSION = re.compile(r"/apis/[^/]+/[^/]+")
"""The path of the list of what a group's version serves."""


class Proxy:
    """Passes requests on with its own credentials, so that whoever asks it needs none."""

    def __init__(self, target: str, upstream: aiohttp.ClientSession) -> None:
        self._target = target
        self._upstream = upstream
        self.deaf = False
        """Watches stay open and bring nothing."""
        self.refused: dict[str, int] = {}
        """Paths that contain a key are answered with its status."""
        self.ahead = timedelta(0)
        """By how much the dates of the answers are later than the API server's own."""
        self.without_group = ""
        """The list of API groups leaves this one out, as it does for a moment after its first CRD."""
        self.without_resource = ""
        """The lists of what a group's version serves leave this one (a plural) out."""
        self.late: Callable[[dict[str, Any]], bool] = lambda _: False
        """A watch stops before the first object that this holds for, until ``caught_up`` is set."""
        self.caught_up = asyncio.Event()
        self._watches: dict[aiohttp.ClientResponse, str] = {}
        self._answering: set[asyncio.Task[Any]] = set()

    def watches(self, part: str) -> bool:
        """Whether a path that contains ``part`` is being watched."""
        return any(part in path for path in self._watches.values())

    def cut_watches(self) -> None:
        for watch in list(self._watches):
            watch.close()

    async def finish(self) -> None:
        """Wait for the last answer: the server only cancels them, and they hold connections."""
        if self._answering:
            await asyncio.wait(self._answering)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        for part, status in self.refused.items():
            if part in request.path_qs:
                return web.json_response(
                    {"kind": "Status", "code": status, "message": "by the test"}, status=status
                )
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP}
        async with self._upstream.request(
            request.method,
            f"{self._target}{request.path_qs}",
            headers=headers,
            data=await request.read() or None,
        ) as answer:
            return await self._pass_on(request, answer)

    async def _events(self, watch: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """Each in a line of its own."""
        rest = b""
        async for chunk in watch.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if self.late(json.loads(line)["object"]):
                    await self.caught_up.wait()
                yield line + b"\n"

    def _without(self, groups: dict[str, Any]) -> bytes:
        left = [group for group in groups["groups"] if group["name"] != self.without_group]
        return json.dumps(groups | {"groups": left}).encode()

    def _less(self, document: dict[str, Any]) -> bytes:
        left = [one for one in document.get("resources", []) if one["name"] != self.without_resource]
        return json.dumps(document | {"resources": left}).encode()

    async def _pass_on(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        watches = "watch" in request.query
        reply = web.StreamResponse(status=answer.status)
        reply.content_type = answer.content_type
        date = parsedate_to_datetime(answer.headers["Date"]) + self.ahead
        reply.headers["Date"] = format_datetime(date, usegmt=True)
        if "Content-Encoding" in answer.headers:  # a list of more than 128 KiB is passed on as it came
            reply.headers["Content-Encoding"] = answer.headers["Content-Encoding"]
        if watches:
            self._watches[answer] = request.path_qs
        try:
            await reply.prepare(request)
            if request.path == "/apis" and self.without_group:
                await reply.write(self._without(await answer.json(content_type=None)))
            if VERSION.fullmatch(request.path) and self.without_resource:
                await reply.write(self._less(await answer.json(content_type=None)))
            async for chunk in self._events(answer) if watches else answer.content.iter_any():
                if not (watches and self.deaf):
                    await reply.write(chunk)
        except (aiohttp.ClientError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._watches.pop(answer, None)
        return reply


@asynccontextmanager
async def proxied(kubeconfig: Path, folder: Path) -> AsyncIterator[tuple[Proxy, Path]]:
    """A proxy, and a kubeconfig in ``folder`` that leads through it."""
    configuration = await credentials.load(str(kubeconfig), None)
    async with api_session(configuration, auto_decompress=False) as session:
        proxy = Proxy(configuration.host, session)
        runner = web.AppRunner(_application(proxy), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            path = folder / "proxied.kubeconfig"
            path.write_text(yaml.safe_dump(kubeconfig_for(address)))
            yield proxy, path
        finally:
            proxy.cut_watches()
            await runner.cleanup()
            await proxy.finish()


def _application(proxy: Proxy) -> web.Application:
    application = web.Application(client_max_size=1 << 26)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    return application


def kubeconfig_for(server: str) -> dict[str, Any]:
    """A kubeconfig without credentials."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {}}],
    }
