# SPDX-License-Identifier: Apache-2.0
"""What a judgement about access says, and by which clock it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import local_day
from eservice_operator.core.policy import Policy


class Answer(StrEnum):
    """Whether somebody may call now, and if not, whether that can still come."""

    ALLOWED = "Allowed"
    WAITING = "Waiting"
    """Something is missing that somebody can supply."""
    OVER = "Over"
    """It ended by its own terms."""
    REFUSED = "Refused"
    UNCLEAR = "Unclear"
    """Nobody can tell now: what is open stays open, and nothing opens. Of findings only: see `standing`."""


@dataclass(frozen=True, slots=True)
class Times:
    """An instant, and the local day that every date of the rules is compared with."""

    now: datetime
    zone: ZoneInfo
    trusted: bool = True
    """Whether the clock that says so is believed: see `doubt`."""

    @classmethod
    def under(cls, policy: Policy, now: datetime) -> Self:
        """An instant as a policy reads it: in its zone, by a clock that it trusts or not."""
        return cls(now, policy.zone, policy.clock_trusted)

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.zone)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why somebody may not call."""

    answer: Answer
    reason: Reason
    message: str
    day: date | None = None
    """The last day that was allowed, where a dated term is over."""


def waiting(reason: Reason, message: str) -> Finding:
    """Something is missing."""
    return Finding(Answer.WAITING, reason, message)


def unclear(reason: Reason, message: str) -> Finding:
    """Nobody can tell now."""
    return Finding(Answer.UNCLEAR, reason, message)


def over(reason: Reason, message: str, day: date | None = None) -> Finding:
    """It has ended, with the last day that was allowed where that is known."""
    return Finding(Answer.OVER, reason, message, day)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contract version of a grant stands now."""

    version: str
    """The contract version; `ALL_VERSIONS` for REST."""
    answer: Answer
    reason: Reason
    message: str
    ends_on: date | None = None
    """The last day on which it is allowed, where that is known."""
    held: bool = False
    """Allowed because it was open when it became unclear: what is there stays, and nothing is added."""

    @property
    def allowed(self) -> bool:
        """Whether the consumer may call it now."""
        return self.answer is Answer.ALLOWED


def last_day_was(day: date, of: str = "its") -> str:
    """How every end of a term is said, whatever field it comes from: by the last day that was allowed."""
    return f"{of} last day was {day}"


def is_open_question(finding: Finding | None) -> bool:
    """Whether anything that is known for certain has yet to say no."""
    return finding is None or finding.answer is Answer.UNCLEAR
