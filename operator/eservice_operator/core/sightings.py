# SPDX-License-Identifier: Apache-2.0
"""What the outside-in probe asks, what a single answer says, and what many answers come to.

One odd answer is no news: what a route lets expect counts at once, anything else once it was heard twice in a
row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.seen import Answered, PublicationStatus
from eservice_operator.core.faces import Face

PATIENCE: Final = timedelta(seconds=30)
"""How long a gateway may take to answer for a route and to show what it says, and the probe is waited for."""
NOTICE_MARK: Final = "notice"
"""What the notice page writes into the header that tells routes apart."""
NOT_FOUND: Final = 404
SERVER_ERRORS: Final = range(500, 600)
UNAVAILABLE: Final = 503
"""What the notice page answers, always."""
FACELESS: Final = (
    Answered.REDIRECTED,
    Answered.TIMED_OUT,
    Answered.NO_ADDRESS,
    Answered.NOT_ALLOWED,
    Answered.UNTRUSTED,
    Answered.BROKEN,
)
"""What tells nothing of who serves a host: the probe could not look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to: an HTTP status and the mark on it, or why there is none."""

    at: datetime
    seconds: float
    """From the question to the answer."""
    code: int = 0
    """0 where there was no HTTP answer."""
    mark: str = ""
    """The header that tells routes apart; empty without one."""
    failure: Answered | None = None
    """Why there was no answer to go by."""
    why: str = ""
    """That in a few words, for logs; for a refused address, which kind of address it is."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the hosts of an e-service are asked about: the public route as it was observed."""

    face: Face
    generation: int
    """Of the route; 0 where there is none."""
    hosts: tuple[str, ...]
    path: str
    mark: str
    """What the route's answers are marked with."""
    marked: bool
    """Whether routes are marked at all."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What answers for a host, since when, and the HTTP status that it came with (0 for none).

    That is the first one, but for an error of a server, which gives way to the first that is none.
    """

    answered: Answered
    code: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a host: the sighting that counts, and an answer that speaks against it."""

    sighting: Sighting
    doubt: Sighting | None = None


@dataclass(frozen=True)
class Witnessed:
    """What was seen of the hosts of an e-service, as a decision's report is given it."""

    face: Face
    generation: int
    since: datetime
    """Since when the hosts are asked about this face."""
    hosts: Mapping[str, Sighting] = field(default_factory=dict)
    later: Mapping[str, datetime] = field(default_factory=dict)
    """The same of hosts that came on after that."""

    def began(self, host: str) -> datetime:
        """Since when a host is asked about this face."""
        return self.later.get(host, self.since)


def answered_by(answer: Answer, question: Question) -> Answered:
    """Who gave an answer, by its mark where there is one.

    Past our routes, and where they do not mark, a backend may write into the header what it likes. So the
    notice page's mark is believed with that page's status only, and where routes do not mark, no other but
    the e-service's own.
    """
    if answer.failure is not None:
        return answer.failure
    if answer.mark == question.mark:
        return Answered.E_SERVICE
    if answer.mark == NOTICE_MARK and answer.code == UNAVAILABLE:
        return Answered.NOTICE
    if answer.mark not in {"", NOTICE_MARK} and question.marked:
        return Answered.OTHER
    error = answer.code == NOT_FOUND or answer.code in SERVER_ERRORS
    return Answered.NOTHING if error else Answered.UNMARKED


def hear(known: Known | None, answer: Answer, question: Question) -> Known:
    """What is known after an answer: the same sighting as long as the same answers."""
    heard = Sighting(answered_by(answer, question), answer.code, answer.at)
    if known is None:
        return Known(heard)
    if heard.answered is known.sighting.answered:
        return Known(_better(known.sighting, heard.code))
    if fits(heard.answered, question.face, marked=question.marked):
        return Known(heard)
    first = known.doubt
    if first is not None and first.answered is heard.answered:
        return Known(first)
    return Known(known.sighting, heard)


def _better(sighting: Sighting, code: int) -> Sighting:
    """The same; an error that it came with, as in the moment of a change, gives way to another status."""
    recovered = sighting.code in SERVER_ERRORS and code not in SERVER_ERRORS
    return replace(sighting, code=code) if recovered else sighting


def fits(answered: Answered, face: Face, *, marked: bool) -> bool:
    """Whether an answer is what a route lets expect; ``marked`` where routes mark their answers."""
    if face is Face.LIVE:
        return answered is Answered.E_SERVICE or (not marked and answered is Answered.UNMARKED)
    gone = (Answered.NOTICE, Answered.NOTHING, Answered.REFUSED, Answered.OTHER)
    return answered in gone or (marked and answered is Answered.UNMARKED)


def recalled(status: PublicationStatus) -> Witnessed | None:
    """What an earlier process wrote down, which counts until somebody asks again; none without any answer."""
    route = status.route
    if route is None or not status.hosts:
        return None
    seen = {one.host: Sighting(one.answer, one.code or 0, one.since) for one in status.hosts}
    return Witnessed(Face(route.face), route.generation, min(one.since for one in status.hosts), seen)
