# SPDX-License-Identifier: Apache-2.0
"""What a request says about the e-service that it was meant for: the header that the notice rule sets.

The gateway overwrites what a client sends under that name, and the value is still taken for what anybody may
have written: what is not clean is left out, and the page does without it.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from eservice_operator.core.cleaning import link, one_line
from eservice_operator.notice.languages import in_riga

VERSION: Final = 1
LONGEST: Final = 4096
"""Characters of the header's value; the Gateway API allows no more."""
LONGEST_TITLE: Final = 300
ENCODED: Final = re.compile(r"[A-Za-z0-9_-]+")


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
    return Header.READ, Content(
        _titles(told.get("title")), link(_text(told.get("catalogue"))), _instant(told)
    )


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
    clean = {code: one_line(_text(told.get(code)), LONGEST_TITLE) for code in ("lv", "en")}
    return {code: title for code, title in clean.items() if title}


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _instant(told: Mapping[str, Any]) -> datetime | None:
    until = told.get("until")
    if not isinstance(until, str):
        return None
    try:
        instant = datetime.fromisoformat(until)
        if instant.tzinfo is None:
            return None
        in_riga(instant)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: beyond the ends of time, in UTC or where it is shown
        return None
