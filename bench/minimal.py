# SPDX-License-Identifier: Apache-2.0
"""The other operator: a minimal one in Go, with the same children for the same e-services.

Its source is in `bench/baseline`; ``python -m bench.minimal`` builds it and prints the folder with it. What
it leaves out is said at the top of its main.go, and in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.processes import comes_true

sys.path.append(str(Path(__file__).parents[1] / "tools" / "gobuild"))

from gobuild import GoTool, build, main

FOLDER = Path(__file__).parent / "baseline"
TOOL = GoTool(name="baseline", folder=FOLDER, packages=(".",))
SERIES = re.compile(
    r"^(?P<name>controller_runtime_reconcile_total|workqueue_depth)\{.*\} (?P<value>\S+)$", re.MULTILINE
)
START = 90.0
STOP = 40.0


@dataclass
class MinimalOperator:
    """One run of it, under these credentials; its log goes to a file."""

    kubeconfig: Path
    log: Path
    _process: subprocess.Popen[bytes] | None = None
    _port: int = 0

    async def start(self) -> None:
        """Start it, and wait until it answers scrapes; it is built first where it is missing."""
        folder = await asyncio.to_thread(build, TOOL, _say)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        flags = [f"--kubeconfig={self.kubeconfig}", f"--metrics-address=127.0.0.1:{self._port}"]
        self._launch([str(folder / "bin" / TOOL.name), *flags])
        await comes_true(lambda: self._scrape() is not None, self.tail, START)

    def _launch(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - just built

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running.pid

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("it was not started")
        return self._process

    def looks(self) -> float:
        """How many reconciles have ended; negative while keys wait for one."""
        found: dict[str, float] = {"controller_runtime_reconcile_total": 0.0, "workqueue_depth": 0.0}
        for line in SERIES.finditer(self._scrape() or ""):
            found[line["name"]] += float(line["value"])
        return -1.0 if found["workqueue_depth"] else found["controller_runtime_reconcile_total"]

    async def terminate(self) -> None:
        """SIGTERM, and wait."""
        self._running.terminate()
        await asyncio.to_thread(self._running.wait, STOP)

    def end(self) -> None:
        """Make sure that it does not outlive the run."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _scrape(self) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            return None


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(TOOL))
