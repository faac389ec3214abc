# SPDX-License-Identifier: Apache-2.0
"""R3, R10: what the institution of an e-service has heard of each web service that it uses, and what is news.

What is told follows from how things stand, not from how they changed: so nothing is lost while the operator
is away, or while there is no room, and what flaps is told of once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.notices import EndingKind, NoticeKind, Warned
from eservice_operator.api.reasons import Reason
from eservice_operator.api.used import EndedUse, Heard, UseStatus
from eservice_operator.api.webservice import Contract
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.access.asking import consumer_finding
from eservice_operator.core.access.lacking import is_seen_open
from eservice_operator.core.access.ladder import Term, climb, next_climb
from eservice_operator.core.access.terms import Answer, Times, is_open_question
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.addressees import recipients
from eservice_operator.core.facts import Facts
from eservice_operator.core.ledger import CLOCK_TOLERANCE, fold, on_its_way, room

LASTS: Final = timedelta(minutes=15)
"""After so long what is lost, and could come back in a moment, as when a Service is made anew, has ended."""
AGAIN: Final = timedelta(hours=1)
"""So long after an institution was told anything of a use it is told no sooner that it is granted again:
whoever grants and refuses in turn sends it two letters an hour."""
NEWS: Final = timedelta(days=7)
"""A first status speaks of an e-service that is no older: the operator may have been away meanwhile."""
KEPT_FREE: Final = 12
"""Entries of the ledger that news of uses leave free for those of R5 to R8."""
_GRANTED: Final = RequestState.GRANTED
_FINAL: Final = frozenset({Answer.OVER, Answer.REFUSED})
_BY_THE_HOLDER: Final = frozenset({Reason.CLOSING.value, Reason.VERSION_NOT_GRANTED.value})
"""Ends that the holder meant: the grant is gone, or names the version no more."""


def heard_of(
    facts: Facts, standing: UseStanding, ended: EndedUse | None, old: UseStatus | None, *, may_tell: bool
) -> tuple[Heard | None, datetime | None]:
    """What the institution was told last, and when; now, where there is news, and a clock to date it by."""
    if old is None and _is_past(facts):
        return _long_so(standing), None
    heard, at = (None, None) if old is None else (old.told, old.told_at)
    placed = is_open_question(consumer_finding(facts.world.access.consumer, None, ""))
    if not placed or not may_tell or not facts.policy.clock_trusted:
        return heard, at  # whoever only claims a registration brings its contacts no letter
    news = _news(standing, ended, heard, _past(at, facts.now), facts.now)
    return (heard, at) if news is None else (news, facts.now)


def _past(at: datetime | None, now: datetime) -> datetime | None:
    """An instant that has been; one that a clock wrote which was ahead is none."""
    return None if at is None or at > now + CLOCK_TOLERANCE else at


def _is_past(facts: Facts) -> bool:
    """Whether what is seen for the first time has long been so: nobody is told of that."""
    metadata, status = facts.world.service.metadata, facts.world.service.status
    if status.observed_generation >= 0:
        return status.observed_generation == metadata.generation
    created = metadata.creation_timestamp
    return created is None or created < facts.now - NEWS


def _long_so(standing: UseStanding) -> Heard | None:
    if standing.allowed:
        return _GRANTED
    return RequestState.REFUSED if standing.answer is Answer.REFUSED else None


def _news(
    standing: UseStanding, ended: EndedUse | None, heard: Heard | None, at: datetime | None, now: datetime
) -> Heard | None:
    """What there is to tell of a use now, if anything."""
    if standing.allowed:
        waits = not is_seen_open(standing) or (at is not None and now < at + AGAIN)
        return None if heard is _GRANTED or waits else _GRANTED
    confirmed = standing.offer is not None and standing.offer.confirmed
    if standing.answer is Answer.REFUSED and confirmed:
        return None if heard is RequestState.REFUSED else RequestState.REFUSED
    if heard is not _GRANTED or ended is None:
        return None
    final = standing.answer in _FINAL or ended.reason in _BY_THE_HOLDER
    since = _past(ended.at, now)
    return RequestState.ENDED if final or since is None or now >= since + LASTS else None


def warned_of(
    facts: Facts, standing: UseStanding, old: UseStatus | None, told_at: datetime | None
) -> tuple[Warned, ...]:
    """How far the ladders have got. Days to come are not told by a clock that is not trusted."""
    before = () if old is None else old.warned
    if not facts.policy.clock_trusted:
        return before
    terms = tuple(_terms(standing, facts.times))
    granted_now = standing.allowed and told_at == facts.now
    said = frozenset(term.version for term in terms) if granted_now else frozenset[str]()
    return climb(terms, before, facts.times, said).warned


def _terms(standing: UseStanding, times: Times) -> Iterator[Term]:
    """The ends to come of what is granted, by whichever term is the first: of the use as a whole.

    Of REST nobody knows which contract version a consumer calls: it hears of each that ends.
    """
    if not standing.allowed:
        return
    contracts = _contracts(standing)
    if standing.ends_on is not None and standing.ends_on >= times.today:
        yield Term(_kind(standing, contracts), ALL_VERSIONS, standing.ends_on)
    if standing.versions == (ALL_VERSIONS,):
        for contract in contracts:
            end = contract.end_of_life
            if end is None or end < times.today:
                continue
            if standing.ends_on is None or end < standing.ends_on:
                yield Term(NoticeKind.CONTRACT_RETIRING, contract.version, end)


def _contracts(standing: UseStanding) -> tuple[Contract, ...]:
    return () if standing.offer is None else standing.offer.web_service.spec.contracts


def _kind(standing: UseStanding, contracts: tuple[Contract, ...]) -> EndingKind:
    """Whether it is the contract version that ends, or what the holder granted of it."""
    asked, day = standing.use.contract_version, standing.ends_on
    retires = any(one.version == asked and one.end_of_life == day for one in contracts)
    return NoticeKind.CONTRACT_RETIRING if retires else NoticeKind.ACCESS_ENDING


def ledger_room(facts: Facts) -> int:
    """How many tidings more the ledger has room for, beside what it keeps for those of R5 to R8.

    The others are told once there is: nothing is marked as told that was not entered.
    """
    if not facts.policy.channels:
        return len(facts.spec.uses)
    notices = fold(facts.world.service.status.notices, facts.world.deliveries)
    letters = max(1, len(recipients(facts.policy, facts.world.registration)))
    return max((room(notices) - KEPT_FREE) // letters, 0 if any(map(on_its_way, notices)) else 1)


def next_of_uses(facts: Facts) -> Iterator[datetime]:
    """The instants to come at which there is something to tell of the uses by time alone."""
    if not facts.spec.uses and not facts.world.service.status.uses:
        return
    yield from (at for at in _pauses(facts) if at > facts.now)
    terms = (term for use in facts.spec.uses for term in _terms(facts.standing(use), facts.times))
    step = next_climb(terms, facts.times)
    if step is not None:
        yield step


def _pauses(facts: Facts) -> Iterator[datetime]:
    for entry in facts.world.service.status.uses:
        lost = None if entry.ended is None else _past(entry.ended.at, facts.now)
        if entry.told is _GRANTED and lost is not None:
            yield lost + LASTS
        told_at = _past(entry.told_at, facts.now)
        if entry.state is _GRANTED and entry.told is not _GRANTED and told_at is not None:
            yield told_at + AGAIN
