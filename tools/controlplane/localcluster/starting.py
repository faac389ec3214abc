# SPDX-License-Identifier: Apache-2.0
"""Starting components one by one and waiting for what they bring about."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from localcluster import process
from localcluster.build import Say
from localcluster.errors import ClusterError
from localcluster.layout import Layout, State
from localcluster.process import Process

_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 15


@dataclass
class Starting:
    """A cluster on its way up. What was started is on record before anything else happens."""

    layout: Layout
    state: State
    say: Say
    since: float = field(default_factory=time.monotonic)

    def tell(self, message: str) -> None:
        """Say what has been reached, with the seconds since the start."""
        self.say(f"{time.monotonic() - self.since:5.1f} s  {message}")

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a component; `env` is added to this process's environment."""
        log = self.layout.log(name)
        started = process.spawn(name, argv, folder=self.layout.folder, log=log, env=env)
        self.state.processes.append(started)
        self.state.save(self.layout)

    def wait(self, what: str, reached: Callable[[], bool], seconds: float) -> None:
        """Poll until it is so, while every component lives; `seconds` is the deadline."""
        deadline = time.monotonic() + seconds
        while not reached():
            for component in self.state.processes:
                if not component.alive():
                    raise ClusterError(
                        f"{component.name} has ended while waiting for: {what}\n{self._tail(component)}"
                    )
            if time.monotonic() > deadline:
                tails = "\n".join(self._tail(component) for component in self.state.processes)
                raise ClusterError(f"not reached in {seconds:.0f} s: {what}\n{tails}")
            time.sleep(_POLL_SECONDS)
        self.tell(what)

    def _tail(self, component: Process) -> str:
        log = self.layout.log(component.name)
        lines = log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        return f"--- the end of {log}:\n" + "\n".join(lines)
