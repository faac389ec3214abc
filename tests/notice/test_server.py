# SPDX-License-Identifier: Apache-2.0
"""The bounds of the server: time for a head, its size, the number of connections; and any headers at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.address import Address
from eservice_operator.notice.figures import Figures
from eservice_operator.notice.server import NoticeServer
from eservice_operator.serving import connection
from eservice_operator.serving.bounded import listening
from tests.notice.noticing import read_page
from tests.support.waiting import eventually

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def notice_server(clock: Callable[[], datetime] = lambda: NOW) -> AsyncIterator[tuple[int, Figures]]:
    figures = Figures()
    async with listening(NoticeServer(clock, figures).runner, Address("127.0.0.1", 0)) as bound:
        yield bound.port, figures


async def ended(reader: asyncio.StreamReader, within: float = 10) -> bytes:
    """What came until the server closed."""
    async with asyncio.timeout(within):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
async def test_who_does_not_finish_asking_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    async with notice_server() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert await ended(reader) == b""
        writer.close()


async def test_slow_dripping_wins_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    async with notice_server() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
        closed = asyncio.create_task(ended(reader))

        def drip() -> bool:
            writer.write(b"X: y\r\n")
            return closed.done()

        await eventually(drip, "the end of it", within=10)
        assert await closed == b""
        writer.close()


async def test_also_the_second_head_has_its_time_and_idling_is_no_asking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    async with notice_server() as (port, _):
        idle = await asyncio.open_connection("127.0.0.1", port)
        idle[1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await idle[0].readuntil(b"</html>\n")
        slow = await asyncio.open_connection("127.0.0.1", port)
        slow[1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await slow[0].readuntil(b"</html>\n")
        slow[1].write(b"GET / HT")
        assert await ended(slow[0]) == b""
        idle[1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # longer than that after its first
        assert (await idle[0].readuntil(b"</html>\n")).startswith(b"HTTP/1.1 503 ")
        for _, writer in (idle, slow):
            writer.close()


async def test_a_head_that_is_too_large_is_not_kept() -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 20_000) for number in range(100))
    async with notice_server() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
        assert await ended(reader) == b""
        writer.close()


async def test_with_too_many_connections_the_most_silent_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoticeServer, "most_connections", 3)
    async with notice_server() as (port, figures):
        streams: list[Streams] = []
        for _ in range(3):
            streams.append(await asyncio.open_connection("127.0.0.1", port))
            streams[-1][1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await streams[-1][0].readuntil(b"</html>\n")
        streams[0][1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await streams[0][0].readuntil(b"</html>\n")
        streams.append(await asyncio.open_connection("127.0.0.1", port))
        assert await ended(streams[1][0]) == b""
        await eventually(lambda: b"page_connections 3.0" in figures.render(), "three connections")
        for reader, writer in (streams[0], streams[2], streams[3]):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readuntil(b"</html>\n")).startswith(b"HTTP/1.1 503 ")
        for _, writer in streams:
            writer.close()


async def test_the_bound_of_connections_holds_in_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them come before the server has got round to losing one."""
    monkeypatch.setattr(NoticeServer, "most_connections", 3)
    async with notice_server() as (port, figures):
        burst = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        try:
            await eventually(lambda: sum(map(is_open, burst)) == 3, "three connections")
            assert all(map(is_open, burst[-3:])), "those that came last"
            assert b"page_connections 3.0" in figures.render()
        finally:
            for one in burst:
                one.close()


def is_open(one: socket.socket) -> bool:
    """Whether the other side of a connection that nothing was sent on has not closed it."""
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


async def test_who_is_closed_while_asking_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(NoticeServer, "most_connections", 1)
    async with notice_server() as (port, _):
        burst = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        for one in burst:
            one.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"</html>\n")).startswith(b"HTTP/1.1 503 ")
        writer.close()
        for one in burst:
            one.close()
    assert caplog.records == []


async def test_a_fault_of_ours_is_a_notice_too(caplog: pytest.LogCaptureFixture) -> None:
    faults = iter([RuntimeError("a fault")])

    def clock() -> datetime:
        for fault in faults:
            raise fault
        return NOW

    async with notice_server(clock) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        told = await ended(reader)
        writer.close()
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"a fault" not in told
    assert "a request was not answered as it should be" in caplog.text


VALUES = st.binary(max_size=200).map(lambda raw: raw.translate(None, b"\r\n"))


async def _asked(requests: list[bytes]) -> list[bytes]:
    """The answers to requests, each on a connection of its own, to one server."""
    async with notice_server() as (port, _):
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answers.append(await ended(reader))
            writer.close()
        return answers


def assert_notice(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 503 ", b"HTTP/1.0 503 ")), answer[:200]
    assert b"\r\nEService-Route: notice" in head
    if b"text/html" in head:
        read_page(body.decode())


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=5))
def test_any_bytes_in_the_headers_are_answered_with_a_notice(
    headers: list[tuple[bytes, bytes, bytes]],
) -> None:
    form = (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"EService-Notice: %s\r\nAccept-Language: %s\r\nAccept: %s\r\n\r\n"
    )
    answers = asyncio.run(_asked([form % values for values in headers]))
    assert len(answers) == len(headers)
    for answer in answers:
        assert_notice(answer)
