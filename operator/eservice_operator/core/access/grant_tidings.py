# SPDX-License-Identifier: Apache-2.0
"""R3, R10: what the consumer of a grant is told: that it may call, until when, no longer, or not at all.

Read off the old status and the new one. What a first status says of an old grant lies in the past. What is
lost for want of something may come back in a moment, as when a Service is made anew: it is told if it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.grant import (
    ALL_VERSIONS,
    GrantedVersionStatus,
    GrantState,
    WebServiceGrantStatus,
)
from eservice_operator.api.notices import EndingKind, NoticeKind
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.grant_checks import in_question
from eservice_operator.core.access.ladder import Term, climb, next_climb
from eservice_operator.core.access.terms import Answer, Standing, Times
from eservice_operator.core.dates import instant
from eservice_operator.core.releases import short_hash
from eservice_operator.core.tidings import Tiding

LASTS: Final = timedelta(minutes=15)
"""After so long what is lost, and could come back, counts as ended."""
NEWS: Final = timedelta(days=7)
"""A first status speaks of a grant that is no older: the operator may have been away when it was written."""
_FINAL: Final = frozenset({Answer.OVER, Answer.REFUSED})


@dataclass(frozen=True)
class Telling:
    """The new status with what it remembers for the next time, and what there is to tell."""

    status: WebServiceGrantStatus
    tidings: tuple[Tiding, ...]


def of_grant(
    case: GrantCase,
    judged: Mapping[str, Standing],
    new: WebServiceGrantStatus,
    times: Times,
    *,
    trusted: bool,
) -> Telling:
    """What a change of a grant's status tells its consumer; ``judged`` are its standings by version.

    Days to come are not told by a clock that is not ``trusted``.
    """
    old = case.grant.status
    before = {entry.version: entry for entry in old.contract_versions}
    tidings: list[Tiding] = []
    entries = []
    for entry in new.contract_versions:
        lost, told = _turned(before.get(entry.version), entry, judged.get(entry.version), times)
        entries.append(entry.model_copy(update={"lost_at": lost}))
        tidings += told
    tidings += _vanished(before, {entry.version for entry in entries}, times)
    if _past(case, times):
        tidings.clear()
    tidings += _refused(case, new, tidings, times)
    new = new.model_copy(update={"contract_versions": tuple(entries), "warned": old.warned})
    if not trusted:
        return Telling(new, tuple(tidings))
    said = frozenset(one.about for one in tidings if one.kind is NoticeKind.ACCESS_GRANTED)
    climbed = climb(terms(case, new, times), old.warned, times, said)
    return Telling(new.model_copy(update={"warned": climbed.warned}), (*tidings, *climbed.tidings))


def _turned(
    old: GrantedVersionStatus | None, new: GrantedVersionStatus, standing: Standing | None, times: Times
) -> tuple[datetime | None, list[Tiding]]:
    """Since when a version is lost without its consumer being told, and what is told of it now."""
    was_open, lost = _open(old), None if old is None else old.lost_at
    if _open(new):
        if was_open or lost is not None:
            return None, []
        return None, [_tiding(NoticeKind.ACCESS_GRANTED, new.version, times)]
    lost = times.now if was_open else lost
    if lost is None or (standing is not None and standing.allowed):
        return lost, []
    final = standing is None or standing.answer in _FINAL
    if not final and times.now < lost + LASTS:
        return lost, []
    return None, [_ended(new.version, times)]


def _open(entry: GrantedVersionStatus | None) -> bool:
    return entry is not None and entry.state is GrantState.ACTIVE


def _vanished(before: Mapping[str, GrantedVersionStatus], there: set[str], times: Times) -> Iterator[Tiding]:
    """Versions that the grant named, and that were closed in one go after they had left it."""
    for version, entry in before.items():
        if version not in there and (_open(entry) or entry.lost_at is not None):
            yield _ended(version, times)


def _tiding(kind: NoticeKind, version: str, times: Times) -> Tiding:
    return Tiding(kind, f"{version} {instant(times.now)}", about=version)


def _ended(version: str, times: Times) -> Tiding:
    return replace(_tiding(NoticeKind.ACCESS_ENDED, version, times), due=times.today)


def _past(case: GrantCase, times: Times) -> bool:
    """Whether a first status shows what has long been so."""
    created = case.grant.metadata.creation_timestamp
    old = created is None or created < times.now - NEWS
    return old and case.grant.status.observed_generation < 0


def _refused(
    case: GrantCase, new: WebServiceGrantStatus, told: list[Tiding], times: Times
) -> Iterator[Tiding]:
    """The answer is no, to an e-service that had asked and was not let in before: then it has ended."""
    refusal, old = case.grant.spec.refused, case.grant.status
    answered = new.state is GrantState.REFUSED and old.state is not GrantState.REFUSED
    if refusal is None or not answered or told or _past(case, times):
        return
    was_let_in = any(entry.state is GrantState.REVOKING for entry in old.contract_versions)
    confirmed = case.offer is not None and case.offer.confirmed
    if confirmed and not was_let_in and in_question(case):
        yield Tiding(NoticeKind.ACCESS_REFUSED, short_hash(refusal.reason, 10), about=ALL_VERSIONS)


def terms(case: GrantCase, status: WebServiceGrantStatus, times: Times) -> Iterator[Term]:
    """The ends to come of what is open, by whichever term is the first.

    Of REST nobody knows which contract version a consumer calls: it hears of each that ends.
    """
    for entry in status.contract_versions:
        if not _open(entry):
            continue
        if entry.ends_on is not None and entry.ends_on >= times.today:
            yield Term(_kind(case, entry), entry.version, entry.ends_on)
        if entry.version == ALL_VERSIONS and case.offer is not None:
            for contract in case.offer.web_service.spec.contracts:
                end = contract.end_of_life
                if end is not None and end >= times.today and (entry.ends_on is None or end < entry.ends_on):
                    yield Term(NoticeKind.CONTRACT_RETIRING, contract.version, end)


def _kind(case: GrantCase, entry: GrantedVersionStatus) -> EndingKind:
    """Whether it is the contract version that ends, or what the holder granted of it."""
    contract = None if case.offer is None else case.offer.web_service.contract(entry.version)
    retires = contract is not None and contract.end_of_life == entry.ends_on
    return NoticeKind.CONTRACT_RETIRING if retires else NoticeKind.ACCESS_ENDING


def next_tiding(case: GrantCase, status: WebServiceGrantStatus, times: Times) -> datetime | None:
    """The next instant at which there is something to tell by time alone."""
    lost = [entry.lost_at + LASTS for entry in status.contract_versions if entry.lost_at is not None]
    step = next_climb(terms(case, status, times), times)
    instants = [*(at for at in lost if at > times.now), *([] if step is None else [step])]
    return min(instants, default=None)
