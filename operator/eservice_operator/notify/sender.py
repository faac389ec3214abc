# SPDX-License-Identifier: Apache-2.0
"""What every channel is to the outbox, and what it is given to prove who it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from eservice_operator.core.letters import Delivery, Letter


class Sender(Protocol):
    """Hands letters over by one channel.

    Sending the same letter twice is safe: the receiver sees the same Message-ID, or the same CloudEvent id.
    """

    @property
    def abreast(self) -> int:
        """How many letters it takes at once; the others wait with whom they are from."""
        ...

    async def send(self, letter: Letter) -> Delivery:
        """One attempt, within a time limit of its own that begins with it.

        Whatever the other side does or fails to do becomes a `Delivery`. Only a mistake in the program, and
        the end of the task, are raised.
        """
        ...

    async def close(self) -> None:
        """End the connections; nothing is sent afterwards."""
        ...


class NoCredentials(Exception):
    """What a channel needs to prove who it is cannot be had now; the sentence holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the mail server."""

    username: str = field(repr=False)
    password: str = field(repr=False)


class Credentials(Protocol):
    """Where the login comes from, asked anew for each connection, so that a rotated one is picked up."""

    async def __call__(self) -> Login:
        """The login as it is now.

        Raises:
            NoCredentials: it cannot be read.
        """
        ...


class SigningKey(Protocol):
    """Where the key for signatures comes from, asked anew for each event."""

    async def __call__(self) -> bytes:
        """The key as it is now.

        Raises:
            NoCredentials: it cannot be read.
        """
        ...
