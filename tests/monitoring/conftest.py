# SPDX-License-Identifier: Apache-2.0
"""promtool, which judges; got by the tool when it is not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Promtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Runs promtool with arguments and, perhaps, an input; the caller looks at how it ended."""
    tool = [sys.executable, str(ROOT / "tools" / "promtool" / "promtool.py")]
    found = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr

    def run(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [found.stdout.strip(), *map(str, arguments)]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)

    return run
