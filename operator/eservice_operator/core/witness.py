# SPDX-License-Identifier: Apache-2.0
"""What the outside-in probe makes of Published: the gateway's word is final unless it looks otherwise.

R8 never waits for this: it says what became of a route, after the route was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.api.seen import Answered, PublicationStatus, SeenHost, SeenRoute
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.faces import Face
from eservice_operator.core.sightings import FACELESS, PATIENCE, Question, Sighting, Witnessed, fits

NAMED: Final = 3
"""Hosts that a message names."""


class Finding(StrEnum):
    """How a host stands to the route that it was asked about."""

    AGREES = "Agrees"
    """It shows what the route shows; off the route: the e-service no longer answers."""
    NOT_YET = "NotYet"
    """It does not, or nobody has looked; what is on its way, as long as there is patience."""
    STILL_ANSWERS = "StillAnswers"
    """The e-service answers, and has been off the route for longer than a gateway takes."""
    ANSWERED_BY_OTHER = "AnsweredByOther"
    """Somebody else answers."""
    DOES_NOT_ANSWER = "DoesNotAnswer"
    """The notice page or an error of the gateway answers in its place, for longer than a gateway takes."""
    UNREACHABLE = "Unreachable"
    """Nobody could look: the gateway's word has to do."""


DOUBTS: Final[Mapping[Finding, Reason]] = {
    Finding.STILL_ANSWERS: Reason.STILL_ANSWERS,
    Finding.ANSWERED_BY_OTHER: Reason.ANSWERED_BY_OTHER,
    Finding.DOES_NOT_ANSWER: Reason.DOES_NOT_ANSWER,
    Finding.NOT_YET: Reason.AWAITING_PROBE,
}
"""The reasons for which Published is Unknown; of several hosts, the first that is so of one."""

SAID: Final[Mapping[Answered, str]] = {
    Answered.E_SERVICE: "the e-service answers",
    Answered.NOTICE: "the notice page answers",
    Answered.OTHER: "the route of another e-service answers",
    Answered.UNMARKED: "an answer without the mark of its route",
    Answered.NOTHING: "an error of the gateway",
    Answered.REFUSED: "the connection is refused",
    Answered.REDIRECTED: "it is sent on to where the probe does not go",
    Answered.TIMED_OUT: "no answer within 5 s",
    Answered.NO_ADDRESS: "it has no address in DNS",
    Answered.NOT_ALLOWED: "DNS gives it a private address, which --probe-allow does not name",
    Answered.UNTRUSTED: "its certificate is not trusted",
    Answered.BROKEN: "the connection broke",
}
"""What is said of a host in a message."""


def finding_of(sighting: Sighting | None, question: Question, *, late: bool) -> Finding:
    """How a host stands; ``late`` once the patience with gateway and probe is over.

    What no answer can tell never stands in the way for longer than that.
    """
    known = Finding.UNREACHABLE
    if sighting is not None:
        known = standing(sighting.answered, question.face, marked=question.marked)
    strangers = known is Finding.ANSWERED_BY_OTHER and question.face is not Face.LIVE
    return known if late or strangers or known is Finding.AGREES else Finding.NOT_YET


def standing(answered: Answered, face: Face, *, marked: bool) -> Finding:
    """How a host that answers so stands to what its route has shown for long; ``marked`` if routes mark."""
    if answered in FACELESS:
        return Finding.UNREACHABLE
    if face is not Face.LIVE:
        return _off(answered, face, marked=marked)
    if fits(answered, face, marked=marked):
        return Finding.AGREES
    if answered in {Answered.OTHER, Answered.UNMARKED}:
        return Finding.ANSWERED_BY_OTHER
    if answered is Answered.NOTICE or (answered is Answered.NOTHING and marked):
        return Finding.DOES_NOT_ANSWER
    return Finding.UNREACHABLE


def _off(answered: Answered, face: Face, *, marked: bool) -> Finding:
    """Of a host that the e-service is off: it no longer answers, unless past its route, without the mark."""
    if not fits(answered, face, marked=marked):
        return Finding.STILL_ANSWERS
    strange = answered in {Answered.OTHER, Answered.UNMARKED}
    return Finding.ANSWERED_BY_OTHER if strange else Finding.AGREES


def about(question: Question, seen: Witnessed | None) -> Witnessed | None:
    """What was seen, where it was asked about the face that the route has now."""
    return seen if seen is not None and seen.face is question.face else None


