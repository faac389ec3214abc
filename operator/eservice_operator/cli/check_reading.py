# SPDX-License-Identifier: Apache-2.0
"""Documents of files, with the line of every field; nothing in a file can make reading it dear.

YAML is read as kubectl reads it: days stay text, ``12:30`` is no number, keys come once. JSON is read as the
YAML that it is. A file, the documents in it, how deep they go and what aliases unfold to are all limited.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import yaml

from eservice_operator.cli.check_values import Lines, Loader, UnreadableError, line_of, value_of

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_NODES: Final = 200_000
"""Of one file, each alias counted with all that it stands for."""
DEEPEST: Final = 64
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
STDIN: Final = Path("-")
ITEM: Final = re.compile(r"items\[(\d+)\]\.")
"""How the path of a field begins that is in an item of a List."""


@dataclass(frozen=True)
class Document:
    """One object of a file."""

    file: Path
    line: int
    body: dict[str, Any]
    lines: Lines = field(repr=False)

    def line_of(self, path: str) -> int:
        """The line of a field, or of the nearest one above it that is there."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.line


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files under these paths, each once: a file as it is named, of a folder what can hold manifests.

    Folders that begin with a dot are passed over, and so are links to other folders. What is no regular file
    is among them, and is refused when it is read.

    Raises:
        ClickException: a path is not there.
    """
    return list(dict.fromkeys(_files_of(paths)))


def _files_of(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path == STDIN or (os.path.lexists(path) and not path.is_dir()):
            yield path
        elif path.is_dir():
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in SUFFIXES)
        else:
            raise click.ClickException(f"{path}: no such file or folder")


def documents_of(path: Path) -> list[Document]:
    """Every object of a file; the items of a List one by one.

    Raises:
        UnreadableError: what is wrong with the file, and in which line.
    """
    text = _text(path)
    try:
        _limit(text)
        nodes = list(yaml.compose_all(text, Loader=Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise UnreadableError(f"not YAML: {said}", 0 if mark is None else mark.line + 1) from None
    except yaml.YAMLError as error:
        raise UnreadableError(f"not YAML: {error}") from None
    sizes: dict[int, int] = {}
    if sum(_size(node, sizes) for node in nodes) > MOST_NODES:
        raise UnreadableError(f"its aliases stand for more than {MOST_NODES} values: write it with fewer")
    return [document for node in nodes for document in _objects(path, node)]


def _text(path: Path) -> str:
    """The text of a file of bounded size."""
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1) if path == STDIN else _bytes(path)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise UnreadableError(f"larger than {MOST_BYTES // 1024} KiB: split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8", data.count(b"\n", 0, error.start) + 1) from None


def _bytes(path: Path) -> bytes:
    """What a regular file holds, up to a little more than may be; a pipe or a device would be waited on."""
    if path.is_symlink() and not path.exists():
        raise UnreadableError("not a regular file: a link that leads nowhere")
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableError("not a regular file: what comes out of a pipe is read with -f -")
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # it may have been replaced since
    with open(opened, "rb") as file:  # noqa: PTH123 - it is open already
        return file.read(MOST_BYTES + 1)


def _limit(text: str) -> None:
    """Look at the text event by event, which takes no memory, before anything is made of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=Loader)):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise UnreadableError(f"goes deeper than {DEEPEST} levels", line_of(event))
        if count > MOST_NODES:
            raise UnreadableError(f"more than {MOST_NODES} values: split it", line_of(event))


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes it stands for once every alias is written out; a node inside itself has no end."""
    if id(node) not in sizes:
        sizes[id(node)] = MOST_NODES + 1  # while it is being counted: met again, it holds itself
        inner = _inner(node)
        sizes[id(node)] = 1 + sum(_size(one, sizes) for one in inner)
    return sizes[id(node)]


def _inner(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _objects(path: Path, node: yaml.Node) -> Iterator[Document]:
    lines: Lines = {}
    body = value_of(node, "", lines)
    line = line_of(node)
    if body is None:
        return
    if not isinstance(body, dict):
        body = {}  # such as a JSON patch: none of ours
    if body.get("kind") == "List" and isinstance(body.get("items"), list):
        for index, own in enumerate(_lines_of_items(lines, len(body["items"]))):
            if isinstance(body["items"][index], dict):
                yield Document(path, lines[f"items[{index}]"], body["items"][index], own)
    else:
        yield Document(path, line, body, lines)


def _lines_of_items(lines: Lines, count: int) -> list[Lines]:
    """The lines of each item of a List, by paths within the item; each line is looked at once."""
    found: list[Lines] = [{} for _ in range(count)]
    for where, at in lines.items():
        match = ITEM.match(where)
        if match is not None:
            found[int(match[1])][where[match.end() :]] = at
    return found
