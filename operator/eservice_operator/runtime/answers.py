# SPDX-License-Identifier: Apache-2.0
"""The answers that kopf reads: none nested deeper than it can read, and of a list only what is news.

kopf parses them itself, lists as a whole and events line by line, and ends as a whole when that fails:
anybody's object may be nested deeply. For each object of a list it begins a task, which keeps the object for
a while, and it keeps a record of it for good. When it starts, the store knows all of them already.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import aiohttp
from typing_extensions import override

from eservice_operator.cluster import nesting
from eservice_operator.core.actions import Manifest

if TYPE_CHECKING:
    from aiohttp.connector import Connection


Items = list[Manifest]
News = Callable[[str, Items], Items]
"""Of the objects of a kind those that tell something new."""


def everything(kind: str, items: Items) -> Items:  # noqa: ARG001 - as one of `News`
    """All of them."""
    return items


class Answer(aiohttp.ClientResponse):
    """An answer whose ``json()``, and whose lines if it is a watch, are cut to a depth that can be read."""

    news: ClassVar[News] = staticmethod(everything)

    @override
    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        await super().start(connection)
        self.content = cast(aiohttp.StreamReader, _Content(self.content))
        return self

    @override
    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = nesting.read,
        content_type: str | None = "application/json",
    ) -> Any:
        return self._selected(await super().json(encoding=encoding, loads=loads, content_type=content_type))

    def _selected(self, document: Any) -> Any:
        """The document; of a list only the news."""
        if isinstance(document, dict) and isinstance(document.get("items"), list):
            kind = str(document.get("kind")).removesuffix("List")
            document["items"] = type(self).news(kind, document["items"])
        return document


def answers_with(news: News) -> type[Answer]:
    """A class of answers whose lists have nothing but news."""
    return type("News", (Answer,), {"news": staticmethod(news)})


class _Content:
    """The body of an answer: as it is, but for what is read in chunks, which is a watch."""

    def __init__(self, body: aiohttp.StreamReader) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """The lines, whole ones, several at once."""
        return _Lines(self._body.iter_chunked(n))


class _Lines:
    """Whole lines; what the stream leaves unfinished when it ends is none.

    No async generator: kopf would leave it open at its end.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        whole = b""
        while not whole:
            chunk = await anext(self._chunks)
            whole, end, rest = chunk.rpartition(b"\n")
            self._rest, whole = (rest, self._rest + whole + end) if end else (self._rest + rest, b"")
        if whole.count(b"{") + whole.count(b"[") <= nesting.READ_AT_MOST:
            return whole
        return b"\n".join(nesting.within(line) for line in whole.split(b"\n"))
