# SPDX-License-Identifier: Apache-2.0
"""What an operator logs, through a pipe that somebody may stop reading: its next line keeps it then.

So a process can be made to stand still in the middle of a step of its event loop, where no signal from
outside could be sent in time.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

SMALLEST: Final = 4096
"""Bytes: a pipe cannot hold less."""
FILLER: Final = b'{"level": "info", "msg": "..."}\n'


class LogPipe:
    """One pipe, read by the test's own event loop from ``launch`` on."""

    def launch(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a command whose output goes through the pipe to a file: a ``Launcher``."""
        self._out, into = os.pipe()
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, SMALLEST)
        self._log = log.open("ab", buffering=0)
        process = subprocess.Popen(command, stdout=into, stderr=into, env=environment)
        # another description than the operator's, which has to block
        self._filled_by = os.open(f"/proc/self/fd/{into}", os.O_WRONLY | os.O_NONBLOCK)
        os.close(into)
        self.resume()
        return process

    def stop(self) -> None:
        """Read no more, and let no further line in."""
        asyncio.get_running_loop().remove_reader(self._out)
        with suppress(BlockingIOError):
            while True:
                os.write(self._filled_by, FILLER)

    def resume(self) -> None:
        """Read on."""
        asyncio.get_running_loop().add_reader(self._out, self._pass_on)

    def close(self) -> None:
        """Read no more; an operator that still runs loses its output."""
        asyncio.get_running_loop().remove_reader(self._out)
        os.close(self._filled_by)
        os.close(self._out)
        self._log.close()

    def _pass_on(self) -> None:
        self._log.write(os.read(self._out, SMALLEST))
