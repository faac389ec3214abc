# SPDX-License-Identifier: Apache-2.0
"""Pages of text for a terminal: headings, lines with a label, paragraphs. Everything is cleaned here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import FAINT, HEADING, PLAIN
from eservice_operator.cli.text import clean, padded, wrapped

LABEL: Final = 14
INSTANT: Final = len("2026-11-22 08:30")
INDENT: Final = "  "


class Page:
    """Lines for one person at one terminal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.lines: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        if self.lines:
            self.lines.append("")
        self.lines.append(self._session.paint(clean(text), **HEADING))

    def labelled(self, label: str, text: object, style: Mapping[str, Any] = PLAIN) -> None:
        """``label   text`` with the text wrapped beside its label; nothing where there is no text."""
        if text is None or text == "":
            return
        room = max(20, self._session.prose - LABEL - len(INDENT))
        first, *rest = wrapped(clean(text), room)
        begin = self._session.paint(INDENT + padded(label, LABEL), **FAINT)
        self.lines.append(begin + self._session.paint(first, **style))
        self.lines += [" " * (LABEL + len(INDENT)) + self._session.paint(line, **style) for line in rest]

    def dated(self, when: str, text: object, style: Mapping[str, Any] = PLAIN) -> None:
        """``when   text`` for a line of a timeline."""
        begin = INDENT + padded(clean(when), INSTANT) + INDENT
        room = max(20, self._session.prose - len(begin))
        first, *rest = wrapped(clean(text), room)
        self.lines.append(self._session.paint(begin + first, **style))
        self.lines += [self._session.paint(" " * len(begin) + line, **style) for line in rest]

    def paragraph(self, text: object, indent: str = INDENT, style: Mapping[str, Any] = PLAIN) -> None:
        """A paragraph, wrapped."""
        for line in wrapped(clean(text), self._session.prose, indent):
            self.lines.append(self._session.paint(line, **style))

    def verbatim(self, lines: Iterable[str], indent: str = INDENT * 2) -> None:
        """Something to copy: commands and YAML are never wrapped."""
        self.lines += [f"{indent}{clean(line)}".rstrip() for line in lines]

    def line(self, text: str, style: Mapping[str, Any] = PLAIN) -> None:
        """One line as it is."""
        self.lines.append(self._session.paint(clean(text), **style))

    def print(self) -> None:
        """Print the page."""
        for line in self.lines:
            self._session.say(line)
