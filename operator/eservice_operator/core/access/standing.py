# SPDX-License-Identifier: Apache-2.0
"""R3, R10: whether each contract version of a grant is allowed now, from objects alone.

The one place where that is judged: for the grant itself, its WebService, its consumer and its agent. No
status of a grant is read, since whoever may write in the holder's namespace may write that, too.
"""

from __future__ import annotations

from datetime import date

from eservice_operator.api.grant import ALL_VERSIONS, GrantedVersion
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.assignments import assignment_ends
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.grant_checks import CHECKS, all_requested, is_production
from eservice_operator.core.access.proof import is_tested, untested
from eservice_operator.core.access.terms import Answer, Finding, Standing, Times
from eservice_operator.core.access.version_checks import VERSION_CHECKS


def standings(case: GrantCase, times: Times) -> tuple[Standing, ...]:
    """Each contract version that the grant names, in its order; for REST the one entry that stands for all.

    Where SOAP names none, there is one entry, too: it says so.
    """
    whole = next((found for check in CHECKS if (found := check(case, times)) is not None), None)
    versions = case.grant.spec.contract_versions
    if case.offer is None or case.offer.web_service.spec.protocol is Protocol.REST or not versions:
        ends = _ends_on(case, None)
        finding = whole or all_requested(case)
        return (_standing(ALL_VERSIONS, finding, ends),)
    return tuple(
        _standing(entry.version, whole or _of_version(case, entry, times), _ends_on(case, entry.version))
        for entry in versions
    )


def _standing(version: str, finding: Finding | None, ends_on: date | None) -> Standing:
    if finding is not None:
        return Standing(version, finding.answer, finding.reason, finding.message, ends_on)
    until = f" until {ends_on}, that day included" if ends_on else ""
    return Standing(version, Answer.ALLOWED, Reason.ACTIVE, f"granted{until}", ends_on)


def _of_version(case: GrantCase, entry: GrantedVersion, times: Times) -> Finding | None:
    for check in (*VERSION_CHECKS, tested):
        found = check(case, entry, times)
        if found is not None:
            return found
    return None


def _ends_on(case: GrantCase, version: str | None) -> date | None:
    """The last day by every term that is known: of the grant, of the assignment, of the contract version."""
    days = [case.grant.spec.valid_until]
    if case.grant.spec.agent is not None and case.assignment is not None:
        days.append(assignment_ends(case.assignment))
    contract = case.offer.web_service.contract(version) if case.offer is not None and version else None
    days.append(None if contract is None else contract.end_of_life)
    return min((day for day in days if day is not None), default=None)


def tested(case: GrantCase, entry: GrantedVersion, times: Times) -> Finding | None:
    """R10: in Production the connection to this very contract version was tested before."""
    if not is_production(case):
        return None
    allows = any(
        standing.version == entry.version and standing.allowed
        for other in case.tested
        if is_tested(case, other)
        for standing in standings(other, times)
    )
    return None if allows else untested(case, entry.version, times)
