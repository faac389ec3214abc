# SPDX-License-Identifier: Apache-2.0
"""The answer to a request: always 503, always with a page that can be read, whatever was asked.

Pure: the same request at the same instant has the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.names import ROUTE_HEADER
from eservice_operator.notice import page
from eservice_operator.notice.content import Header, read
from eservice_operator.notice.page import Notice
from eservice_operator.notice.preferences import CONTENT_TYPES, Form, form_of, languages_of

STATUS: Final = 503
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Those that bring nothing (RFC 9110, 9.2.1)."""
RETRY: Final = timedelta(hours=1)
"""When to ask again, where nobody knows when it is back."""
LONGEST_RETRY: Final = timedelta(days=1)
"""It may be back before its day."""
CONSTANT: Final = {
    "Vary": "Accept-Language, Accept",
    "Cache-Control": "no-store",
    "Content-Security-Policy": page.POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    ROUTE_HEADER: "notice",
}
PUT: Final[Mapping[Form, Callable[[Notice], str]]] = {
    Form.HTML: page.html,
    Form.JSON: page.problem,
    Form.TEXT: page.plain,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What counts of a request; each header by all its values, in their order."""

    method: str = "GET"
    accept: Sequence[str] = ()
    accept_language: Sequence[str] = ()
    notice: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status is 503. To HEAD the same is said, without the body."""

    headers: Mapping[str, str]
    body: bytes
    languages: Sequence[str]
    form: Form
    header: Header
    """What became of the notice header."""


def answer(asked: Asked, now: datetime) -> Answer:
    """The notice in the language and the form that is preferred."""
    header, content = read(asked.notice)
    languages = languages_of(",".join(asked.accept_language))
    form = form_of(",".join(asked.accept))
    until = content.until if content.until is not None and content.until > now else None
    notice = Notice(content, languages, until, lost=asked.method not in SAFE_METHODS)
    headers = CONSTANT | {
        "Content-Type": CONTENT_TYPES[form],
        "Content-Language": ", ".join(languages),
        "Retry-After": str(_retry_after(until, now)),
    }
    return Answer(headers, PUT[form](notice).encode(), languages, form, header)


def _retry_after(until: datetime | None, now: datetime) -> int:
    """Whole seconds, at least one."""
    wait = min(until - now, LONGEST_RETRY) if until is not None else RETRY
    return math.ceil(wait.total_seconds())
