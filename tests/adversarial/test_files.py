# SPDX-License-Identifier: Apache-2.0
"""Files that were made to harm whoever reads them, given to every command that reads files.

Each run is a process of its own, with bounded memory and processor time: it ends by itself, with a sentence
and an exit code, and not by those bounds.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eservice_operator.cli.editions import MOST_SAID
from tests.support.figures import Figures

MEMORY = 1024 * 1024 * 1024
"""Bytes of addresses; the interpreter and what it has loaded take about a third."""
SECONDS = 40
"""Of processor time; a few are needed on a busy machine."""
COMMANDS = {
    "check": ("check", "-f"),
    "check github": ("check", "-o", "github", "-f"),
    "check json": ("check", "-o", "json", "-f"),
}
"""That take a folder, and say of every file in it what is wrong."""
ONE_BY_ONE = ("laughs", "deep", "sparse", "device", "binary", "python")
"""What replay and forecast are given too, which end with the first file that cannot be read."""
HARMLESS = {"nothing", "sexagesimal", "python", "block", "folder"}
"""What is no object of ours, and says nothing."""
LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
OURS = "apiVersion: eservice.dev/v1alpha1\nkind: EService\nmetadata: {name: a, namespace: b}\nspec:\n"
TEXTS = {
    "laughs": LAUGHS,
    "laughs within": OURS + "".join(f"  {line}\n" for line in LAUGHS.splitlines()),
    "itself": "&a {apiVersion: eservice.dev/v1alpha1, kind: EService, spec: *a}\n",
    "merges": "m0: &m0 {x: 1}\n"
    + "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 60)),
    "deep": "[" * 200_000,
    "deep json": '{"a":' * 100_000,
    "wide": "a:\n" + "- 1\n" * 400_000,
    "documents": "---\n" * 500_000,
    "long line": "a: " + "x" * 5_000_000,
    "a key of a megabyte": "x" * 1_000_000 + ": 1\n",
    "numbers": "a: " + "9" * 200_000 + "\n",
    "sexagesimal": "a: " + ":".join(["59"] * 100_000) + "\n",
    "twice": "a: 1\n" * 2,
    "python": "!!python/object/apply:os.system ['echo owned']\n",
    "python within": OURS + "  template: !!python/name:os.system\n",
    "tags": "%TAG ! tag:evil.example,2002:\n---\n!a b\n",
    "directive": "%YAML 9.9\n---\na: 1\n",
    "escapes": OURS + '  registration: "\\e[2J\\e]0;owned\\a"\n  "\\e[31mred": 1\n',
    "turned": OURS + '  registration: "\u202eexe.gpj"\n',
    "workflow commands": OURS + '  "a\\n::error::forged\\n::set-output name=x::y": 1\n',
    "anchors": "".join(f"- &a{n} {n}\n" for n in range(150_000)),
    "comments": "#" * 10_000_000,
    "spaces": " " * 10_000_000,
    "no end": "a: 'b\n" * 200_000,
    "block": "a: |\n" + "  x\n" * 500_000,
}
BYTES = {
    "binary": bytes(range(256)) * 4096,
    "zeros": bytes(4_000_000),
    "utf-16": OURS.encode("utf-16"),
    "latin": "a: ž\n".encode("iso8859-13"),
    "half a character": b"a: \xe2\x82",
    "surrogate": b"a: \xed\xa0\x80\n",
    "marked": b"\xef\xbb\xbf" + b"a: [",
    "nothing": b"",
}


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inner.yaml").symlink_to(path)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(64 * 1024**3)


PLACES: dict[str, Callable[[Path], None]] = {
    "pipe": _pipe,
    "folder": _folder,
    "loop": _loop,
    "device": _device,
    "sparse": _sparse,
}
FILES = (*TEXTS, *BYTES, *PLACES)


def put(folder: Path, name: str) -> Path:
    """The file of that name, as somebody has made it."""
    path = folder / f"{name.replace(' ', '-')}.yaml"
    if name in TEXTS:
        path.write_text(TEXTS[name])
    elif name in BYTES:
        path.write_bytes(BYTES[name])
    else:
        PLACES[name](path)
    return path


def bounded() -> None:
    """Before the program: what it may take."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def run(arguments: tuple[str, ...], path: Path) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    command = (sys.executable, "-m", "eservice_operator.cli", *arguments, str(path))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=bounded,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(errors="strict")


def assert_harmless(printed: str) -> None:
    """Nothing that a terminal, or a build that reads the log, would obey; no code was run, nothing broke."""
    obeyed = {shown for shown in printed if not (shown.isprintable() or shown == "\n")}
    assert not obeyed, obeyed
    assert "Traceback" not in printed, printed[-2000:]
    assert "MemoryError" not in printed
    lines = printed.splitlines()
    assert "owned" not in lines
    assert not [line for line in lines if line.startswith(("::set-output", "::error::forged"))]


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_folder_of_them_is_judged_file_by_file(
    tmp_path: Path, command: str, figures: Figures
) -> None:
    files = {put(tmp_path, name).name: name for name in FILES}
    code, printed = await run(COMMANDS[command], tmp_path)
    assert code == 1, printed[-2000:]
    assert_harmless(printed)
    unsaid = {name for file, name in files.items() if file not in printed}
    assert unsaid == HARMLESS
    figures.add(f"files that harm, given to {command}", f"{len(files)}, each judged")


async def test_a_forecast_of_a_folder_of_them_says_what_is_wrong_with_the_first(tmp_path: Path) -> None:
    """It looks into the files before it looks for a cluster."""
    for name in FILES:
        put(tmp_path, name)
    code, printed = await run(("forecast", "-f"), tmp_path)
    assert code == 1, printed[-2000:]
    assert_harmless(printed)
    assert len([line for line in printed.splitlines() if str(tmp_path) in line]) == MOST_SAID, printed


@pytest.mark.parametrize("command", ["replay", "forecast"])
@pytest.mark.parametrize("name", ONE_BY_ONE)
async def test_one_of_them_ends_with_a_sentence(tmp_path: Path, name: str, command: str) -> None:
    code, printed = await run((command, "-f"), put(tmp_path, name))
    assert code == 1
    assert_harmless(printed)
    assert printed.startswith("Error: "), printed
    assert len(printed.splitlines()) == 1
