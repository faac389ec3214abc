# SPDX-License-Identifier: Apache-2.0
"""Of several operators one leads, and only that one writes and tells anybody anything."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
from typing import Protocol

from eservice_operator.cluster.attempts import OnRequest
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.guard import Unguarded, WriteGuard
from eservice_operator.cluster.lease import Candidate, Terms, ref_of_lease
from eservice_operator.cluster.transport import Transport
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.elector import Elector
from eservice_operator.runtime.lease_options import namespace_of, terms_of
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.settings import Settings


class Leadership(WriteGuard, Protocol):
    """Whether this operator leads; also the guard of its writes."""

    identity: str
    undisturbed: bool
    """Of who leads: whether nobody else can have led since it looked first."""

    @property
    def leading(self) -> bool:
        """Whether it leads at this moment."""
        ...

    async def look(self, transport: Transport) -> None:
        """Look at the lease for the first time, and leave it as it is."""
        ...

    async def stand(self) -> None:
        """Take the lease if it is free."""
        ...

    async def run(self) -> None:
        """Keep the lease, or wait for it; until cancelled."""
        ...

    async def won(self) -> None:
        """Wait until it leads."""
        ...

    async def release(self) -> None:
        """Lead no more, and let another one lead at once."""
        ...


def identity_here() -> str:
    """The name of the Pod, or of the machine, and what tells this start from every other."""
    name = os.environ.get("HOSTNAME") or socket.gethostname()
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', name)}_{secrets.token_hex(4)}"


class Alone(Unguarded):
    """Without an election: whoever runs it sees to it that there is one."""

    def __init__(self, identity: str, metrics: Metrics) -> None:
        self.identity = identity
        self.leading = self.undisturbed = True
        metrics.leader.labels("").set(1)

    async def look(self, transport: Transport) -> None:
        """There is no lease."""

    async def stand(self) -> None:
        """It leads already."""

    async def run(self) -> None:
        """There is nothing to keep."""
        await asyncio.Event().wait()

    async def won(self) -> None:
        """At once."""

    async def release(self) -> None:
        """There is nothing to give back."""


def leadership_of(settings: Settings, metrics: Metrics, clock: Clock) -> Leadership:
    """As the settings say: by a lease, or without."""
    identity = identity_here()
    if settings.leader_elect == "off":
        return Alone(identity, metrics)
    where = ref_of_lease(namespace_of(settings), settings.lease_name)
    return Elector(where, Candidate(identity, terms_of(settings)), metrics, clock)


def connection_of_lease(
    configuration: Configuration, terms: Terms, agent: str, on_request: OnRequest | None = None
) -> Transport:
    """A connection for the lease alone: no other request holds it up, and no answer for long.

    A server that asks to wait is asked again at the next turn: one small request, and the lease would run
    out meanwhile.
    """
    return Transport(
        configuration,
        request_timeout=terms.request_timeout,
        attempts=1,
        put_off_at_most=terms.retry,
        agent=agent,
        on_request=on_request,
    )
