# SPDX-License-Identifier: Apache-2.0
"""R10: what keeps one contract version of a SOAP grant closed, one small function for each."""

from __future__ import annotations

from collections.abc import Callable

from eservice_operator.api.base import SignedDocument
from eservice_operator.api.grant import Evidence, GrantedVersion
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.asking import asks, not_requested
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.grant_checks import GRANT, is_production
from eservice_operator.core.access.terms import Finding, Times, last_day_was, over, waiting

VersionCheck = Callable[[GrantCase, GrantedVersion, Times], Finding | None]


def contract_known(case: GrantCase, entry: GrantedVersion, _times: Times) -> Finding | None:
    """The web service has the contract version."""
    if case.offer is None or case.offer.web_service.contract(entry.version) is not None:
        return None
    text = f"{case.grant.spec.web_service} has no contract version {entry.version}"
    return waiting(Reason.CONTRACT_UNKNOWN, text)


def contract_alive(case: GrantCase, entry: GrantedVersion, times: Times) -> Finding | None:
    """R10: after its end of life a contract version is closed to everybody, and opened to nobody."""
    contract = None if case.offer is None else case.offer.web_service.contract(entry.version)
    end = None if contract is None else contract.end_of_life
    if end is None or times.today <= end:
        return None
    text = f"contract version {entry.version} reached its end of life: {last_day_was(end)}"
    return over(Reason.CONTRACT_RETIRED, text, end)


def version_requested(case: GrantCase, entry: GrantedVersion, _times: Times) -> Finding | None:
    """R3: the consumer has asked for this very contract version."""
    if any(use.contract_version == entry.version for use in asks(case)):
        return None
    return not_requested(case, f"{case.grant.spec.web_service} {entry.version}")


def evidenced(case: GrantCase, entry: GrantedVersion, _times: Times) -> Finding | None:
    """R10: in Production both documents of this very contract version are there."""
    if not is_production(case) or GRANT in case.unread:
        return None
    missing = [what for what, document in documents(entry.evidence) if document is None]
    if not missing:
        return None
    text = f"{entry.version} lacks in Production: evidence.{' and evidence.'.join(missing)}"
    return waiting(Reason.EVIDENCE_MISSING, text)


def documents(evidence: Evidence | None) -> tuple[tuple[str, SignedDocument | None], ...]:
    """The two documents that show that a consumer is ready, by the names of their fields."""
    given = evidence or Evidence()
    return ("selfDeclaration", given.self_declaration), ("endToEnd", given.end_to_end)


VERSION_CHECKS: tuple[VersionCheck, ...] = (
    contract_known,
    contract_alive,
    version_requested,
    evidenced,
)
"""All but the test, which asks about other grants (see `standing`)."""
