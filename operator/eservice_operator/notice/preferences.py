# SPDX-License-Identifier: Apache-2.0
"""What a client prefers: languages and forms, by RFC 9110 (12.4.2, 12.5.1, 12.5.4). All of it is total."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

LANGUAGES: Final = ("lv", "en")
"""In the order in which they stand on a page that has both."""
MOST: Final = 64
"""Members of a list that are looked at; nobody's browser sends a tenth of that."""
WEIGHT: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
RANGE: Final = re.compile(r"\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*", re.IGNORECASE)
MEDIA: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+", re.ASCII)


class Form(StrEnum):
    """How the notice is put; in the order of our own preference."""

    HTML = "html"
    JSON = "json"
    TEXT = "text"


CONTENT_TYPES: Final = {
    Form.HTML: "text/html; charset=utf-8",
    Form.JSON: "application/problem+json",
    Form.TEXT: "text/plain; charset=utf-8",
}


def languages_of(header: str) -> tuple[str, ...]:
    """The one language of ours that is preferred; both when the header names neither, or refuses both.

    ``lv-LV`` asks for ``lv``. Of two that are liked equally the one named first is taken. ``*`` is what is
    not named: alone it prefers nothing.
    """
    liked: dict[str, float] = {}
    for tag, weight in _weighted(header):
        if RANGE.fullmatch(tag):
            primary = tag.lower().partition("-")[0]
            liked[primary] = max(weight, liked.get(primary, 0.0))
    rest = liked.get("*", 0.0)
    order = [*(code for code in liked if code in LANGUAGES), *LANGUAGES]
    weights = {code: liked.get(code, rest) for code in order}
    best = max(weights, key=lambda code: weights[code])
    named = any(code in liked for code in LANGUAGES)
    return (best,) if named and weights[best] > 0 else LANGUAGES


def form_of(header: str) -> Form:
    """The form that is preferred; HTML when the header prefers nothing, or wants what we have not."""
    liked = [(media.lower(), weight) for media, weight in _weighted(header) if MEDIA.fullmatch(media)]
    wishes = {form: _wish(form, liked) for form in Form}
    return max(Form, key=lambda form: wishes[form])


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    """The members of a list with their weights; a member that is not written as it has to be is left out."""
    for member in header.split(",", MOST)[:MOST]:
        value, *parameters = (part.strip() for part in member.split(";"))
        weights = [part for part in parameters if part[:2].lower() == "q="]
        if not weights:
            yield value, 1.0
        elif match := WEIGHT.fullmatch(weights[0]):
            yield value, float(match[1])


def _wish(form: Form, liked: list[tuple[str, float]]) -> tuple[float, int]:
    """How much a form is liked: the most specific range that it is in counts, and decides between equals."""
    fits = [(rank, weight) for media, weight in liked if (rank := _rank(form, media))]
    rank, weight = max(fits, default=(0, 0.0))
    return (weight, rank) if weight else (0.0, 0)


def _rank(form: Form, media: str) -> int:
    """How specific a range is that has the form in it; 0 when it is not."""
    kind, _, subtype = media.partition("/")
    own, _, exact = CONTENT_TYPES[form].partition(";")[0].partition("/")
    if media == "*/*":
        return 1
    if kind != own:
        return 0
    if subtype == "*":
        return 2
    # who asks for any JSON can read ours (RFC 9457: a problem is told as application/problem+json)
    json = form is Form.JSON and (subtype == "json" or subtype.endswith("+json"))
    return 3 if subtype == exact or json else 0
