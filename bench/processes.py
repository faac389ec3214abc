# SPDX-License-Identifier: Apache-2.0
"""What processes have used, as Linux tells it, and whether one has come to rest."""

from __future__ import annotations

import asyncio
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TICK = 0.5
"""Seconds between two looks at a process."""
QUIET = 3
"""Looks in a row at which a process at rest has used next to nothing."""
IDLE = 0.03
"""Seconds of processor time that a process at rest uses from one look to the next, at most."""
PATIENCE = 7200.0
SCRAPED = 120.0
"""Seconds that an answer with the figures of a large fleet may take."""
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Used:
    """Seconds of processor time since the start of the processes, and bytes that are resident now."""

    cpu: float
    memory: int

    def since(self, before: Used) -> float:
        """The processor time from then on."""
        return self.cpu - before.cpu


def used(*processes: int) -> Used:
    """What these processes have used together so far.

    Raises:
        FileNotFoundError: one of them has ended.
    """
    ticks, resident = 0, 0
    for process in processes:
        folder = Path("/proc") / str(process)
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        found = _RESIDENT.search((folder / "status").read_text())
        resident += int(found[1]) * 1024 if found else 0
    return Used(ticks / os.sysconf("SC_CLK_TCK"), resident)


class Contender(Protocol):
    """A running operator, whichever."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    def looks(self) -> float:
        """How many e-services it has reconciled so far; negative while others wait to be."""
        ...


@dataclass(frozen=True)
class Rest:
    """What a process had used when it came to rest, and when that was, by the monotonic clock."""

    used: Used
    at: float


async def at_rest(contender: Contender, looks: float, within: float = PATIENCE) -> Rest:
    """Wait until it works no more, and has reconciled so many e-services since its start.

    Its own figures are asked for only once its processor time stands still, and only until they say so: each
    scrape costs an operator of ours what hundreds of decisions do.

    Raises:
        TimeoutError: it still works, or has not come that far.
    """
    deadline = time.monotonic() + within
    while True:
        rest = await _still(contender.pid, deadline)
        if (so_far := contender.looks()) >= looks:
            return rest
        if time.monotonic() > deadline:
            raise TimeoutError(f"{so_far:.0f} of {looks:.0f} looks in {within:.0f} s")


async def _still(pid: int, deadline: float) -> Rest:
    """When the processor time of a process last grew, once it has stood still for a while."""
    last, rest, still = used(pid), Rest(used(pid), time.monotonic()), 0
    while still < QUIET:
        if time.monotonic() > deadline:
            raise TimeoutError(f"it still works, after {last.cpu:.0f} s of processor time")
        await asyncio.sleep(TICK)
        present = used(pid)
        if present.since(last) > IDLE:
            rest, still = Rest(present, time.monotonic()), 0
        else:
            still += 1
        last = present
    return rest


def scrape(address: str) -> dict[str, float] | None:
    """Every series that a process shows, with its value; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/metrics", timeout=SCRAPED) as answer:  # noqa: S310 - our own
            text: str = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in lines if series}


def total(metrics: Mapping[str, float], prefix: str) -> float:
    """The sum of all series whose name begins so."""
    return sum(value for series, value in metrics.items() if series.startswith(prefix))


async def comes_true(
    check: Callable[[], bool], what: Callable[[], str], within: float, pause: float = 0.05
) -> None:
    """Wait for it.

    Raises:
        TimeoutError: with what ``what`` says.
    """
    deadline = time.monotonic() + within
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {within:.0f} s: {what()}")
        await asyncio.sleep(pause)
