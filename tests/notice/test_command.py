# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator notice`` as a process: what anybody gets, how it ends, what it needs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.notice.noticing import CATALOGUE, COMMAND, TITLE, NoticeProcess, read_page, said, serving
from tests.support.slow_to_leave import SLOW_TO_LEAVE

ENDED_WITHIN = 9.0
"""Seconds, on a machine that is busy with other things; less than who is connected may take to ask."""
NOBODY = 65532
"""The image's user."""

PATHS = ("/", "/livez", "/metrics", "/a/../b", "/%2e%2e/%00", "//x", "http://b/", "/?" + "q=1&" * 999)


async def raw(process: NoticeProcess, request: bytes) -> bytes:
    """All that comes back until the connection is closed, for bytes as they are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(request)
    await writer.drain()
    try:
        async with asyncio.timeout(15):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_story_of_a_citizen_a_program_and_a_crawler(running: NoticeProcess) -> None:
    day = (datetime.now(UTC) + timedelta(minutes=10)).isoformat(timespec="seconds")  # noqa: TID251 - its clock
    before = await running.metrics()
    notice = said(title=TITLE, catalogue=CATALOGUE, until=day.replace("+00:00", "Z"))
    async with aiohttp.ClientSession(running.url, headers=notice) as client:
        async with client.get("/residence/apply", headers={"Accept-Language": "lv"}) as citizen:
            page = read_page(await citizen.text())
            assert (citizen.status, page.sections, page.links) == (503, ["lv"], [CATALOGUE])
            assert 0 < int(citizen.headers["Retry-After"]) <= 600
            assert citizen.headers["EService-Route"] == "notice"
            assert citizen.headers["Server"] == "eservice-notice"
        async with client.post("/api", json={"a": 1}, headers={"Accept": "application/json"}) as program:
            assert (program.status, program.content_type) == (503, "application/problem+json")
            assert (await program.json())["eservice"] == TITLE
        async with client.head("/") as crawler, client.get("/") as same:
            assert (crawler.status, await crawler.read()) == (503, b"")
            assert crawler.headers["Content-Length"] == same.headers["Content-Length"]
    after = await running.metrics()
    grown = {series: value - before[series] for series, value in after.items() if value != before[series]}
    assert grown == {
        'eservice_notice_page_answers_total{form="html",language="lv"}': 1,
        'eservice_notice_page_answers_total{form="json",language="both"}': 1,
        'eservice_notice_page_answers_total{form="html",language="both"}': 2,
        'eservice_notice_page_headers_total{header="read"}': 4,
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_every_method_and_path_is_answered_alike(running: NoticeProcess, method: str) -> None:
    header = said(title=TITLE)["EService-Notice"]
    for path in PATHS:
        request = (
            f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nEService-Notice: {header}\r\n\r\n"
        )
        told = await raw(running, request.encode())
        assert told.startswith(b"HTTP/1.1 503 "), path
        assert TITLE["lv"].encode() in told, path


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\nno gzip at",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunks",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS",
        b"GET / HTTP/1.1\r\nConnection: close\r\nAccept-Language: \xff\xfe\r\nAccept: \x80/\x81\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nEService-Notice: \xff\xfe\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nEService-Notice: " + b"A" * 60_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"\r\n",
    ],
    ids=lambda request_: request_[:60].decode(errors="replace"),
)
async def test_whatever_is_sent_the_answer_is_the_notice(running: NoticeProcess, request_: bytes) -> None:
    head, _, body = (await raw(running, request_)).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].split(b" ", 1)[1] == b"503 Service Unavailable"
    assert b"\r\nEService-Route: notice\r\n" in head
    page = body.partition(b"</html>\n")[0].decode() + "</html>\n"
    assert read_page(page).sections == ["lv", "en"]
    assert {record["level"] for record in running.records()} == {"info"}


async def test_a_long_cookie_and_a_long_query_are_no_reason_to_lose_the_title(running: NoticeProcess) -> None:
    long = {"Cookie": "c=" + "x" * 60_000, **said(title=TITLE)}
    path = "/?SAMLRequest=" + "x" * 50_000
    async with aiohttp.ClientSession(running.url) as client, client.get(path, headers=long) as answer:
        assert TITLE["lv"] in await answer.text()


async def test_a_body_is_not_waited_for_and_its_sender_reads_the_answer(running: NoticeProcess) -> None:
    began = time.monotonic()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
    told = await raw(running, head + b"x" * 3_000_000)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nConnection: close\r\n" in told
    assert b"</html>" in told
    assert time.monotonic() - began < 10


async def test_connections_are_kept_for_the_next_request(running: NoticeProcess) -> None:
    twice = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert (await raw(running, twice)).count(b"HTTP/1.1 503 ") == 2


async def test_probes_and_figures_are_on_their_own_port(running: NoticeProcess) -> None:
    async with aiohttp.ClientSession(running.health) as client:
        for path, status in (("/livez", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404)):
            async with client.get(path) as answer:
                assert answer.status == status
    assert await running.metrics() | {"eservice_notice_page_connections": 0.0} == await running.metrics()


async def test_sigterm_answers_who_is_there_and_who_still_comes_and_ends_with_0(tmp_path: Path) -> None:
    with serving(tmp_path, (*SLOW_TO_LEAVE, "notice")) as process:
        streams = [await asyncio.open_connection("127.0.0.1", process.port) for _ in range(100)]
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        for _, writer in streams[:50]:
            writer.write(request)
        await process.told_to_end()
        for _, writer in streams[50:]:
            writer.write(request)
        late = await raw(process, request)  # a connection of now
        answers = [await reader.read() for reader, _ in streams]
        code = await process.ended()
        for _, writer in streams:
            writer.close()
    assert (code, [answer[:13] for answer in (*answers, late)]) == (0, [b"HTTP/1.1 503 "] * 101)
    assert all(b"\r\nConnection: close\r\n" in answer for answer in (*answers[50:], late))
    assert process.records()[-1]["msg"] == "stopped"


async def test_it_ends_within_seconds_whoever_is_connected(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        streams = [await asyncio.open_connection("127.0.0.1", process.port) for _ in range(100)]
        for reader, writer in streams[:50]:
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"</html>\n")
        began = time.monotonic()
        await process.told_to_end()
        assert await process.ended() == 0
        assert time.monotonic() - began < ENDED_WITHIN
        for _, writer in streams:
            writer.close()


async def test_it_is_not_ready_any_more_while_it_leaves(tmp_path: Path) -> None:
    with serving(tmp_path, (*SLOW_TO_LEAVE, "notice")) as process:
        await process.told_to_end()
        async with aiohttp.ClientSession(process.health) as client, client.get("/readyz") as readyz:
            assert (readyz.status, await readyz.text()) == (503, "not ready\n")


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, (*SLOW_TO_LEAVE, "notice")) as process:
        await process.told_to_end()
        process.process.send_signal(signal.SIGTERM)
        assert await process.ended() == 128 + signal.SIGTERM


async def test_an_upload_under_way_does_not_keep_it(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n1")
        told = await reader.readuntil(b"</html>\n")
        began = time.monotonic()
        await process.told_to_end()
        assert await process.ended() == 0
        assert time.monotonic() - began < ENDED_WITHIN
        assert told.startswith(b"HTTP/1.1 503 ")
        writer.close()


async def test_an_address_that_is_taken_is_said(running: NoticeProcess) -> None:
    command = [*COMMAND, f"--address=127.0.0.1:{running.port}", "--health-address=127.0.0.1:0"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "address already in use" in json.loads(done.stderr.splitlines()[-1])["msg"]


@pytest.mark.parametrize("address", ["8080", "a:b", "a:70000", "http://a:80", "[::1]", "a:"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    environment = os.environ | {"ESERVICE_NOTICE_ADDRESS": address}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert "write HOST:PORT" in done.stderr


def unprivileged() -> int | None:
    """The image's user, if we may become it and it may read the project; else the one that we are."""
    if os.geteuid() != 0:
        return None
    look = [sys.executable, "-c", "import eservice_operator"]
    try:
        seen = subprocess.run(look, user=NOBODY, group=NOBODY, capture_output=True, check=False)
    except PermissionError:  # the interpreter itself is out of its reach
        return None
    return NOBODY if seen.returncode == 0 else None


WRITES_NOTHING: Sequence[str] = (
    *("bash", "-c", 'cd / && exec 2> >(exec cat >&2) && ulimit -f 0 && exec "$@"', "bash"),
    *COMMAND,
)
"""A file that it would write to stays empty, and that is an error to it; its log goes through a pipe."""


async def test_it_runs_as_the_image_runs_it_and_writes_nothing(tmp_path: Path) -> None:
    more = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "KUBECONFIG": "/nonexistent"}
    with serving(tmp_path, WRITES_NOTHING, more, unprivileged()) as process:
        async with aiohttp.ClientSession(process.url) as client, client.get("/") as answer:
            assert answer.status == 503
        await process.told_to_end()
        assert await process.ended() == 0
    assert {record["level"] for record in process.records()} == {"info"}


def test_it_needs_neither_kopf_nor_a_client_for_the_cluster_nor_its_kinds() -> None:
    strange = "('kopf', 'kubernetes', 'eservice_operator.runtime', 'pydantic')"
    found = f"', '.join(name for name in {strange} if name in sys.modules)"
    code = f"import sys, eservice_operator.notice.command; sys.exit({found} or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
