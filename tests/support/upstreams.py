# SPDX-License-Identifier: Apache-2.0
"""Pods that answer: for each release a real HTTP server on the address that all Pods here have.

A fake kubelet runs nothing, so the test does: every release of an e-service has another ``workload.port``,
and on that port of the Pods' address a server says which release it is. When the last Pod of the release goes
its connections are reset and the port is closed: whoever still asks it then has lost a request, as in a
cluster.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from eservice_operator.api.names import RELEASE_LABEL
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from tests.support.site import PODS
from tests.support.waiting import eventually

RELEASE_HEADER = "X-Release"
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: what is closed is reset, and nothing lingers."""


@dataclass
class Upstream:
    """The server of one release; ``port`` is its own for good, also while it is cut."""

    release: str
    address: str
    port: int = 0
    asked: int = 0
    """How many requests it has answered."""
    heard: Mapping[str, str] = field(default_factory=dict)
    """The headers of the latest one, as they came through the gateway."""
    _server: asyncio.Server | None = None
    _protocol: web.Server | None = None

    @property
    def answers(self) -> bool:
        """Whether it does now."""
        return self._server is not None

    async def open(self) -> None:
        """Answer from now on; does nothing while it answers."""
        if self._server is not None:
            return
        listening = socket.create_server((self.address, self.port))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # each connection inherits it
        self.port = listening.getsockname()[1]
        self._protocol = web.Server(self._answer, access_log=None)
        self._server = await asyncio.get_running_loop().create_server(self._protocol, sock=listening)

    async def cut(self) -> None:
        """End it as a killed process ends: connections are reset, new ones refused."""
        server, protocol = self._server, self._protocol
        if server is None or protocol is None:
            return
        self._server = self._protocol = None
        server.close()
        for connection in protocol.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await protocol.shutdown(0)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        self.asked += 1
        self.heard = request.headers
        return web.Response(text=self.release, headers={RELEASE_HEADER: self.release})


@dataclass
class Upstreams:
    """Those of one test, by release; ``address`` is that of the Pods."""

    address: str
    _running: dict[str, Upstream] = field(default_factory=dict)

    async def open(self, release: str) -> Upstream:
        """The server of a release, which answers from now on; who was cut does not come back by this."""
        upstream = self._running.get(release)
        if upstream is None:
            upstream = self._running[release] = Upstream(release, self.address)
            await upstream.open()
        return upstream

    async def ended(self, release: str) -> None:
        """Wait until a release has lost its last Pod."""
        gone = f"the last Pod of {release} gone"
        await eventually(lambda: not self._running[release].answers, gone, within=45.0)

    async def close(self) -> None:
        """Cut all of them."""
        for upstream in self._running.values():
            await upstream.cut()

    @asynccontextmanager
    async def following(self, api: KubeApi, namespace: str) -> AsyncIterator[None]:
        """In the block: what has lost its last Pod is cut, what gets one answers."""
        pods, version = await api.list(PODS, namespace)
        alive = {pod["metadata"]["name"]: _release(pod) for pod in pods}

        async def follow() -> None:
            async for kind, pod in api.watch(PODS, version, namespace):
                await self._seen(alive, kind, pod)

        task = asyncio.create_task(follow())
        try:
            yield
            assert not task.done(), f"the watch of Pods has ended: {task}"
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _seen(self, alive: dict[str, str], kind: str, pod: Manifest) -> None:
        name, release = pod["metadata"].get("name", ""), _release(pod)
        if release not in self._running:
            return
        if kind == "DELETED":
            alive.pop(name, None)
            if not Counter(alive.values())[release]:
                await self._running[release].cut()
        else:
            alive[name] = release
            await self._running[release].open()


def _release(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get(RELEASE_LABEL, ""))


@asynccontextmanager
async def upstreams(address: str) -> AsyncIterator[Upstreams]:
    """No server yet; all of them end with the block."""
    running = Upstreams(address)
    try:
        yield running
    finally:
        await running.close()
