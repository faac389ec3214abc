# SPDX-License-Identifier: Apache-2.0
"""When the process is better restarted; not while the API server is away: that would not bring it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from eservice_operator.runtime.health import Check
from eservice_operator.runtime.pulse import Pulse
from eservice_operator.runtime.queue import KeyedQueue
from eservice_operator.runtime.watchdog import Watchdog

LATEST_LOOP = 10.0
"""Seconds by which the event loop may be late."""
LONGEST_STANDSTILL = 600.0
"""Seconds that keys may wait while none is finished."""
MISSED_LISTS = 3
"""Full lists that may fail in a row."""
ANSWERED_LATELY = 300.0
"""Seconds after which an API server that has not answered counts as away."""
OUT_OF_TOUCH: Final = 60.0
"""Seconds of requests in vain after which an operator is not ready: it could not lead now, and what it knows
is old. That is longer than an API server takes to be replaced, so that it does not flap."""


def in_touch(pulse: Pulse) -> Check:
    """The API server answers, as far as it is asked: a quiet cluster may be silent for minutes."""

    def check() -> str | None:
        lost = pulse.in_vain_for
        return f"the API server has not answered for {lost:.0f} s" if lost > OUT_OF_TOUCH else None

    return check


def loop_in_time(watchdog: Watchdog) -> Check:
    """The event loop gets round to things."""

    def check() -> str | None:
        lag = watchdog.lag
        return f"the event loop is {lag:.0f} s late" if lag > LATEST_LOOP else None

    return check


def queue_moves(queue: KeyedQueue) -> Check:
    """Waiting keys are worked off."""

    def check() -> str | None:
        waited, idle = queue.oldest_age, queue.idle_for
        if min(waited, idle) <= LONGEST_STANDSTILL:
            return None
        return (
            f"{queue.depth} keys wait, the oldest for {waited:.0f} s, and none was finished for {idle:.0f} s"
        )

    return check


def lists_fresh(ages: Callable[[], Mapping[str, float]], pulse: Pulse, resync: float) -> Check:
    """Every kind is listed in full now and then, as long as the API server answers; ``resync`` in seconds."""

    def check() -> str | None:
        stale = {kind: age for kind, age in ages().items() if age > MISSED_LISTS * resync}
        if not stale or pulse.silent_for > ANSWERED_LATELY:
            return None
        return ", ".join(f"{kind} was not listed for {age:.0f} s" for kind, age in sorted(stale.items()))

    return check
