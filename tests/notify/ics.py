# SPDX-License-Identifier: Apache-2.0
"""A strict reader of iCalendar objects (RFC 5545): what is not quite right fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PARAMETER = r'[A-Z-]+=(?:[^\x00-\x1f\x7f";:,]+|"[^"\x00-\x1f\x7f]*")'
LINE = re.compile(rf"(?P<name>[A-Z-]+)(?:;{PARAMETER})*:(?P<value>.*)")
TEXT = re.compile(r"(?:[^\x00-\x1f\x7f\\;,]|\\[\\;,nN])*")
TEXTS = {"SUMMARY", "DESCRIPTION"}


@dataclass
class Component:
    name: str
    properties: dict[str, str] = field(default_factory=dict)
    parts: list[Component] = field(default_factory=list)


def read(content: bytes) -> Component:
    """The one object in the content; every property at most once in its component."""
    assert content.endswith(b"\r\n")
    lines = content[:-2].split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()  # a fold within a character would fail here
    root = Component("")
    stack = [root]
    for unfolded in content[:-2].decode().replace("\r\n ", "").split("\r\n"):
        match = LINE.fullmatch(unfolded)
        assert match, unfolded
        name, value = match["name"], match["value"]
        if name == "BEGIN":
            stack.append(Component(value))
            stack[-2].parts.append(stack[-1])
        elif name == "END":
            assert stack.pop().name == value
        else:
            assert name not in stack[-1].properties, unfolded
            stack[-1].properties[name] = _text(value) if name in TEXTS else value
    (calendar,) = root.parts
    assert stack == [root]
    assert calendar.name == "VCALENDAR"
    return calendar


def _text(value: str) -> str:
    assert TEXT.fullmatch(value), value
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value)