def overdue(known: Witnessed | None, host: str, now: datetime) -> bool:
    """Whether the patience with gateway and probe is over; another generation of a route brings none anew."""
    return known is not None and now - known.began(host) >= PATIENCE


def still_open(question: Question, seen: Witnessed | None, now: datetime) -> bool:
    """Whether a host does not show what the route does, and there is time left for it."""
    found, known = findings(question, seen, now), about(question, seen)
    return any(one is not Finding.AGREES and not overdue(known, host, now) for host, one in found.items())


def findings(question: Question, seen: Witnessed | None, now: datetime) -> dict[str, Finding]:
    """How each host stands at an instant, in the order of the question."""
    known = about(question, seen)
    hosts = {} if known is None else known.hosts
    return {
        host: finding_of(hosts.get(host), question, late=overdue(known, host, now)) for host in question.hosts
    }


def witnessed(
    said: Verdict, before: Condition | None, question: Question, seen: Witnessed | None, now: datetime
) -> Verdict:
    """Published, from the gateway's word (True or False) and what was seen of the route it is about.

    ``before`` is the condition as it stands. What it says already stays while there is patience: a probe
    that is switched on, or asks about a new generation of the route, takes nothing back before it has looked.
    """
    found, known = findings(question, seen, now), about(question, seen)
    stands = before is not None and before.status is said.status
    for doubt, reason in DOUBTS.items():
        hosts = [host for host, finding in found.items() if finding is doubt]
        harmless = doubt is Finding.ANSWERED_BY_OTHER and question.face is not Face.LIVE
        early = stands and doubt is Finding.NOT_YET
        if hosts and not harmless and not early:
            text = f"{said.message}; {_LEAD[doubt][question.face]}: {_told(hosts, known)}"
            return replace(said, status=ConditionStatus.UNKNOWN, reason=reason, message=text)
    text = said.message
    for finding, lead in _BESIDE.items():
        hosts = [host for host, one in found.items() if one is finding]
        text += f"; {lead[question.face]}: {_told(hosts, known)}" if hosts else ""
    return said if text == said.message else replace(said, message=text)


_LEAD: Final[Mapping[Finding, Mapping[Face, str]]] = {
    Finding.STILL_ANSWERS: dict.fromkeys(Face, "but this is not final, the e-service still answers"),
    Finding.ANSWERED_BY_OTHER: dict.fromkeys(Face, "but something else answers"),
    Finding.DOES_NOT_ANSWER: dict.fromkeys(Face, "but the e-service does not answer"),
    Finding.NOT_YET: {
        Face.LIVE: "not seen from outside yet",
        Face.NOTICE: "not yet seen from outside to be off",
        Face.NOTHING: "not yet seen from outside to be off",
    },
}
_BESIDE: Final[Mapping[Finding, Mapping[Face, str]]] = {
    Finding.ANSWERED_BY_OTHER: {
        Face.NOTICE: "instead of the notice page",
        Face.NOTHING: "though nothing is routed there",
    },
    Finding.UNREACHABLE: dict.fromkeys(Face, "not confirmed from outside"),
}


def _told(hosts: list[str], seen: Witnessed | None) -> str:
    known = {} if seen is None else seen.hosts
    named = [f"{host} ({_what(known.get(host))})" for host in hosts[:NAMED]]
    more = len(hosts) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _what(sighting: Sighting | None) -> str:
    if sighting is None:
        return "no answer yet"
    return f"{SAID[sighting.answered]}, {sighting.code}" if sighting.code else SAID[sighting.answered]


def doubted(published: Verdict) -> bool:
    """Whether Published waits for what is seen from outside."""
    return published.reason in DOUBTS.values()


def publication_seen(old: PublicationStatus, question: Question, seen: Witnessed | None) -> PublicationStatus:
    """What is written down: answers about this face; until there are some, those about the face before."""
    known = about(question, seen)
    if known is None:
        return old
    hosts = tuple(
        SeenHost(
            host=host, answer=one.answered, code=one.code or None, since=one.since.replace(microsecond=0)
        )
        for host in question.hosts
        if (one := known.hosts.get(host)) is not None
    )
    if not hosts:
        return old
    route = SeenRoute(face=known.face.value, generation=known.generation)
    return PublicationStatus(route=route, hosts=hosts)
