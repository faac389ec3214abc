# SPDX-License-Identifier: Apache-2.0
"""Finds promtool, Prometheus' own judge of rules and figures, or gets it; prints where it is.

In turn: the one on PATH; the one in the user's cache; Debian's package, unpacked and not installed; a build
of the Go module that go.mod pins, checked against go.sum. Needs no root. Each way can be asked for alone:
``promtool.py [--from path|cache|debian|go]``.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "gobuild"))

import gobuild

HERE = Path(__file__).resolve().parent
TOOL = gobuild.GoTool("promtool", HERE, ("github.com/prometheus/prometheus/cmd/promtool",))
OLDEST = (2, 42)
"""The version of Debian 12; what an older one makes of our rules nobody knows."""
ADVICE = """\
promtool could not be had. One of these helps, then run this again:
  - a promtool of version 2.42 or newer on PATH (it is part of every Prometheus release);
  - on Debian or Ubuntu: apt-get install prometheus, or only a network that reaches the package archive;
  - Go {go} or newer on PATH, and a network that reaches the Go module proxy."""


class Missing(Exception):
    """One of the ways did not lead there; the message says why."""


def main() -> int:
    """Print the path; 1 when there is no promtool, with what to do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--from", dest="ways", action="append", choices=WAYS, help="only this way; repeatable"
    )
    try:
        print(find(parser.parse_args().ways or list(WAYS)))
    except Missing as error:
        say(str(error))
        return 1
    return 0


def find(ways: Sequence[str]) -> Path:
    """The first promtool that one of the ways leads to."""
    reasons = []
    for way in ways:
        try:
            return WAYS[way]()
        except (Missing, OSError) as error:
            reasons.append(f"  {way}: {error}")
    needed = re.search(r"^go (\d+\.\d+)", (HERE / "go.mod").read_text(), re.MULTILINE)
    raise Missing("\n".join([ADVICE.format(go=needed[1] if needed else ""), "Tried:", *reasons]))


def on_path() -> Path:
    """The one that somebody installed."""
    found = shutil.which("promtool")
    if found is None:
        raise Missing("there is none")
    return working(Path(found))


def in_cache() -> Path:
    """The one that was got before, by a build or from Debian."""
    built = gobuild.cached(TOOL)
    return working(built / "bin" / "promtool" if built else cache_folder() / "promtool")


def from_debian() -> Path:
    """Debian's package, by apt and into the cache; with lists of its own where the system has none."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Missing(f"there is no {program}")

    def into(folder: Path) -> Path:
        lists = cache_folder() / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        apt = ["apt-get", "--quiet=2", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=60"]
        if os.geteuid() == 0:
            apt += ["-o", "APT::Sandbox::User=root"]  # else it complains that _apt may not write here
        own = [*apt, "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={lists}"]
        try:
            run([*apt, "download", "prometheus"], folder)
        except Missing:
            say("the system's package lists do not lead to it; getting lists of our own")
            run([*own, "update"], folder)
            run([*own, "download", "prometheus"], folder)
        finally:
            shutil.rmtree(lists)
        (package,) = folder.glob("prometheus_*.deb")
        run(["dpkg-deb", "--extract", package.name, "unpacked"], folder)
        return folder / "unpacked" / "usr" / "bin" / "promtool"

    return kept(into)


def from_go() -> Path:
    """A build of the pinned module. Go keeps what it has fetched and compiled, so a cut-off one goes on."""
    try:
        return working(gobuild.build(TOOL, say) / "bin" / "promtool")
    except gobuild.BuildError as error:
        raise Missing(str(error)) from None


WAYS: dict[str, Callable[[], Path]] = {
    "path": on_path,
    "cache": in_cache,
    "debian": from_debian,
    "go": from_go,
}


def kept(get: Callable[[Path], Path]) -> Path:
    """What ``get`` leaves in an empty folder, moved into the cache in one step."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with lock(cache):
        for leftover in cache.glob("getting-*"):
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(prefix="getting-", dir=cache) as folder:
            working(get(Path(folder))).replace(cache / "promtool")
    say(f"promtool is in the cache after {time.monotonic() - began:.0f} s")
    return cache / "promtool"


def working(program: Path) -> Path:
    """The program, if it runs and is new enough."""
    if not os.access(program, os.X_OK):
        raise Missing(f"{program} is not there")
    told = run([str(program), "--version"], HERE)
    version = re.search(r"version (\d+)\.(\d+)", told)
    if version is not None and (int(version[1]), int(version[2])) < OLDEST:
        raise Missing(f"{program} is {version[0]}, which is too old")
    return program


def run(command: Sequence[str], folder: Path) -> str:
    """What a command prints; Missing with its last words when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Missing(f"{' '.join(command[:2])} failed with {done.returncode}: {' / '.join(words)}")
    return done.stdout + done.stderr


def cache_folder() -> Path:
    """For what is got from elsewhere; its own for each pinned version, as the build's is."""
    return TOOL.cache.with_name(f"debian-{TOOL.cache.name}")


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """One at a time: the second one waits, and then does it again, which is rare and harmless."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """For the person at the terminal; the answer alone goes to standard output."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
