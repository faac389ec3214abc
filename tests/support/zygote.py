# SPDX-License-Identifier: Apache-2.0
"""Operators that start in a moment: forked from a process that has everything imported already.

Each is a process of its own with the command line of the real one and its own log. What is done beforehand is
only what every start does first, the imports. Signals reach and end it as any other.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REAL = "eservice_operator.runtime.__main__:main"
"""The entry point of the installed command."""
SLICE = 0.05
"""Seconds for which one thread keeps the others from reading."""
START = 240.0
"""Seconds for the imports, on a machine that is busy with other things."""


@dataclass
class Zygote:
    """The parent; ``launch`` is what an ``OperatorProcess`` takes as its launcher."""

    _process: subprocess.Popen[bytes]
    forks: int = 0
    _born: list[int] = field(default_factory=list)
    _running: dict[int, int] = field(default_factory=dict)
    """By its process number which child it is: numbers come again once all were given away."""
    _ended: dict[int, int] = field(default_factory=dict)
    """The exit codes, by which child it was."""
    _rest: bytes = b""
    _reading: threading.Lock = field(default_factory=threading.Lock)
    """Whoever asks after a child reads what the parent tells of all of them."""

    def launch(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str], entry: str = REAL
    ) -> Forked:
        """A process that runs ``command``, whose first word only gives the name, and writes to ``log``."""
        order = {"entry": entry, "argv": [*command], "log": str(log), "environment": dict(environment)}
        log.touch()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        assert self.told(lambda: bool(self._born), START), f"no process in {START} s"
        pid = self._born.pop()
        child = Forked(self, pid, self.forks, " ".join(command))
        self.forks += 1
        return child

    def code(self, child: int) -> int | None:
        """The exit code of a child, negative for a signal as ``subprocess`` has it; None while it runs."""
        self.told(lambda: child in self._ended, 0.0)
        return self._ended.get(child)

    def told(self, so: Callable[[], bool], within: float | None) -> bool:
        """Read what the parent tells until ``so`` holds, or for so many seconds; whether it holds."""
        deadline = None if within is None else time.monotonic() + within
        while not so():
            left = SLICE if deadline is None else deadline - time.monotonic()
            with self._reading:
                if not self._read(max(0.0, min(left, SLICE))) and left <= 0:
                    return so()
        return True

    def _read(self, within: float) -> bool:
        out = self._process.stdout
        assert out is not None
        if not select.select([out], [], [], within)[0]:
            return False
        fresh = out.read(1 << 16)
        assert fresh, "the parent of the operators has ended"
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._hear(**json.loads(line))
        return True

    def _hear(self, pid: int, code: int | None = None) -> None:
        """A child was born, or has ended."""
        if code is None:
            self._running[pid] = self.forks
            self._born.append(pid)
        else:
            self._ended[self._running.pop(pid)] = code


@dataclass(frozen=True)
class Forked:
    """One child, with as much of ``subprocess.Popen`` as is used of it."""

    _parent: Zygote
    pid: int
    number: int
    """Which of its parent's children it is, from 0."""
    args: str

    @property
    def returncode(self) -> int | None:
        return self._parent.code(self.number)

    def poll(self) -> int | None:
        return self._parent.code(self.number)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; ``subprocess.TimeoutExpired`` when there is none in so many seconds."""
        self._parent.told(lambda: self._parent.code(self.number) is not None, timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextmanager
def zygote(complaints: Path) -> Iterator[Zygote]:
    """A parent with everything imported; what it and its children say past their logs is in ``complaints``.

    At the end of the block it ends, and with it each child that still runs.
    """
    command = (sys.executable, "-m", "tests.support.forking")
    with (
        complaints.open("ab") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0
        ) as process,
    ):
        yield Zygote(process)
