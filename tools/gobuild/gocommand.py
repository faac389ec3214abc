# SPDX-License-Identifier: Apache-2.0
"""Which Go compiles: the one on the PATH, if it is new enough for a go.mod."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path


class BuildError(Exception):
    """A tool could not be built; the message says why, in Go's own words where it has some."""


class GoMissing(BuildError):
    """There is no Go, or none that is new enough."""


def go_command(name: str, module: Path) -> str:
    """The go command, new enough for the go.mod ``module`` of the tool ``name``.

    Raises:
        GoMissing: there is none.
    """
    needed = _version(re.search(r"^go (\d+)\.(\d+)", module.read_text(), re.MULTILINE))
    wanted = f"Go {needed[0]}.{needed[1]} or newer is needed to build {name}"
    go = shutil.which("go")
    if go is None:
        raise GoMissing(f"{wanted}, and there is no go command.")
    asked = [go, "env", "GOVERSION"]
    # Outside of the module: within it, a go that is too old says so instead of answering.
    told = subprocess.run(asked, cwd="/", env=environment(), capture_output=True, text=True, check=False)
    if _version(re.match(r"go(\d+)\.(\d+)", told.stdout)) < needed:
        raise GoMissing(f"{wanted}, and {go} is {told.stdout.strip() or 'broken'}.")
    return go


def environment() -> dict[str, str]:
    """In which Go runs; without cgo no C compiler is needed, and the programs run on any Linux."""
    return {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def _version(found: re.Match[str] | None) -> tuple[int, int]:
    return (int(found[1]), int(found[2])) if found else (0, 0)
