# SPDX-License-Identifier: Apache-2.0
"""The builder of Go programs, on a module of one line, with the real Go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools" / "gobuild"))

from gobuild import BuildError, GoMissing, GoTool, build, cached

GREETING = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n'


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoTool:
    """A program that greets, and a cache that holds nothing; what Go has compiled before is not at issue."""
    compiled = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    monkeypatch.setenv("GOCACHE", compiled.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.test/greeting\n\ngo 1.26.0\n")
    (folder / "go.sum").touch()
    (folder / "main.go").write_text(GREETING)
    return GoTool("greeting", folder, (".",), links=(("hello", "greeting"),))


def said(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def quiet(_: str) -> None:
    """Nobody watches."""


def test_it_builds_once_and_without_go_after_that(tool: GoTool, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    assert cached(tool) is None
    folder = build(tool, heard.append)
    assert [said(folder / "bin" / name) for name in ("greeting", "hello")] == ["hello\n"] * 2
    assert "building greeting" in heard[0]
    assert heard[-1].startswith("built in")
    monkeypatch.setenv("PATH", "")
    heard.clear()
    assert build(tool, heard.append) == cached(tool) == folder
    assert heard == []


def test_a_changed_source_is_built_anew_beside_the_old_one(tool: GoTool) -> None:
    old = build(tool, quiet)
    (tool.folder / "main.go").write_text(GREETING.replace("hello", "hello again"))
    new = build(tool, quiet)
    assert said(new / "bin" / "greeting") == "hello again\n"
    assert said(old / "bin" / "greeting") == "hello\n"


def test_other_settings_are_another_build(tool: GoTool) -> None:
    other = GoTool(tool.name, tool.folder, tool.packages)
    assert other.cache != tool.cache


def test_a_failed_build_says_why_and_leaves_nothing_that_counts(tool: GoTool) -> None:
    (tool.folder / "main.go").write_text(GREETING.replace("Println", "Printline"))
    with pytest.raises(BuildError, match=r"undefined: fmt\.Printline"):
        build(tool, quiet)
    assert cached(tool) is None
    (tool.folder / "main.go").write_text(GREETING)
    assert said(build(tool, quiet) / "bin" / "greeting") == "hello\n"
    assert list(tool.cache.parent.glob("building-*")) == []


def test_without_go_it_says_what_is_needed(tool: GoTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GoMissing, match=r"^Go 1\.26 or newer is needed to build greeting"):
        build(tool, quiet)


def test_an_older_go_is_told_from_a_new_one(
    tool: GoTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.25.3\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GoMissing, match=r"is go1\.25\.3"):
        build(tool, quiet)
