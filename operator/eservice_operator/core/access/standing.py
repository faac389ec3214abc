# SPDX-License-Identifier: Apache-2.0
"""R3, R10: whether each contract version of a grant is allowed now, from objects alone.

The one place where that is judged: for the grant itself, its WebService, its consumer and its agent. No
status of a grant is read, since whoever may write in the holder's namespace may write that, too.

What cannot be told now, as of an object of another version's, opens nothing and ends nothing: a contract
version that the grant's Role gives the right to stays allowed unless anything else that is known ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from eservice_operator.api.grant import ALL_VERSIONS, GrantedVersion
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.assignments import assignment_ends
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.doubt import by_the_clock, every_day, in_doubt
from eservice_operator.core.access.grant_checks import CHECKS, is_production, last_day
from eservice_operator.core.access.proof import (
    is_tested,
    proofs,
    proven_until,
    record_of,
    taken_back,
    untested,
)
from eservice_operator.core.access.terms import Answer, Finding, Standing, Times, is_open_question
from eservice_operator.core.access.turns import turns
from eservice_operator.core.access.version_checks import VERSION_CHECKS


def standings(case: GrantCase, times: Times) -> tuple[Standing, ...]:
    """Each contract version that the grant names, in its order; where it names none, one entry for all.

    A web service asks for its contracts, for its requests and for its agents: it is judged once.
    """
    if times not in case.judged:
        case.judged.clear()
        case.judged[times] = _judged(case, times)
    return case.judged[times]


def _judged(case: GrantCase, times: Times) -> tuple[Standing, ...]:
    if times.trusted:
        return _by_the_clock(case, times)
    return _in_doubt(case, by_the_clock(times))


def _in_doubt(case: GrantCase, times: Times) -> tuple[Standing, ...]:
    """The same while nobody knows the day: see `doubt`."""
    ever = [_by_the_clock(case, at) for at in every_day(turns(case, times.zone), times)]
    return tuple(
        _doubted(case, one, [day[number].allowed for day in ever], times)
        for number, one in enumerate(_by_the_clock(case, times))
    )


def _doubted(case: GrantCase, now: Standing, ever: list[bool], times: Times) -> Standing:
    is_open = now.version in case.opened
    if now.allowed and not is_open and record_of(case, now.version, times) is not None:
        ever = [False]  # the record that has to precede it would bear the date
    found = in_doubt(Finding(now.answer, now.reason, now.message), ever, is_open=is_open)
    return now if found.reason is now.reason else _unclear(now.version, found, now.ends_on, held=is_open)


def _by_the_clock(case: GrantCase, times: Times) -> tuple[Standing, ...]:
    whole = gravest(check(case, times) for check in CHECKS)
    named = case.grant.spec.contract_versions
    if not named:
        return (_standing(case, ALL_VERSIONS, whole, _ends(case, None)),)
    return tuple(_of_version(case, entry, whole, times) for entry in named)


def _of_version(case: GrantCase, entry: GrantedVersion, whole: Finding | None, times: Times) -> Standing:
    finding = gravest((whole, *(check(case, entry, times) for check in VERSION_CHECKS)))
    ends, note = [_ends(case, entry.version)], ""
    if is_open_question(finding) and is_production(case) and case.consumer is not None:
        test = tested(case, entry.version, times)
        if test is None:
            finding = gravest((finding, untested(case, entry.version)))
        else:
            ends.append(test.last_day)
            note = test.note
    return _standing(case, entry.version, finding, _first(ends), note)


def gravest(found: Iterable[Finding | None]) -> Finding | None:
    """The first that says no for certain; where none does, the first by which nobody can tell.

    Of terms that are all over the earliest counts: it ended then, whatever would have ended it later.
    """
    rest = iter(found)
    first = None
    for finding in rest:
        if finding is None:
            continue
        if finding.answer is not Answer.UNCLEAR:
            return _earliest(finding, rest)
        first = first or finding
    return first


def _earliest(no: Finding, rest: Iterable[Finding | None]) -> Finding:
    """What ended first, where a dated term says no and others that are over are among the rest."""
    if no.day is None:
        return no
    dated = [(other.day, other) for other in rest if other is not None and other.day is not None]
    return min([(no.day, no), *dated], key=lambda pair: pair[0])[1]


def _standing(
    case: GrantCase, version: str, finding: Finding | None, ends_on: date | None, note: str = ""
) -> Standing:
    if finding is not None and finding.answer is Answer.UNCLEAR:
        return _unclear(version, finding, ends_on, held=version in case.opened)
    if finding is not None:
        return Standing(version, finding.answer, finding.reason, finding.message, ends_on)
    until = f" until {ends_on}, that day included" if ends_on else ""
    return Standing(version, Answer.ALLOWED, Reason.ACTIVE, f"granted{until}{note}", ends_on)


def _unclear(version: str, finding: Finding, ends_on: date | None, *, held: bool) -> Standing:
    answer = Answer.ALLOWED if held else Answer.WAITING
    return Standing(version, answer, finding.reason, finding.message, ends_on, held=held)


def _ends(case: GrantCase, version: str | None) -> date | None:
    """The last day by every term that is known: of the grant, of the assignment, of the contract version.

    Without a version: of the contract version that is served longest.
    """
    days = [case.grant.spec.valid_until]
    if case.grant.spec.agent is not None and case.assignment is not None:
        days.append(assignment_ends(case.assignment))
    if case.offer is not None and version is None:
        days.append(last_day(case.offer))
    elif case.offer is not None and version is not None:
        contract = case.offer.web_service.contract(version)
        days.append(None if contract is None else contract.end_of_life)
    return _first(days)


def _first(days: list[date | None]) -> date | None:
    return min((day for day in days if day is not None), default=None)


@dataclass(frozen=True, slots=True)
class Tested:
    """That a connection was tested, and how long that counts."""

    last_day: date | None
    note: str
    """What is to be said where not all is left of it, and what of it still counts."""


def tested(case: GrantCase, version: str, times: Times) -> Tested | None:
    """R10: whether the connection to this very contract version was tested; of several proofs the longest."""
    records, live = tuple(proofs(case, version, times)), tuple(_open_there(case, version, times))
    days = [*map(proven_until, records), *live]
    if not days:
        return None
    last = None if None in days else max(day for day in days if day is not None)
    revoked = taken_back(case, version, times)
    if revoked is not None:
        by = "an open test grant" if live else f"ConnectionTest {records[0].metadata.name}"
        note = f"; ConnectionTest {revoked.metadata.name} is revoked: the connection is shown by {by}"
        return Tested(last, note)
    if live or any(record.spec.observed is None for record in records):
        return Tested(last, "")
    return Tested(last, f"; its test grant is closed, which {records[0].metadata.name} makes up for")


def _open_there(case: GrantCase, version: str, times: Times) -> Iterator[date | None]:
    """The last day of each grant of the version at ``testedAs`` that is allowed now."""
    for other in case.tested:
        if is_tested(case, other):
            for standing in standings(other, times):
                if standing.version == version and standing.allowed and not standing.held:
                    yield standing.ends_on
