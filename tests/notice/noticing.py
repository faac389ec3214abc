# SPDX-License-Identifier: Apache-2.0
"""What the tests of the notice page share: the header, the process, and a strict reader of HTML."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.support.servers import FREE_PORTS, ServerProcess, launched

COMMAND = (sys.executable, "-m", "eservice_operator.runtime", "notice")
TITLE = {"lv": "Uzturēšanās atļaujas pieprasījums", "en": "Application for a residence permit"}
CATALOGUE = "https://catalogue.example/services/residence?kind=1&part=2"


def encoded(told: object) -> str:
    """The value of the header."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return packed(text.encode())


def packed(raw: bytes) -> str:
    """Base64url without its padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def said(**told: Any) -> dict[str, str]:
    """The header, of a content of version 1."""
    return {"EService-Notice": encoded({"v": 1, **told})}


class NoticeProcess(ServerProcess):
    """``eservice-operator notice`` as it runs."""

    listens = ready_once = "gives notice on"


@contextmanager
def serving(
    folder: Path,
    command: Sequence[str] = COMMAND,
    more: Mapping[str, str] | None = None,
    user: int | None = None,
) -> Iterator[NoticeProcess]:
    """The command, ready, on free ports; killed at the end of the block if it still runs."""
    path = folder / "notice.log"
    with launched([*command, *FREE_PORTS], path, more, user) as process:
        running = NoticeProcess(process, path)
        running.until_ready()
        yield running


class _Reader(HTMLParser):
    """Fails where something is not closed, or closed without having been opened."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), attrs
        if tag not in self.VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    @override
    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data!r}")


@dataclass(frozen=True)
class Read:
    """A page: its elements in their order, and the text of each kind of element."""

    elements: list[tuple[str, dict[str, str | None]]]
    texts: dict[str, list[str]]

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def title(self) -> str:
        return "".join(self.texts["title"])

    @property
    def links(self) -> list[str | None]:
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]

    @property
    def sections(self) -> list[str | None]:
        """The languages of the parts."""
        return [attributes["lang"] for tag, attributes in self.elements if tag == "section"]


def read_page(text: str) -> Read:
    """The page; fails when it is not well formed."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return Read(reader.seen, reader.texts)
