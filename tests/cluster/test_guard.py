# SPDX-License-Identifier: Apache-2.0
"""No write is sent without time left: not at the first attempt, nor at the next, nor after having waited."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.errors import Transient
from eservice_operator.cluster.guard import NotLeading
from eservice_operator.cluster.transport import Request, Transport
from tests.support.waiting import eventually

WRITE = Request("create", "POST", "/write", {"kind": "Thing"})
READ = Request("get", "GET", "/read")


@dataclass
class Lease:
    """Says how much time is left, and how often it was asked; ``then`` counts from the given question on."""

    left: float = 15.0
    asked: int = 0
    after: float = math.inf
    then: float = 0.0

    def time_left(self) -> float:
        self.asked += 1
        return self.then if self.asked > self.after else self.left


@dataclass
class Server:
    """Counts what arrives, and answers once it may."""

    arrived: list[str] = field(default_factory=list)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 200
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        self.arrived.append(f"{request.method} {request.path}")
        await self.answer.wait()
        return web.json_response({}, status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    made.answer.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://127.0.0.1:{1}".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


@pytest.fixture
def lease() -> Lease:
    return Lease()


@pytest.fixture
async def transport(server: Server, lease: Lease) -> AsyncIterator[Transport]:
    """Over one connection at once."""
    configuration = Configuration(host=server.url, connection_pool_maxsize=1)
    made = Transport(configuration, guard=lease, agent="pod-a_12345678")
    yield made
    await made.close()


async def test_with_time_left_it_is_sent(transport: Transport, server: Server) -> None:
    assert await transport.send(WRITE) == {}
    assert server.arrived == ["POST /write"]


async def test_without_it_nothing_is_sent_and_nothing_is_tried_again(
    transport: Transport, server: Server, lease: Lease
) -> None:
    lease.left = 0
    with pytest.raises(NotLeading):
        await transport.send(WRITE)
    assert (server.arrived, lease.asked) == ([], 1)


async def test_reads_are_not_asked_about(transport: Transport, server: Server, lease: Lease) -> None:
    lease.left = 0
    await transport.send(READ)
    assert (server.arrived, lease.asked) == (["GET /read"], 0)


async def test_the_last_question_is_asked_as_the_bytes_go_out(
    transport: Transport, server: Server, lease: Lease
) -> None:
    lease.after = 1
    with pytest.raises(NotLeading):
        await transport.send(WRITE)
    assert (server.arrived, lease.asked) == ([], 2)


async def test_a_write_that_waited_for_a_connection_is_not_sent_any_more(
    transport: Transport, server: Server, lease: Lease
) -> None:
    server.answer.clear()
    reading = asyncio.create_task(transport.send(READ))
    await eventually(lambda: server.arrived, "the connection is in use")
    writing = asyncio.create_task(transport.send(WRITE))
    await eventually(lambda: lease.asked == 1, "the write waits")
    lease.left = 0
    server.answer.set()
    await reading
    with pytest.raises(NotLeading):
        await writing
    assert server.arrived == ["GET /read"]
    lease.left = 15
    await transport.send(WRITE)
    assert server.arrived == ["GET /read", "POST /write"], "nothing of the other write is left"


async def test_the_next_attempt_is_asked_about_again(
    transport: Transport, server: Server, lease: Lease
) -> None:
    server.status, lease.after = 503, 2
    with pytest.raises(NotLeading):
        await transport.send(WRITE)
    assert server.arrived == ["POST /write"]


async def test_an_answer_is_waited_for_no_longer_than_there_is_time(
    transport: Transport, server: Server, lease: Lease
) -> None:
    server.answer.clear()
    lease.left, lease.after = 0.2, 2
    async with asyncio.timeout(20):  # of the 30 s that a request has
        with pytest.raises(Transient) as told:
            await transport.send(Request("create", "POST", "/write", {}, repeatable=False))
    assert told.value.reason == "Timeout"
    server.answer.set()


def limits(transport: Transport, request: Request) -> tuple[float | None, bool]:
    """Seconds for one attempt, and whether they would be rounded up to a whole one."""
    limit = transport._limits(request)
    return limit.total, limit.total is None or limit.total > limit.ceil_threshold


async def test_the_limit_of_a_write_is_what_is_left_to_the_instant(
    transport: Transport, lease: Lease
) -> None:
    lease.left = 5.3
    assert limits(transport, WRITE) == (5.3, False)
    assert limits(transport, READ) == (30.0, False)
    lease.left = 100
    assert limits(transport, WRITE) == (30.0, False)


async def test_whoever_has_to_be_asked_for_credentials_first_takes_that_from_the_time_left(
    server: Server, lease: Lease
) -> None:
    """A plugin may take seconds: the write has what is left after it, not what was left before."""

    async def slow() -> str:
        lease.left = 0.2
        return "Bearer late"

    server.answer.clear()
    made = Transport(Configuration(host=server.url, authorization=slow), guard=lease, attempts=1)
    try:
        async with asyncio.timeout(10):  # of the 15 s that were left before
            with pytest.raises(Transient):
                await made.send(WRITE)
    finally:
        server.answer.set()
        await made.close()
