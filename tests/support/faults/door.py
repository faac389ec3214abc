# SPDX-License-Identifier: Apache-2.0
"""Where a proxy listens: one address for its life, also while it refuses connections."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Door:
    """The listening socket of a server that has been set up, on a port of its own."""

    server: web.Server
    _listening: asyncio.Server | None = None
    _kept: socket.socket | None = None

    async def open(self, port: int = 0) -> str:
        """Listen; the address."""
        bound, self._kept = self._kept or _bound(port), None
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self.server, sock=bound)
        return "http://{}:{}".format(*bound.getsockname())

    async def shut(self) -> None:
        """Break every connection, and refuse new ones; the port stays ours, or somebody could be given it."""
        assert self._listening is not None
        port = self._listening.sockets[0].getsockname()[1]
        self._listening.close()
        self._kept = _bound(port)
        for connection in self.server.connections:
            transport = connection.transport
            if isinstance(transport, asyncio.Transport):
                transport.abort()

    def close(self) -> None:
        """The end."""
        if self._listening is not None:
            self._listening.close()
        if self._kept is not None:
            self._kept.close()


def _bound(port: int) -> socket.socket:
    """Bound, and not listening: who connects is refused."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made
