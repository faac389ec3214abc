# SPDX-License-Identifier: Apache-2.0
"""The operator as people run it, but for its wall clock, which a file moves: ``FILE run …``.

Whatever the file says (seconds) counts at the next look at the clock, as when somebody runs ``date --set``.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from eservice_operator.runtime.clock import SystemClock
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.operator import serve
from eservice_operator.runtime.wiring import wiring_of


class MovedByFile(SystemClock):
    def __init__(self, path: Path) -> None:
        self._path = path

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._path.read_text()))


def move_by(path: Path, seconds: float) -> None:
    """Set whoever reads its clock from ``path`` off the true time, at once: no look finds half a number."""
    aside = path.with_suffix(".new")
    aside.write_text(str(seconds))
    aside.replace(path)


def main() -> None:
    """Run the command line; also the entry of a forked operator."""
    clock = MovedByFile(Path(sys.argv.pop(1)))
    command_line(lambda settings: serve(settings, wiring_of(settings), clock))(prog_name="eservice-operator")


if __name__ == "__main__":
    main()
