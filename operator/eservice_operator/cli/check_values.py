# SPDX-License-Identifier: Apache-2.0
"""YAML as values, the way kubectl reads it: days stay text, ``12:30`` is no number, no key comes twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import yaml

TAG: Final = "tag:yaml.org,2002:"
LONGEST_NUMBER: Final = 400

Lines = dict[str, int]
"""Line by path, in the notation ``spec.versions[0].released``."""


class UnreadableError(ValueError):
    """A file that cannot be read, with the line where that shows; 0 where it is the whole file."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Resolves plain scalars as Kubernetes' YAML does; ten times faster where libyaml is there."""

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - PyYAML's own way


_PLAIN: Final = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (
        "bool",
        r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$",
        "yYnNtTfFoO",
    ),
    ("int", r"^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)$",
        "-+0123456789.",
    ),
    ("merge", r"^<<$", ["<"]),
)
for _name, _pattern, _first in _PLAIN:
    Loader.add_implicit_resolver(TAG + _name, re.compile(_pattern), list(_first))


def line_of(part: yaml.Node | yaml.Event) -> int:
    """The line at which a part of a document begins, counted from one."""
    mark = part.start_mark
    return 0 if mark is None else int(mark.line) + 1


def value_of(node: yaml.Node, path: str, lines: Lines) -> Any:
    """What a node holds, as JSON would; notes the line of everything under its path."""
    lines[path] = line_of(node)
    if isinstance(node, yaml.SequenceNode):
        return [value_of(one, f"{path}[{index}]", lines) for index, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: str, lines: Lines) -> dict[str, Any]:
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == f"{TAG}merge":
            for source in reversed(value.value if isinstance(value, yaml.SequenceNode) else [value]):
                if not isinstance(source, yaml.MappingNode):
                    raise UnreadableError("<< takes a map or a list of maps", line_of(key))
                merged |= _mapping(source, path, lines)
            continue
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        line = line_of(key)
        if name is None or key.tag == f"{TAG}null":
            raise UnreadableError("the name of a field is not text", line)
        if name in own:
            raise UnreadableError(f"{name} is written twice", line)
        where = f"{path}.{name}" if path else name
        own[name] = value_of(value, where, lines)
        lines[where] = line
    return merged | own


def _scalar(node: yaml.Node) -> Any:
    text, tag = str(node.value), str(node.tag)
    read = SCALARS.get(tag.removeprefix(TAG))
    if read is None:
        raise UnreadableError(f"the tag {tag[:40]!r} is not taken", line_of(node))
    try:
        return read(text)
    except ValueError:
        raise UnreadableError(f"{text[:40]!r} is not a number", line_of(node)) from None


def _integer(text: str) -> int:
    """A whole number; ``010`` is eight, as in YAML 1.1."""
    digits = text.replace("_", "")
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(text)
    bare = digits.lstrip("+-")
    base = 8 if len(bare) > 1 and bare[0] == "0" and bare.isdecimal() else 0
    return int(digits, base)


def _fraction(text: str) -> float:
    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))


SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    "null": lambda _text: None,
    "bool": lambda text: text.lower() in {"yes", "true", "on"},
    "int": _integer,
    "float": _fraction,
    "str": str,
    "merge": str,
    "timestamp": str,
}
