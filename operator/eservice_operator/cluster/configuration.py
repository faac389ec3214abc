# SPDX-License-Identifier: Apache-2.0
"""Where the API server is, whom to trust, and as whom to ask: what one connection needs to know.

The fields are called as in the ``Configuration`` of the Kubernetes client, which serves as well: it is what
comes of a kubeconfig that only the client can read.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Authorization = Callable[[], Awaitable[str]]
"""Answers the value of the Authorization header as it is now."""


@dataclass(slots=True, kw_only=True)
class Configuration:
    """One API server as one user; files are named by their paths.

    ``proxy`` None: none. ``tls_server_name`` is the name in the server's certificate where it is not the
    one in ``host``. ``authorization`` None: nobody, or whom the client's certificate names.
    """

    host: str
    ssl_ca_cert: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_ssl: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None
    proxy_headers: Mapping[str, str] | None = None
    authorization: Authorization | None = None
    connection_pool_maxsize: int = 0
    """The most connections at once; 0 for as many as are asked for: each watch has one, and the queue bounds
    the rest."""

    async def auth_settings(self) -> dict[str, dict[str, str]]:
        """The headers that say who asks, each as ``key`` and ``value``; asked for before every request."""
        if self.authorization is None:
            return {}
        return {"BearerToken": {"key": "authorization", "value": await self.authorization()}}


def trust_of(configuration: Configuration) -> ssl.SSLContext:
    """Which servers are believed, and the certificate that is shown to them.

    Raises:
        OSError: a file is not there, or is no certificate (``ssl.SSLError``).
    """
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def always(value: str) -> Authorization:
    """An authorization that never changes."""

    async def unchanged() -> str:
        return value

    return unchanged


def from_file(path: Path, period: float) -> Authorization:
    """The token in a file, which somebody may replace at any time: read again after ``period`` seconds.

    Raises:
        OSError: now or later: the file cannot be read, or is empty.
    """
    token, read_at = _token(path), time.monotonic()
    lock = asyncio.Lock()

    async def renewed() -> str:
        nonlocal token, read_at
        async with lock:
            if time.monotonic() - read_at >= period:
                token, read_at = await asyncio.to_thread(_token, path), time.monotonic()
            return f"Bearer {token}"

    return renewed


def _token(path: Path) -> str:
    token = path.read_text().strip()
    if not token:
        raise OSError(f"the token file {path} is empty")
    return token
