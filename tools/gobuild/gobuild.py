# SPDX-License-Identifier: Apache-2.0
"""Builds the programs that development and tests need from pinned Go modules, into the user's cache.

Each tool is a folder with a go.mod and go.sum of its own, since their dependencies exclude each other, and a
`GoTool` that says what is built from it. The cache folder is named by the digest of both, so that a change of
either builds anew. Go's own version is no part of it: who has the programs does not need Go any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gocommand import BuildError, GoMissing, environment, go_command

__all__ = ["BuildError", "GoMissing", "GoTool", "Say", "Shared", "build", "cache_root", "cached", "main"]

Say = Callable[[str], None]

_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
_PROGRESS_SECONDS = 15.0
# A line of `go build -v` that names the package being compiled.
_PACKAGE = re.compile(r"[^\s:]+")


@dataclass(frozen=True)
class Shared:
    """Files of a module that are kept beside the programs: a pattern in it, and a folder under `share/`."""

    module: str
    pattern: str
    folder: str


@dataclass(frozen=True)
class GoTool:
    """What is built from one go.mod.

    `packages` are those of `go build`: `.`, a package within the folder or a full import path; the program
    has its last word as name. `stamps` sets string variables to the version of a module: variable, module.
    `links` are other names for a program: name, program.
    """

    name: str
    folder: Path
    packages: tuple[str, ...]
    shared: tuple[Shared, ...] = ()
    stamps: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def cache(self) -> Path:
        """Where its programs are for this very source, or will be: `bin/` and `share/`."""
        digest = hashlib.sha256()
        for source in sorted([self.folder / "go.mod", self.folder / "go.sum", *self.folder.rglob("*.go")]):
            text = source.read_bytes()
            digest.update(f"{source.relative_to(self.folder)} {len(text)}\n".encode() + text)
        settings = (self.packages, self.shared, self.stamps, self.links, _FLAGS)
        digest.update(repr((settings, platform.system(), platform.machine())).encode())
        return cache_root() / self.name / digest.hexdigest()[:16]

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that more is asked of than to be compiled: a version, or files."""
        asked = [module for _, module in self.stamps] + [shared.module for shared in self.shared]
        return tuple(dict.fromkeys(asked))


def cache_root() -> Path:
    """The project's folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "eservice-operator"


def cached(tool: GoTool) -> Path | None:
    """The cache folder if it is complete; it is moved into place whole, so being there is being complete."""
    folder = tool.cache
    return folder if folder.is_dir() else None


def build(tool: GoTool, say: Say) -> Path:
    """Build the tool unless it is there, and give back its cache folder.

    Raises:
        GoMissing: there is no Go that is new enough.
        BuildError: the build failed.
    """
    if (folder := cached(tool)) is not None:
        return folder
    go = go_command(tool.name, tool.folder / "go.mod")
    folder = tool.cache
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.parent, say):
        if cached(tool) is None:
            for leftover in folder.parent.glob("building-*"):
                shutil.rmtree(leftover)
            draft = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
            draft.chmod(0o755)
            _Build(tool, go, draft, say).run()
            draft.rename(folder)
    return folder


def main(tool: GoTool) -> int:
    """The command of a tool's folder: build it, and print the folder with its programs."""
    try:
        folder = build(tool, lambda text: print(text, file=sys.stderr, flush=True))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(folder / "bin")
    return 0


@dataclass(frozen=True)
class _Build:
    """One build into a folder that nobody else sees."""

    tool: GoTool
    go: str
    draft: Path
    say: Say

    def run(self) -> None:
        started = time.monotonic()
        self.say(f"building {self.tool.name} from Go modules: minutes, once for each version of them.")
        self.say("It can be interrupted; the next build goes on where this one was")
        packages, target = self.tool.packages, self.draft / "bin"
        modules = self._modules()
        stale = ["list", *_FLAGS, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *packages]
        total = len(self._ask(stale, _downloaded).split())
        stamps = [f"-X {variable}={modules[module][0]}" for variable, module in self.tool.stamps]
        linking = ["-ldflags", " ".join(["-s -w", *stamps])]
        target.mkdir()
        compile_all = ["build", "-v", *_FLAGS, *linking, "-o", f"{target}/", *packages]
        self._ask(compile_all, lambda lines: f"{_compiled(lines)} of {total} packages compiled")
        for name, program in self.tool.links:
            (target / name).symlink_to(program)
        for shared in self.tool.shared:
            found = Path(modules[shared.module][1]).glob(shared.pattern)
            _copy(found, self.draft / "share" / shared.folder)
        for log in (self.draft / "stdout", self.draft / "stderr"):
            log.unlink()
        self.say(f"built in {time.monotonic() - started:.0f} s")

    def _modules(self) -> dict[str, tuple[str, str]]:
        """Version and folder of each module of interest, from the JSON that `go mod download` prints."""
        if not self.tool.modules:
            return {}  # without names it would fetch every module, the unused ones too
        text = self._ask(["mod", "download", "-json", *self.tool.modules], _downloaded)
        decoder = json.JSONDecoder()
        found: dict[str, tuple[str, str]] = {}
        while text := text.lstrip():
            module, end = decoder.raw_decode(text)
            text = text[end:]
            found[module["Path"]] = (module["Version"], module["Dir"])
        return found

    def _ask(self, arguments: list[str], progress: Callable[[list[str]], str]) -> str:
        """Run a go command, saying every few seconds how far its stderr shows it to be; its output."""
        started = time.monotonic()
        out, err = self.draft / "stdout", self.draft / "stderr"
        with out.open("w+") as stdout, err.open("w+") as stderr:
            command = subprocess.Popen(
                [self.go, *arguments],
                cwd=self.tool.folder,
                env=environment(),
                stdout=stdout,
                stderr=stderr,
            )
            try:
                while True:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        status = command.wait(_PROGRESS_SECONDS)
                        break
                    lines = err.read_text().splitlines()
                    self.say(f"{time.monotonic() - started:5.0f} s  {progress(lines)}")
            except BaseException:
                command.terminate()
                command.wait()
                raise
        if status != 0:
            complaints = [line for line in err.read_text().splitlines() if not _PACKAGE.fullmatch(line)]
            problem = "\n".join(complaints)[-4000:]
            raise BuildError(f"{self.tool.name}: go {arguments[0]} failed with status {status}:\n{problem}")
        return out.read_text()


def _copy(sources: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if source.name != "kustomization.yaml":
            shutil.copyfile(source, folder / source.name)


def _downloaded(lines: list[str]) -> str:
    return f"{sum(1 for line in lines if line.startswith('go: downloading'))} modules downloaded"


def _compiled(lines: list[str]) -> int:
    return sum(1 for line in lines if _PACKAGE.fullmatch(line))


@contextlib.contextmanager
def _lock(folder: Path, say: Say) -> Iterator[None]:
    """Two builds at once would only halve each other's speed: the second waits for the first."""
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is under way; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
