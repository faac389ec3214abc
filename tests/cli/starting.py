# SPDX-License-Identifier: Apache-2.0
"""What a run of the command line imports, and what it costs.

``python -m tests.cli.starting [ARGUMENT…]`` prints what ``kubectl eservice ARGUMENT…`` costs; without any
argument the help of every command. KUBECONFIG names the cluster for commands that need one.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from eservice_operator.cli.program import COMMANDS

HEAVY = {"pydantic", "kubernetes", "kopf", "aiohttp", "yaml", "holidays", "asyncio", "prometheus_client"}
IMPORTED = """
import sys
from eservice_operator.cli.__main__ import main
try:
    main()
except SystemExit:
    pass
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
COSTS = """
import sys, time
from eservice_operator.cli.__main__ import main
try:
    main()
finally:
    print(time.process_time(), file=sys.stderr)
"""
HELP = [["--help"], *([name, "--help"] for name in COMMANDS)]
QUICK = 0.3
"""Seconds of its own that a command may take which only shows or explains itself."""
RUNS = 15


class Cost(NamedTuple):
    """Seconds that one run took."""

    own: float
    """Processor time of our own process from its start on: that of kubectl is not in it."""
    wall: float


def imported_by(arguments: Sequence[str], **environment: str) -> set[str]:
    """The top-level modules that were imported by the end of the run."""
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60, env=os.environ | environment
    )
    return set(done.stderr.splitlines()[-1].split())


def cost_of(arguments: Sequence[str], **environment: str) -> Cost:
    """What one run costs; it may end with an error."""
    command = [sys.executable, "-c", COSTS, *arguments]
    began = time.monotonic()
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env=os.environ | environment
    )
    return Cost(own=float(done.stderr.splitlines()[-1]), wall=time.monotonic() - began)


def main() -> None:
    """Print the medians."""
    for arguments in [sys.argv[1:]] if len(sys.argv) > 1 else HELP:
        costs = [cost_of(arguments) for _ in range(RUNS)]
        own, wall = (1000 * median(figure) for figure in zip(*costs, strict=True))
        sys.stdout.write(f"{' '.join(arguments)}: {own:.0f} ms of its own, {wall:.0f} ms in all\n")


if __name__ == "__main__":
    main()
