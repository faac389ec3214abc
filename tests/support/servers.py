# SPDX-License-Identifier: Apache-2.0
"""A server beside the operator as people run it: a process of its own, with a log of JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from tests.support.waiting import eventually

START_SECONDS = 60.0
FREE_PORTS = ("--address=127.0.0.1:0", "--health-address=127.0.0.1:0")


@dataclass
class ServerProcess:
    """It, as it runs."""

    process: subprocess.Popen[bytes]
    log: Path
    listens: ClassVar[str]
    """The words of its log before the address that it answers on."""
    ready_once: ClassVar[str]
    """The words of its log once it is ready."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return self._port(self.listens)

    @property
    def health(self) -> str:
        return f"http://127.0.0.1:{self._port('answering probes and scrapes on')}"

    def _port(self, words: str) -> int:
        (told,) = [record["msg"] for record in self.records() if words in record["msg"]]
        return int(told.rpartition(":")[2])

    def records(self) -> list[dict[str, Any]]:
        """Its log so far, by lines that are complete."""
        *lines, _ = self.log.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def said(self, words: str) -> bool:
        return any(words in record["msg"] for record in self.records())

    def until_ready(self) -> None:
        """Wait for it; fails with its log."""
        deadline = time.monotonic() + START_SECONDS
        while not self.said(self.ready_once):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    async def told_to_end(self) -> None:
        """SIGTERM, and it has heard it."""
        self.process.send_signal(signal.SIGTERM)
        await eventually(lambda: self.said("SIGTERM"), "hearing the signal")

    async def ended(self) -> int:
        """The exit code, once there is one."""
        return await asyncio.to_thread(self.process.wait, 30)

    async def metrics(self) -> dict[str, float]:
        """Every series with its value."""
        async with aiohttp.ClientSession() as client, client.get(f"{self.health}/metrics") as answer:
            lines = [line for line in (await answer.text()).splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


@contextmanager
def launched(
    command: Sequence[str],
    log: Path,
    more: Mapping[str, str] | None = None,
    user: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """The command without any setting of this machine's; killed at the end of the block if it still runs."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ESERVICE_")}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            env=inherited | dict(more or {}),
            user=user,
            group=user,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)
