# SPDX-License-Identifier: Apache-2.0
"""R3, R10: the uses of an e-service in its status, with what its institution has heard of each.

They are judged from specs alone, by the same judgement as the grant itself; the status of before tells since
when, what ended, and what was told. What is told follows from how things stand, not from how they changed: so
nothing is lost while the operator is away, and what flaps is told of once.
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
from eservice_operator.core.access.lacking import fallen_short, is_seen_open
from eservice_operator.core.access.ladder import Term, climb, next_climb
from eservice_operator.core.access.naming import named
from eservice_operator.core.access.requesting import request_state
from eservice_operator.core.access.terms import Answer, Times, is_open_question
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.conditions import told
from eservice_operator.core.facts import Facts

LASTS: Final = timedelta(minutes=15)
"""After so long what is lost, and could come back in a moment, as when a Service is made anew, has ended."""
AGAIN: Final = timedelta(hours=1)
"""So long after an institution was told anything of a use it is told no sooner that it is granted again:
whoever grants and refuses in turn sends it two letters an hour."""
NEWS: Final = timedelta(days=7)
"""A first status speaks of an e-service that is no older: the operator may have been away meanwhile."""
_GRANTED: Final = RequestState.GRANTED
_FINAL: Final = frozenset({Answer.OVER, Answer.REFUSED})
_BY_THE_HOLDER: Final = frozenset({Reason.CLOSING.value, Reason.VERSION_NOT_GRANTED.value})
"""Ends that the holder meant: the grant is gone, or names the version no more."""


def used(facts: Facts) -> tuple[UseStatus, ...]:
    """How each use that the spec names stands now, in the order of the spec."""
    old = facts.world.service.status.uses
    if facts.world.service.metadata.deletion_timestamp is not None:
        return old
    before = {(entry.name, entry.web_service): entry for entry in old}
    standings = map(facts.standing, facts.spec.uses)
    return tuple(_entry(facts, one, before.get((one.use.name, named(one.use)))) for one in standings)


def ended_before(facts: Facts, standing: UseStanding) -> EndedUse | None:
    """Why a use that was granted is not any more, where that is not what is said of it now."""
    for entry in facts.world.service.status.uses:
        if (entry.name, entry.web_service) == (standing.use.name, named(standing.use)):
            ended = _ended(standing, entry, facts.now)
            return None if ended is None or ended.reason == standing.reason else ended
    return None


def _entry(facts: Facts, standing: UseStanding, old: UseStatus | None) -> UseStatus:
    state = request_state(standing)
    ended = _ended(standing, old, facts.now)
    heard, told_at = _heard(facts, standing, ended, old)
    holder, contact = _holder(standing, old)
    shown = next(fallen_short([standing]), standing)
    return UseStatus(
        name=standing.use.name,
        web_service=named(standing.use),
        holder=holder,
        contact=contact,
        state=state,
        reason=shown.reason.value,
        message=told(shown.message),
        since=facts.now if old is None or old.state is not state else old.since,
        ends_on=standing.ends_on,
        ended=ended,
        told=heard,
        told_at=told_at,
        warned=_warned(facts, standing, old, granted_now=heard is _GRANTED and told_at == facts.now),
    )


def _ended(standing: UseStanding, old: UseStatus | None, now: datetime) -> EndedUse | None:
    """Since when and why a use is not granted any more: what ended it first counts."""
    if standing.allowed or old is None:
        return None
    if old.ended is not None or _GRANTED not in (old.state, old.told):
        return old.ended
    if _is_gone(standing):
        return EndedUse(at=now, reason=Reason.CLOSING.value, message="the grant was deleted")
    return EndedUse(at=now, reason=standing.reason.value, message=told(standing.message))


def _is_gone(standing: UseStanding) -> bool:
    """Whether nothing is left of a grant, not even one of other versions."""
    answered = standing.grant is not None or standing.use.agent is not None
    return not answered and standing.reason is not Reason.VERSION_NOT_GRANTED


def _holder(standing: UseStanding, old: UseStatus | None) -> tuple[str | None, str | None]:
    """Institution and address of the holder; who was granted a web service goes on knowing whose it is."""
    if standing.offer is not None:
        return standing.offer.web_service.spec.holder.institution, standing.contact or None
    if old is not None and (old.state is _GRANTED or old.ended is not None):
        return old.holder, old.contact
    return None, None


def _heard(
    facts: Facts, standing: UseStanding, ended: EndedUse | None, old: UseStatus | None
) -> tuple[Heard | None, datetime | None]:
    """What the institution was told last, and when; now, where there is news."""
    if old is None and _is_past(facts):
        return _long_so(standing), None
    heard, at = (None, None) if old is None else (old.told, old.told_at)
    if not is_open_question(consumer_finding(facts.world.access.consumer, None, "")):
        return heard, at  # whoever only claims a registration brings its contacts no letter
    news = _news(standing, ended, heard, at, facts.now)
    return (heard, at) if news is None else (news, facts.now)


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
    return RequestState.ENDED if final or now >= ended.at + LASTS else None


def _warned(
    facts: Facts, standing: UseStanding, old: UseStatus | None, *, granted_now: bool
) -> tuple[Warned, ...]:
    """How far the ladders have got. Days to come are not told by a clock that is not trusted."""
    before = () if old is None else old.warned
    if not facts.policy.clock_trusted:
        return before
    terms = tuple(_terms(standing, facts.times))
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


def ends_to_come(facts: Facts) -> Iterator[tuple[str, Term]]:
    """Each end to come of what is granted, with the name of the use."""
    for use in facts.spec.uses:
        for term in _terms(facts.standing(use), facts.times):
            yield use.name, term


def next_of_uses(facts: Facts) -> Iterator[datetime]:
    """The instants to come at which there is something to tell of the uses by time alone."""
    yield from (at for at in _pauses(facts) if at > facts.now)
    step = next_climb((term for _, term in ends_to_come(facts)), facts.times)
    if step is not None:
        yield step


def _pauses(facts: Facts) -> Iterator[datetime]:
    for entry in facts.world.service.status.uses:
        if entry.told == _GRANTED and entry.ended is not None:
            yield entry.ended.at + LASTS
        granted_again = entry.state is _GRANTED and entry.told != _GRANTED
        if granted_again and entry.told_at is not None:
            yield entry.told_at + AGAIN
