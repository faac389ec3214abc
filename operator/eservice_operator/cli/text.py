# SPDX-License-Identifier: Apache-2.0
"""Text as a terminal shows it: harmless, and as wide as it looks."""

from __future__ import annotations

import textwrap
import unicodedata

ELLIPSIS = "…"
UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control characters, escape sequences and direction marks among them: what a terminal would obey."""


def clean(text: object, keep: str = "") -> str:
    r"""The text with everything that a terminal would obey instead of showing it written out: ``\x1b``.

    ``keep`` are characters left as they are, such as a newline.
    """
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in UNPRINTABLE
        else escaped(character)
        for character in shown
    )


def escaped(character: str) -> str:
    """The character written out."""
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - what two hexadecimal digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def width_of(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int) -> str:
    """The text, filled up with spaces."""
    return text + " " * (width - width_of(text))


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width_of(text) <= width:
        return text
    kept = ""
    for character in text:
        if width_of(kept + character) > width - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a paragraph; a command or an address is never broken."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent.rstrip()]


def counted(count: int, one: str, several: str = "") -> str:
    """``1 document``, ``2 documents``."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"
