# SPDX-License-Identifier: Apache-2.0
"""The operator as people run it: a process of its own, on a real API server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol, Self

PROGRAM = Path(sys.executable).with_name("eservice-operator")
SETTINGS = {
    "resync": "10m",
    "settle": "0.3s",
    "drain-delay": "0.5s",
    "metrics-address": "127.0.0.1:0",
    "leader-elect": "off",
}
"""Where tests differ from the defaults: nothing waits longer than it has to.

Who starts after one that was killed would wait for its lease to run out. The election is tested in
tests/faults/test_leaders.py, and the tests of rights live with it.
"""
BOUND = re.compile(r"answering probes and scrapes on 127\.0\.0\.1:(\d+)")
START = 90.0
"""Seconds until it has to be ready, on a machine that is busy with other things."""
STOP = 40.0
SOON = 20.0
"""Seconds: longer than any pause that the operator makes between two steps of the same work."""
REST = 90.0
SCRAPE = 30.0
"""Seconds for the metrics of hundreds of e-services, on a machine that is busy with other things."""


class Running(Protocol):
    """As much of ``subprocess.Popen`` as is used of it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


Launcher = Callable[[Sequence[str], Path, Mapping[str, str]], Running]
"""Starts a command that writes to a file, in an environment."""


def executed(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Running:
    """As a person starts it."""
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, env=environment)


LAUNCHED: list[Callable[[OperatorProcess], None]] = []
"""Who wants to know of each operator, just before it is started."""


@dataclass
class OperatorProcess:
    """One run of ``eservice-operator run``; its log is a JSON object per line in ``log``.

    Who starts it often has it forked: ``launcher=zygote.launch``.
    """

    kubeconfig: Path
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (str(PROGRAM),)
    launcher: Launcher = executed
    _process: Running | None = None
    _begins: int = 0

    def launch(self) -> Self:
        """Start it, and do not wait."""
        for told in LAUNCHED:
            told(self)
        self._begins = self.log.stat().st_size if self.log.exists() else 0
        flags = [f"--{name}={value}" for name, value in (SETTINGS | self.settings).items()]
        command = [*self.program, "run", f"--kubeconfig={self.kubeconfig}", *flags]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ESERVICE_")}
        self._process = self.launcher(command, self.log, inherited)
        return self

    async def start(self) -> Self:
        """Start it and wait until it is ready."""
        self.launch()
        return await self.until_ready()

    async def until_ready(self) -> Self:
        """Wait until /readyz says yes; fails with the end of its log."""
        deadline = time.monotonic() + START
        while not self.ready:
            assert self.running, f"it ended with {self.process.returncode}: {self.tail()}"
            assert time.monotonic() < deadline, f"it was not ready in {START} s: {self.tail()}"
            await asyncio.sleep(0.02)
        return self

    @property
    def process(self) -> Running:
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether /readyz says so."""
        return self.running and self._get("/readyz") is not None

    @property
    def address(self) -> str | None:
        """Where it answers; known once it has said so in its log."""
        with self.log.open("rb") as log:
            log.seek(self._begins)
            lines = (
                log.read(4096).decode(errors="replace").rpartition("\n")[0]
            )  # the last may be half written
        bound = BOUND.search(lines)
        return f"http://127.0.0.1:{bound[1]}" if bound else None

    def metrics(self) -> dict[str, float]:
        """Every series with its value."""
        text = self.scraped()
        assert text, "no metrics"
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def scraped(self) -> str:
        """What Prometheus gets; empty when it does not answer."""
        return self._get("/metrics", within=SCRAPE) or ""

    async def at_rest(self, within: float = REST, soon: float = SOON) -> None:
        """Wait until it has nothing to do, and plans nothing for the next ``soon`` s but regular looks.

        That nothing was written for a while does not say so: it counts the e-services of a template every
        other second only, and holds a status back that says no more than that work goes on.
        """
        deadline, ended = time.monotonic() + within, -1.0
        while True:
            before, (busy, soonest, ended) = ended, self._occupation()
            if not busy and soonest > soon and ended == before:
                return
            assert time.monotonic() < deadline, (
                f"not at rest in {within} s: {busy:.0f} keys wait or run, the next is due in {soonest:.1f} s"
            )
            await asyncio.sleep(0.15)
            self.probed("/livez", within=SCRAPE)  # by its event loop, which scrapes do without: it has turned

    def _occupation(self) -> tuple[float, float, float]:
        """Keys and letters that wait or are under way, seconds until the next is due, reconciles so far.

        They are not read at one instant: a key that moves on meanwhile is missed, but its reconcile counts.
        """
        metrics = self.metrics()
        ended = sum(
            value
            for series, value in metrics.items()
            if series.startswith("eservice_operator_reconciles_total{")
        )
        busy = sum(
            metrics[f"eservice_operator_{figure}"]
            for figure in ("queue_depth", "queue_running", "notices_in_flight")
        )
        return busy, metrics["eservice_operator_queue_next_seconds"], ended

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait(STOP)

    def end(self) -> None:
        """Make sure that it does not outlive the test."""
        if self.running:
            self.kill()

    def records(self) -> list[dict[str, Any]]:
        """Its log so far, while it runs by whole lines; what is no JSON object is a record's message."""
        running = self.running
        lines, end, last = self.log.read_text(errors="replace").rpartition("\n")
        return [record_of(line) for line in (lines if running else lines + end + last).splitlines()]

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def probed(self, path: str, within: float = 5.0) -> tuple[int, str]:
        """Status and text of what it answers; 0 where it does not, or dies meanwhile."""
        address = self.address  # once: another thread may start the next one
        if address is None:
            return 0, ""
        try:
            with closing(HTTPConnection(address.removeprefix("http://"), timeout=within)) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
        except (HTTPException, OSError) as error:
            return 0, str(error)

    def _get(self, path: str, within: float = 5.0) -> str | None:
        code, text = self.probed(path, within)
        return text if code == HTTPStatus.OK else None


def record_of(line: str) -> dict[str, Any]:
    """A line of its log; what is no JSON object is a record with the line as its message."""
    try:
        record = json.loads(line)
    except ValueError:
        return {"level": "raw", "msg": line}
    return record if isinstance(record, dict) else {"level": "raw", "msg": line}


def assert_log_clean(records: list[dict[str, Any]]) -> None:
    """No traceback, no error, and nothing written past the logs (an interpreter's own complaint)."""
    bad = [
        record
        for record in records
        if "exception" in record
        or record["level"] in {"error", "critical", "raw"}
        or "Traceback" in record["msg"]
    ]
    assert not bad, json.dumps(bad[:3], indent=1)


def traces(operator: OperatorProcess) -> list[str]:
    """The tracebacks in its log."""
    return [record["exception"] for record in operator.records() if "exception" in record]
