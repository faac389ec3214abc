# SPDX-License-Identifier: Apache-2.0
"""Other people's words made fit for a line of a message: nothing in them can end the line or hide."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 400
"""Characters of a value in a sentence; a link is never cut."""
LONGEST_LINK: Final = 2048

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that break lines, turn the direction of reading round, or cannot be encoded."""
NOTICE_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
LINK: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text on one line, without what cannot be seen; cut with an ellipsis when it is too long."""
    seen = text
    if not text.isprintable():
        seen = "".join(" " if unicodedata.category(letter) in HIDDEN else letter for letter in text)
    line = " ".join(seen.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def notice_id(text: str) -> str:
    """The id of a notice, fit for a header.

    Raises:
        ValueError: it is not.
    """
    if NOTICE_ID.fullmatch(text) is None:
        raise ValueError("the id of a notice is made of letters, digits, '.', '_' and '-'")
    return text


def link(text: str) -> str:
    """A web address that is safe to make a link of; empty for anything else."""
    if len(text) > LONGEST_LINK or LINK.fullmatch(text) is None:
        return ""
    try:
        parts = urlsplit(text)
        _ = parts.port  # is looked at only now
    except ValueError:
        return ""
    # a user before the host is how a link is made to look like one to somewhere else
    return text if parts.hostname and "@" not in parts.netloc else ""
