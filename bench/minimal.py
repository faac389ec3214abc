# SPDX-License-Identifier: Apache-2.0
"""The other operator: a minimal one in Go, with the same children for the same e-services.

Its source is in `bench/baseline`; ``python -m bench.minimal`` builds it and prints the folder with it. What
it leaves out is said at the top of its main.go, and in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.processes import comes_true, scrape, total

sys.path.append(str(Path(__file__).parents[1] / "tools" / "gobuild"))

from gobuild import GoTool, build, main

FOLDER = Path(__file__).parent / "baseline"
TOOL = GoTool(name="baseline", folder=FOLDER, packages=(".",))
START = 90.0
STOP = 40.0


@dataclass
class MinimalOperator:
    """One run of it, under these credentials; its log goes to a file."""

    kubeconfig: Path
    log: Path
    _process: subprocess.Popen[bytes] | None = None
    _address: str = ""

    async def start(self) -> None:
        """Start it, and wait until it answers scrapes; it is built first where it is missing."""
        folder = await asyncio.to_thread(built)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            listens = f"127.0.0.1:{free.getsockname()[1]}"
        self._address = f"http://{listens}"
        flags = [f"--kubeconfig={self.kubeconfig}", f"--metrics-address={listens}"]
        self._launch([str(folder / "bin" / TOOL.name), *flags])
        await comes_true(lambda: scrape(self._address) is not None, self.tail, START)

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
        metrics = scrape(self._address) or {}
        if total(metrics, "workqueue_depth{"):
            return -1.0
        return total(metrics, "controller_runtime_reconcile_total{")

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


def built() -> Path:
    """The folder with the program; it is built where it is missing.

    Raises:
        GoMissing: there is no Go that is new enough.
        BuildError: the build failed.
    """
    return build(TOOL, _say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(TOOL))
