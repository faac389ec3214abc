# SPDX-License-Identifier: Apache-2.0
"""What a request says about the e-service that it was meant for: the header that the notice rule sets.

The gateway overwrites what a client sends under that name, and the value is still taken for what anybody may
have written: what is not clean is left out, and the page does without it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

VERSION: Final = 1
LONGEST: Final = 4096
"""Characters of the header's value; the Gateway API allows no more."""
LONGEST_TITLE: Final = 300
LONGEST_LINK: Final = 2048
ENCODED: Final = re.compile(r"[A-Za-z0-9_-]+")
LINK: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that break lines, turn the direction of reading round, or cannot be encoded."""


class Header(StrEnum):
    """What became of the header."""

    READ = "read"
    ABSENT = "absent"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of the e-service; nothing, if nothing was said."""

    titles: Mapping[str, str] = field(default_factory=dict)
    """By language (``lv``, ``en``): one clean line each, never empty."""
    catalogue: str = ""
    """A web address that is safe to make a link of, or empty."""
    until: datetime | None = None
    """When it is to come back, in UTC."""


NOTHING: Final = Content()


def read(values: Sequence[str]) -> tuple[Header, Content]:
    """The content in the values of the header, base64url of a JSON object; total, whatever they are.

    A header that stands there twice is broken: one of the two is not the gateway's.
    """
    if not values:
        return Header.ABSENT, NOTHING
    try:
        (value,) = values
        told = _decoded(value)
    except (ValueError, RecursionError):  # nested deeper than Python reads
        return Header.BROKEN, NOTHING
    return Header.READ, Content(_titles(told.get("title")), _link(told.get("catalogue")), _instant(told))


def _decoded(value: str) -> dict[str, Any]:
    """The object of the version that is understood here; ValueError for everything else."""
    if len(value) > LONGEST or ENCODED.fullmatch(value) is None:
        raise ValueError("this is not base64url")
    told = json.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    if not isinstance(told, dict) or type(told.get("v")) is not int or told["v"] != VERSION:
        raise ValueError("this is no object of a version that is known")
    return told


def _titles(told: object) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    clean = {code: _one_line(told.get(code)) for code in ("lv", "en")}
    return {code: title for code, title in clean.items() if title}


def _one_line(told: object) -> str:
    """The text without what cannot be seen; cut with an ellipsis where it is too long."""
    if not isinstance(told, str):
        return ""
    seen = "".join(" " if unicodedata.category(letter) in HIDDEN else letter for letter in told)
    line = " ".join(seen.split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"


def _link(told: object) -> str:
    if not isinstance(told, str) or len(told) > LONGEST_LINK or LINK.fullmatch(told) is None:
        return ""
    try:
        parts = urlsplit(told)
        _ = parts.port  # is looked at only now
    except ValueError:
        return ""
    # a user before the host is how a link is made to look like one to somewhere else
    return told if parts.hostname and "@" not in parts.netloc else ""


def _instant(told: Mapping[str, Any]) -> datetime | None:
    until = told.get("until")
    if not isinstance(until, str):
        return None
    try:
        instant = datetime.fromisoformat(until)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter: beyond the ends of time in UTC
        return None
