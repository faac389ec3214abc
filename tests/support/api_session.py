# SPDX-License-Identifier: Apache-2.0
"""A test proxy's own session with the API server, and a certain end for each of its connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration

PATIENCE = 10.0
"""Seconds for the loop to close what has ended."""


@asynccontextmanager
async def api_session(configuration: Configuration, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the credentials of ``configuration``; no socket of it is open after the block.

    ``options`` are those of the session. Closing a session waits for the connections that it still knows, and
    not for one whose answer was left in the middle: an orderly end of TLS, as slow as the other side is.
    """
    trust = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    trust.load_cert_chain(configuration.cert_file, configuration.key_file)
    sockets = _Sockets()
    connector = aiohttp.TCPConnector(ssl=trust, limit=0, socket_factory=sockets.make)
    timeout = aiohttp.ClientTimeout(total=None)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, **options) as session:
            yield session
    finally:
        await sockets.end()


@dataclass
class _Sockets:
    _made: list[socket.socket] = field(default_factory=list)

    def make(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for an address (family, type, protocol, …), as the session itself would make it."""
        made = socket.socket(*address[:3])
        made.setblocking(False)
        self._made = [known for known in self._made if known.fileno() != -1]
        self._made.append(made)
        return made

    async def end(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while left := [made for made in self._made if made.fileno() != -1]:
            assert time.monotonic() < deadline, f"not closed: {left}"
            for made in left:
                try:
                    made.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # never connected, or the other side was faster
            await asyncio.sleep(0.005)
