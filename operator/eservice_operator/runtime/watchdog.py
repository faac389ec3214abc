# SPDX-License-Identifier: Apache-2.0
"""Notices when the event loop is late and when somebody moves the wall clock."""

from __future__ import annotations

import logging
from collections.abc import Callable

from eservice_operator.runtime.clock import SYSTEM, Clock
from eservice_operator.runtime.metrics import Metrics

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds from one look at the clocks to the next."""
LATE = 1.0
"""Seconds of delay that are worth a line in the log: something blocks the loop."""
JUMP = 5.0
"""Seconds by which the wall clock has to leave the monotonic one between two looks to count as moved."""


class Watchdog:
    """Looks at both clocks every second and tells ``on_jump`` when the wall clock was moved.

    A suspended machine looks the same as a clock set forward: the monotonic clock stood still meanwhile.
    """

    def __init__(self, metrics: Metrics, on_jump: Callable[[], None], clock: Clock = SYSTEM) -> None:
        self._metrics = metrics
        self._on_jump = on_jump
        self._clock = clock
        self._lag = 0.0
        self._looked = clock.monotonic()

    @property
    def lag(self) -> float:
        """Seconds by which the loop is late: at the last look, or since then if that one is overdue."""
        overdue = self._clock.monotonic() - self._looked - TICK
        return max(self._lag, overdue, 0.0)

    async def run(self) -> None:
        """Look until cancelled."""
        wall = self._clock.now().timestamp()
        self._looked = self._clock.monotonic()
        while True:
            await self._clock.sleep(TICK)
            new_wall, looked = self._clock.now().timestamp(), self._clock.monotonic()
            passed = looked - self._looked
            moved = new_wall - wall - passed
            wall, self._looked = new_wall, looked
            self._lag = max(0.0, passed - TICK)
            self._metrics.loop_lag.set(self._lag)
            if self._lag > LATE:
                log.warning("the event loop was %.1f s late", self._lag)
            if abs(moved) > JUMP:
                log.warning("the wall clock was moved by %+.0f s; every object is looked at again", moved)
                self._metrics.clock_jumps.inc()
                self._on_jump()
