# SPDX-License-Identifier: Apache-2.0
"""How long processes waited for a processor: what a stop-watch must not hold against what it times."""

from __future__ import annotations

import re
from pathlib import Path

PRESSURE = Path("/proc/pressure/cpu")
"""Of Linux since 4.20, unless it was built without."""
SOME = re.compile(r"^some .*\btotal=(\d+)$", re.MULTILINE)
"""Microseconds since the machine was started in which at least one process could have run, and did not."""


def starved() -> float:
    """Seconds so far; a difference of two is what counts. Always 0 where the kernel does not tell."""
    try:
        found = SOME.search(PRESSURE.read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1e6 if found else 0.0
