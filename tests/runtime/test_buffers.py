# SPDX-License-Identifier: Apache-2.0
"""A connection over TLS takes a quarter of what Python sets aside for one."""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

import pytest

from eservice_operator.runtime.buffers import TLS_BUFFER, buffer_less


async def test_a_connection_sets_less_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SSLProtocol, "max_size", SSLProtocol.max_size)  # as it was, afterwards
    before = set_aside()
    buffer_less()
    assert set_aside() == TLS_BUFFER == before / 4


def set_aside() -> int:
    """Bytes into which a new connection over TLS is read."""
    loop, context = asyncio.get_running_loop(), ssl.create_default_context()
    protocol = SSLProtocol(loop, asyncio.Protocol(), context, loop.create_future(), server_hostname="a")
    protocol._app_transport.close()  # or it is missed at the end
    return len(protocol.get_buffer(-1))
