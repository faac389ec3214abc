# SPDX-License-Identifier: Apache-2.0
"""What hangs on a date while the clock is not trusted: what is open stays open, and nothing opens by it.

Nobody knows then which day it is. So it is judged as of every day on which an answer can turn: where all of
them say the same, no date matters, and that is the answer. See ADR 0032.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.terms import Answer, Finding, Times

UNTRUSTED: Final = "the clocks of operator and API server differ"


def every_day(turns: Iterable[datetime], times: Times) -> tuple[Times, ...]:
    """One instant before the first turn, and each turn: any other instant reads like one of these."""
    instants = sorted(set(turns))
    if instants:
        instants.insert(0, instants[0] - timedelta(seconds=1))
    return tuple(replace(times, now=at, trusted=True) for at in instants)


def by_the_clock(times: Times) -> Times:
    """The same, as if the clock were trusted."""
    return replace(times, trusted=True)


def in_doubt(now: Finding, ever: Iterable[bool], *, is_open: bool) -> Finding:
    """The answer while the clock is not trusted.

    Args:
        now: the answer by the clock.
        ever: whether it is allowed, as of `every_day`.
        is_open: whether it is open; what is, was allowed by a clock that was trusted.
    """
    allowed = now.answer is Answer.ALLOWED
    if allowed == is_open or all(one == allowed for one in ever):
        return now
    if is_open:
        text = f"{now.message}, as far as one can tell: {UNTRUSTED}, and what is open stays"
        return Finding(Answer.UNCLEAR, Reason.CLOCK_SKEW, text)
    text = f"{UNTRUSTED}: nothing opens by a date until they agree"
    return Finding(Answer.WAITING, Reason.CLOCK_SKEW, text)
