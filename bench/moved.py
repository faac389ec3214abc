# SPDX-License-Identifier: Apache-2.0
"""The operator on another day: ``python -m bench.moved FILE run …``.

Its clock is off the machine's by the seconds that FILE says, which it reads at its start and at each SIGUSR1.
The API server's dates are read as off by as much, and believed at once: a proxy that changed them, as tests
have, would be measured too. Nothing else differs from production.
"""

from __future__ import annotations

import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from typing_extensions import override

from eservice_operator.runtime import clockguard
from eservice_operator.runtime.clock import SystemClock
from eservice_operator.runtime.clockguard import date_of
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.operator import serve
from eservice_operator.runtime.wiring import wiring_of


class Moved(SystemClock):
    """The machine's clock, and how far this one is off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.read()

    def read(self, *_: object) -> None:
        """What the file says from now on."""
        self._ahead = timedelta(seconds=float(self._path.read_text()))

    @override
    def now(self) -> datetime:
        return super().now() + self._ahead

    def date_of(self, header: str) -> datetime | None:
        """The instant in a ``Date`` header, on that day."""
        date = date_of(header)
        return None if date is None else date + self._ahead


if __name__ == "__main__":
    clock = Moved(Path(sys.argv.pop(1)))
    signal.signal(signal.SIGUSR1, clock.read)
    with patch.multiple(clockguard, date_of=clock.date_of, MENDED_FOR=0.0, ASK_AGAIN=0.1):
        command_line(lambda settings: serve(settings, wiring_of(settings), clock))(
            prog_name="eservice-operator"
        )
