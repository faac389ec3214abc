# SPDX-License-Identifier: Apache-2.0
"""The operator as a process, with everything that it says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
RECORDING = "tests.runtime.recording"
LATE = "the event loop was "
"""The beginning of what its watchdog says then."""
STARTED = 60.0
"""Seconds until it has said or asked something, or has ended, on a machine that is busy with other things."""


class OperatorProcess:
    """``records`` are the steps that the recorder told, ``logs`` the lines of the log, both parsed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.records: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.records)),
            asyncio.create_task(self._read(process.stderr, self.logs)),
        ]

    @staticmethod
    async def _read(stream: asyncio.StreamReader | None, into: list[dict[str, Any]]) -> None:
        assert stream is not None
        while line := await stream.readline():
            into.append(_record(line))

    def runs(self, name: str, step: str = "end") -> list[int | None]:
        """The generations of an object (None: it was gone) in its reconciles so far."""
        return [
            record["generation"]
            for record in self.records
            if (record["name"], record["step"]) == (name, step)
        ]

    def trusts(self, name: str) -> list[bool]:
        """Whether the clock was trusted at the beginning of each reconcile of an object so far."""
        return [
            record["trusted"]
            for record in self.records
            if (record["name"], record["step"]) == (name, "begin")
        ]

    def said(self, text: str) -> bool:
        return any(text in line["msg"] for line in self.logs)

    def complaints(self) -> list[dict[str, Any]]:
        """Its warnings and errors, but for how late it was on a machine that is busy with other things."""
        return [
            line for line in self.logs if line["level"] in {"warning", "error"} and LATE not in line["msg"]
        ]

    async def get(self, path: str) -> tuple[int, str]:
        """What the operator's own server answers; 0 before it listens."""
        found = [re.search(r"answering .* on (\S+)$", line["msg"]) for line in self.logs]
        address = next((match[1] for match in found if match), None)
        if address is None:
            return 0, ""
        async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as response:
            return response.status, await response.text()

    async def ready(self) -> None:
        async with asyncio.timeout(STARTED):
            while (await self.get("/readyz"))[0] != 200:
                assert self._process.returncode is None, self.logs
                await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    async def ended(self, within: float) -> int:
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await asyncio.gather(*self._readers)
        return code

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self.ended(within=30)


def _record(line: bytes) -> dict[str, Any]:
    """The line, parsed; what is no JSON (an interpreter's own complaint) as the message of a record."""
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"level": "raw", "msg": line.decode(errors="replace"), "name": "", "step": ""}
    return record


@asynccontextmanager
async def started(kubeconfig: Path | str, *flags: str) -> AsyncIterator[OperatorProcess]:
    """The recording operator; killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            RECORDING,
            "run",
            "--kubeconfig",
            str(kubeconfig),
            "--metrics-address",
            "127.0.0.1:0",
            "--leader-elect=off",  # a flag behind this one can turn it on
            *flags,
        ),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("ESERVICE_", "KUBE"))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    running = OperatorProcess(process)
    try:
        yield running
    except BaseException:
        print(*running.logs, *running.records, sep="\n")  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        await running.kill()
