# SPDX-License-Identifier: Apache-2.0
"""What Python sets aside for each connection to the API server.

Each kind is watched over a connection of its own: with kopf's there are some forty, and asyncio gives each
TLS connection a buffer of 256 KB for as long as it lasts, 10 MB together. What comes over them are events of
a few KB; a page of a list is read in more steps.
"""

from __future__ import annotations

from asyncio.sslproto import SSLProtocol
from typing import Final

TLS_BUFFER: Final = 2**16
"""Bytes: four of the largest records of TLS."""


def buffer_less() -> None:
    """For every connection that is opened from now on."""
    SSLProtocol.max_size = TLS_BUFFER
