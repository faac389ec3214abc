# SPDX-License-Identifier: Apache-2.0
"""Whether the wall clock can be believed: it is compared with the dates of the API server's answers.

A wrong clock would take public services down early, and end access to web services. Which of the two is wrong
cannot be known from here, so nothing new is unpublished, and nothing ends by a date, while they differ.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import lru_cache

from eservice_operator.cluster.attempts import Attempt
from eservice_operator.cluster.errors import ApiError
from eservice_operator.core.policy import Policy
from eservice_operator.runtime.clock import SYSTEM, Clock
from eservice_operator.runtime.metrics import Metrics

log = logging.getLogger(__name__)

FARTHEST = 300.0
"""Seconds of certain difference above which the wall clock is not trusted."""
NEAR_AGAIN = 240.0
"""Seconds of possible difference up to which a clock that was not trusted counts as mended."""
IN_A_ROW = 3
"""Answers that have to say the same: one odd answer, of one server of several, changes nothing."""
MENDED_FOR = 10.0
"""Seconds for which all answers have to agree before the clock is trusted again."""
ASK_AGAIN = 2.0
"""Seconds from one question to the next while there is doubt."""
REMEMBERED = 8
"""Answers of which the one that bounds the difference most closely speaks for all."""
RESOLUTION = 1.0
"""Seconds that a ``Date`` header leaves out at most."""


class Verdict(Enum):
    """What one answer says about the wall clock."""

    NEAR = auto()
    UNCLEAR = auto()
    FAR = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """By how many seconds the wall clock is ahead of the server's: at least, and at most.

    An answer only bounds the difference: its ``Date`` counts whole seconds, and was written at some moment
    between the request and the answer. ``offset`` is the wall clock less the monotonic one.
    """

    least: float
    most: float
    offset: float

    @property
    def middle(self) -> float:
        """One figure for people."""
        return (self.least + self.most) / 2

    @property
    def verdict(self) -> Verdict:
        """What follows from this reading alone."""
        if self.least > FARTHEST or self.most < -FARTHEST:
            return Verdict.FAR
        return Verdict.NEAR if max(self.most, -self.least) <= NEAR_AGAIN else Verdict.UNCLEAR

    def at(self, offset: float) -> Reading:
        """The same for later: whoever moves the wall clock moves it away from the monotonic one."""
        moved = offset - self.offset
        return Reading(self.least + moved, self.most + moved, offset)


class ClockGuard:
    """Trusts the wall clock, or does not; calls ``on_change`` whenever that turns.

    It begins with trust: nothing is decided before the first lists, and their answers count already. A server
    that sends no readable date leaves everything as it is. Everything happens on one event loop.
    """

    def __init__(self, metrics: Metrics, on_change: Callable[[], None], clock: Clock = SYSTEM) -> None:
        self._metrics = metrics
        self._on_change = on_change
        self._clock = clock
        self._trusted = True
        self._believed: Reading | None = None
        self._alike: deque[Reading] = deque(maxlen=REMEMBERED)
        self._in_a_row = 0
        self._since = 0.0
        self._doubt = asyncio.Event()
        metrics.clock_trusted.set(1)
        metrics.clock_skew.set(math.nan)

    def trusted(self) -> bool:
        """Whether the wall clock is believed at this moment, also if it was moved a moment ago."""
        if self._trusted and self._believed is not None:
            present = self._believed.at(self._offset())
            if present.verdict is Verdict.FAR:
                self._distrust(present)
        return self._trusted

    def answered(self, attempt: Attempt) -> None:
        """Compare with the date of an answer whose headers have come this moment."""
        date = date_of(attempt.date) if attempt.answered else None
        if date is None:
            return
        ahead = (self._clock.now() - date).total_seconds()
        self._count(Reading(ahead - attempt.seconds - RESOLUTION, ahead, self._offset()))
        closest = self._closest()
        self._metrics.clock_skew.set(closest.middle)
        if closest.verdict is Verdict.FAR:
            self._doubt.set()
        if not self._trusted:
            self._perhaps_trust(closest)
        elif closest.verdict is not Verdict.FAR:
            self._believed = closest
        elif self._in_a_row >= IN_A_ROW:
            self._distrust(closest)

    def moved(self) -> None:
        """The wall clock was moved, or the machine slept: what was answered before says nothing any more."""
        if self.trusted() and self._believed is not None:
            self._metrics.clock_skew.set(self._believed.at(self._offset()).middle)
            self._doubt.set()
        self._alike.clear()
        self._in_a_row = 0

    async def run(self, ask: Callable[[], Awaitable[object]]) -> None:
        """While there is doubt, ``ask`` the server something, whose answer counts; until cancelled."""
        while True:
            await self._doubt.wait()
            with suppress(ApiError):
                await ask()
            if self._settled():
                self._doubt.clear()
            await self._clock.sleep(ASK_AGAIN)

    def _count(self, reading: Reading) -> None:
        if not self._alike or self._alike[-1].verdict is not reading.verdict:
            self._alike.clear()
            self._in_a_row = 0
            self._since = self._clock.monotonic()
        self._alike.append(reading)
        self._in_a_row += 1

    def _closest(self) -> Reading:
        """The reading that says most among the last that say the same, as of now."""
        best = min(self._alike, key=lambda reading: reading.most - reading.least)
        return best.at(self._offset())

    def _settled(self) -> bool:
        return self._trusted and self._in_a_row > 0 and self._alike[-1].verdict is not Verdict.FAR

    def _perhaps_trust(self, reading: Reading) -> None:
        lasted = self._clock.monotonic() - self._since
        if reading.verdict is not Verdict.NEAR or self._in_a_row < IN_A_ROW or lasted < MENDED_FOR:
            return
        self._believed = reading
        self._trusted = True
        self._metrics.clock_trusted.set(1)
        log.warning("the wall clock agrees with the API server's again (%s): it is trusted", _words(reading))
        self._on_change()

    def _distrust(self, reading: Reading) -> None:
        self._trusted = False
        self._metrics.clock_trusted.set(0)
        self._metrics.clock_skew.set(reading.middle)
        self._doubt.set()
        log.error(
            "the wall clock is %s: nothing more is unpublished, no publication date is recorded, no access "
            "opens or ends by a date, until they differ by less than %.0f s for %.0f s",
            _words(reading),
            NEAR_AGAIN,
            MENDED_FOR,
        )
        self._on_change()

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


@lru_cache(maxsize=8)  # all answers of a second bear the same
def date_of(header: str) -> datetime | None:
    """The instant in a ``Date`` header; None for what is none, or has no time zone."""
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def policy_under(policy: Policy, clock_trusted: Callable[[], bool]) -> Callable[[], Policy]:
    """The policy as of the moment it is asked for: always one of the same two objects."""
    under = {trusted: replace(policy, clock_trusted=trusted) for trusted in (True, False)}
    return lambda: under[clock_trusted()]


def _words(reading: Reading) -> str:
    side = "ahead of" if reading.middle >= 0 else "behind"
    return f"about {abs(reading.middle):.0f} s {side} the API server's"
