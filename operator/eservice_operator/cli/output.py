# SPDX-License-Identifier: Apache-2.0
"""How things are printed: tables that fit the terminal, JSON and YAML; nothing that a terminal would obey."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from eservice_operator.cli.session import Session
from eservice_operator.cli.text import UNPRINTABLE, clean, cut, padded, width_of

GAP = "   "
Style = Mapping[str, Any]


class Column(NamedTuple):
    """A column of a table. Where there is no room, the highest ``spare`` goes first, 0 never."""

    title: str
    spare: int = 0
    flexible: bool = False
    """Whether its text may be cut where there is no room."""
    style: Callable[[str], Style] | None = None
    """How to color a cell, by its text."""


LEAST_FLEXIBLE = 16
"""Columns of text below which a flexible column says nothing any more."""


def table(session: Session, columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table that is as wide as the terminal at most."""
    cells = [[clean("" if cell is None else cell) for cell in row] for row in rows]
    kept = list(range(len(columns)))
    widths = [
        max([width_of(column.title), *(width_of(row[index]) for row in cells)])
        for index, column in enumerate(columns)
    ]
    for index in sorted(kept, key=lambda one: -columns[one].spare):
        if columns[index].spare and _least(columns, widths, kept) > session.columns:
            kept.remove(index)
    _squeeze(columns, widths, kept, session.columns)
    lines = [_line([padded(columns[index].title, widths[index]) for index in kept])]
    for row in cells:
        texts = []
        for index in kept:
            text, style = cut(row[index], widths[index]), columns[index].style
            shown = session.paint(text, **style(row[index])) if style else text
            texts.append(shown + " " * (widths[index] - width_of(text)))
        lines.append(_line(texts))
    return lines


def _line(texts: Sequence[str]) -> str:
    return GAP.join(texts).rstrip()


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[index] for index in kept) + len(GAP) * (len(kept) - 1)


def _least(columns: Sequence[Column], widths: Sequence[int], kept: Sequence[int]) -> int:
    """How narrow the table can be made."""
    narrow = [
        min(width, max(LEAST_FLEXIBLE, width_of(column.title))) if column.flexible else width
        for column, width in zip(columns, widths, strict=True)
    ]
    return _total(narrow, kept)


def _squeeze(columns: Sequence[Column], widths: list[int], kept: Sequence[int], room: int) -> None:
    """Cut the widest flexible column until the table fits, or none can give more."""
    while (excess := _total(widths, kept) - room) > 0:
        able = [index for index in kept if columns[index].flexible and widths[index] > LEAST_FLEXIBLE]
        if not able:
            return
        widest = max(able, key=lambda index: widths[index])
        widths[widest] -= min(excess, widths[widest] - LEAST_FLEXIBLE)


def show(session: Session, document: Any) -> None:
    """A document as JSON or YAML, whichever was asked for; YAML where neither was."""
    session.say(as_json(document) if session.output == "json" else as_yaml(document))


def as_json(document: Any) -> str:
    """JSON; what a terminal would obey is escaped, which means the same to a program."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    if text.isascii():
        return text
    return "".join(_json_escaped(character) if _obeyed(character) else character for character in text)


def as_yaml(document: Any) -> str:
    """YAML as one would write it by hand, keys in their order."""
    import yaml  # noqa: PLC0415 - a table needs none of it

    plain = json.loads(json.dumps(document, default=str))
    shown = json.dumps(plain, ensure_ascii=False)
    text: str = yaml.safe_dump(
        plain, sort_keys=False, allow_unicode=not any(_obeyed(character) for character in shown), width=110
    )
    return text.rstrip("\n")


def _obeyed(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in UNPRINTABLE


def _json_escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
