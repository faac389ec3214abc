# SPDX-License-Identifier: Apache-2.0
"""JSON of any depth, as an answer of the API server may have it.

It takes objects that are nested up to 10,000 levels deep, where their schema is open: the ``data`` of a
ControllerRevision, ``managedFields``. Python's reader gives up at less than a thousand, with an exception
that is no `ValueError`, and with the whole list that such an object is in. What lies too deep is replaced
here by a text, so that one object is odd, and all others are what they are.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

DEEPEST: Final = 100
"""Levels of maps and lists within one object that are kept in memory; those of Kubernetes have below 30."""
READ_AT_MOST: Final = 2 * DEEPEST
"""Levels to which an answer is cut before it is read: more than one object has in a list or an event."""
TOO_DEEP: Final = "nested too deeply"
"""What stands where something was cut off: of another type, so that what has a schema becomes invalid."""

_MARK: Final = json.dumps(TOO_DEEP).encode()
_TEXT: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN: Final = re.compile(_TEXT + rb"|[\[\]{}]", re.DOTALL)
_ONLY_CURLY: Final = bytes.maketrans(b"[]", b"{}")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def read(body: bytes | str) -> Any:
    """The document; what is deeper than Python reads is cut off first.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(within(body.encode() if isinstance(body, str) else body))


def within(body: bytes, deepest: int = READ_AT_MOST) -> bytes:
    """The same JSON, what is nested more than ``deepest`` levels deep replaced by `TOO_DEEP`.

    Meant for every event of a watch: one with few brackets, as most have, costs a count of them.
    """
    if body.count(b"{") + body.count(b"[") <= deepest or not _deeper(body, deepest):
        return body
    kept, done, depth, cut_at = [], 0, 0, 0
    for token in _TOKEN.finditer(body):
        sign = body[token.start()]
        if sign in b"[{":
            depth += 1
            if depth == deepest + 1:
                cut_at = token.start()
        elif sign in b"]}":
            if depth == deepest + 1:
                kept += [body[done:cut_at], _MARK]
                done = token.end()
            depth -= 1
    if depth > deepest:  # it breaks off in there
        return b"".join([*kept, body[done:cut_at]])
    return b"".join([*kept, body[done:]])


def _deeper(body: bytes, deepest: int) -> bool:
    """Whether anything lies deeper. No loop over bytes or tokens: this is run for large events, too."""
    told = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    brackets = b"".join(told.split(b'"')[::2]).translate(_ONLY_CURLY, _NO_BRACKETS)
    for _ in range(deepest):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"")
    return bool(brackets)
