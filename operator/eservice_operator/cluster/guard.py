# SPDX-License-Identifier: Apache-2.0
"""Who may write, and for how long: asked before each attempt, and again as its bytes go to the socket."""

from __future__ import annotations

import math
from typing import Final, Protocol

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from typing_extensions import override

from eservice_operator.cluster.errors import Transient

NOT_LEADING: Final = "NotLeading"


class NotLeading(Transient):
    """The write was not sent: another operator may hold the lease by now."""

    def __init__(self) -> None:
        super().__init__(0, NOT_LEADING, "not sent, since another operator may hold the lease by now")


class WriteGuard(Protocol):
    """Says how long writes are covered."""

    def time_left(self) -> float:
        """Seconds within which a write that begins now has to be over; 0 or less: it must not begin."""
        ...


class Unguarded:
    """For who writes without a lease: the lease itself, people, an operator without an election."""

    def time_left(self) -> float:
        """For ever."""
        return math.inf


class GuardedBody(BytesPayload):
    """The body of a write, which asks the guard at the last moment.

    aiohttp hands head and body of a request to the socket together, in the same step of the event loop in
    which this is asked. Between the decision to write and this moment a request may have waited for a
    connection, and the process, stopped, for minutes.
    """

    def __init__(self, guard: WriteGuard, value: bytes, content_type: str) -> None:
        super().__init__(value, content_type=content_type)
        self._guard = guard
        self.refused = False

    @override
    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if self._guard.time_left() <= 0:
            self.refused = True
            raise NotLeading
        await super().write_with_length(writer, content_length)
