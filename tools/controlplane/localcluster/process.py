# SPDX-License-Identifier: Apache-2.0
"""Processes that outlive the command that started them, and are recognised again later.

A process id alone proves nothing after a crash: it may have been given to somebody else. So its instant of
birth is kept too, and each child carries the cluster's folder in its environment, by which strays are found
even when the record is lost.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError

MARKER = "ESERVICE_CONTROLPLANE_DIR"
_PROC = Path("/proc")

# Children of this very process: they must be polled, or they stay as zombies after their end.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Process:
    """One started component: its process id and the birth that tells it from a later owner of that id."""

    name: str
    pid: int
    birth: str

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return birth(self.pid) == self.birth


def birth(pid: int) -> str | None:
    """When the process was born, as text that only ever equals itself; None if there is no such process."""
    if (child := _children.get(pid)) is not None and child.poll() is not None:
        return None
    if (_PROC / "self" / "stat").exists():
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() or None


def spawn(
    name: str, argv: Sequence[str], *, folder: Path, log: Path, env: Mapping[str, str] | None = None
) -> Process:
    """Start a component in a session of its own, with its output in `log`."""
    environment = {**os.environ, **(env or {}), MARKER: str(folder)}
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
    except OSError as error:
        raise ClusterError(f"{name} cannot be started: {error}") from None
    _children[child.pid] = child
    return Process(name, child.pid, birth(child.pid) or "ended at once")


def strays(folder: Path) -> list[Process]:
    """Processes of this user that carry the cluster's folder in their environment (Linux only, else none)."""
    wanted = f"{MARKER}={folder}".encode()
    found = []
    for entry in _PROC.glob("[0-9]*/environ"):
        try:
            if wanted not in entry.read_bytes().split(b"\0"):
                continue
            name = (entry.parent / "comm").read_text().strip()
        except OSError:
            continue
        pid = int(entry.parent.name)
        if pid != os.getpid() and (born := birth(pid)) is not None:
            found.append(Process(name, pid, born))
    return found


def stop(processes: Iterable[Process], *, deadline: float = 10.0) -> list[Process]:
    """End the processes and wait until they are gone; gives back those that were still alive.

    They are killed, not asked: their data is thrown away next, and a kill works whatever state they are in.
    """
    targets = {process.pid: process for process in processes if process.alive()}
    for process in targets.values():
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        except PermissionError:
            raise ClusterError(f"{process.name} (process {process.pid}) belongs to another user") from None
    until = time.monotonic() + deadline
    while remaining := [process for process in targets.values() if process.alive()]:
        if time.monotonic() > until:
            names = ", ".join(f"{process.name} ({process.pid})" for process in remaining)
            raise ClusterError(f"still running {deadline:.0f} s after being killed: {names}")
        time.sleep(0.02)
    for pid in targets:
        if (child := _children.pop(pid, None)) is not None:
            child.wait()
    return list(targets.values())


def memory_bytes(process: Process) -> int:
    """The process's memory, with its share of what it has in common with others; 0 where it is not told."""
    if not process.alive():
        return 0
    try:
        told = (_PROC / str(process.pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
