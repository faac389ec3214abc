# SPDX-License-Identifier: Apache-2.0
"""What kopf reads is cut to a depth that can be read, however the bytes of it come."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from eservice_operator.cluster.nesting import READ_AT_MOST, TOO_DEEP
from eservice_operator.runtime.answers import Answer, answers_with
from tests.support.deep import nest

ODD = b'{"type":"ADDED","object":%s}' % nest(5000)
PLAIN = b'{"type":"MODIFIED","object":{"name":"}\\"{"}}'
WIDE = b'{"type":"MODIFIED","object":[%s]}' % b",".join([b"{}"] * 1000)
CHUNK = 2**20


@asynccontextmanager
async def answered(*pieces: bytes, by: type[Answer] = Answer) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer of a server that writes these pieces, one after the other."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        return response

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        async with (
            aiohttp.ClientSession(response_class=by) as session,
            session.get(f"http://{host}:{port}/") as answer,
        ):
            yield answer
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("size", [7, 4096, 10**6])
async def test_of_a_watch_every_line_can_be_read(size: int) -> None:
    told = b"".join(line + b"\n" for line in (PLAIN, ODD, WIDE, PLAIN))
    pieces = [told[at : at + size] for at in range(0, len(told), size)]
    async with answered(*pieces, ODD[:9000]) as answer:
        got = b"".join([chunk async for chunk in answer.content.iter_chunked(CHUNK)])
    plain, odd, wide, again = got.splitlines()
    assert (plain, wide, again) == (PLAIN, WIDE, PLAIN), "and what breaks off is no line"
    assert json.loads(odd)["type"] == "ADDED"
    assert odd.count(b"{") == READ_AT_MOST
    assert TOO_DEEP.encode() in odd


async def test_of_a_list_the_others_are_as_they_are() -> None:
    async with answered(b'{"items":[1,%s,2]}' % nest(5000)) as answer:
        first, odd, last = (await answer.json())["items"]
    assert (first, last) == (1, 2)
    assert json.dumps(odd).count("{") == READ_AT_MOST - 2


async def test_a_list_has_nothing_but_news() -> None:
    asked: list[str] = []

    def news(kind: str, items: list[Any]) -> list[Any]:
        asked.append(kind)
        return [item for item in items if item["name"] != "known"]

    page = {
        "kind": "EServiceList",
        "metadata": {"continue": "x"},
        "items": [{"name": "known"}, {"name": "new"}],
    }
    async with answered(json.dumps(page).encode(), by=answers_with(news)) as answer:
        assert await answer.json() == page | {"items": [{"name": "new"}]}
    assert asked == ["EService"]


@pytest.mark.parametrize("document", [{"kind": "APIGroupList", "groups": [1]}, {"kind": "Status"}, [1], None])
async def test_what_is_no_list_of_objects_is_as_it_is(document: Any) -> None:
    async with answered(json.dumps(document).encode(), by=answers_with(lambda _, __: [])) as answer:
        assert await answer.json() == document
