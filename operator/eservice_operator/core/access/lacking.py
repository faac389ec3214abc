# SPDX-License-Identifier: Apache-2.0
"""R3: what a use that is allowed lacks all the same, as the status of its grant says it.

For people to read, and for what is installed next. It opens and closes nothing: whoever may write in the
holder's namespace may write that status, too (see `standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.grant import GrantState, WebServiceGrant
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.access.terms import Answer, Finding, waiting
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.conditions import find

HINDRANCES: Final = frozenset({Reason.OPENING, Reason.NAME_COLLISION, Reason.REJECTED})
"""Why a contract version that is allowed is not open: no other reason of a grant is one of these."""

BY_SETTINGS: Final = frozenset({Reason.BACKEND_NOT_ALLOWED})
"""What closes a grant by the operator's settings, which whoever reads the objects alone does not know."""

NOT_COPIED: Final = frozenset(
    {
        Reason.CREDENTIALS_MISSING,
        Reason.CREDENTIALS_WRONG_TYPE,
        Reason.CREDENTIALS_TOO_LARGE,
        Reason.CREDENTIALS_FORBIDDEN,
        Reason.NAME_COLLISION,
    }
)
"""Why the credentials of a grant are not with its consumer; of anything else nothing is known."""


def lack_of(standing: UseStanding) -> Finding | None:
    """What keeps an e-service from calling although it may; None where nothing does, or it may not.

    An answer of `Answer.ALLOWED` lets it call, and says what it does without.
    """
    if not standing.allowed or standing.grant is None:
        return None
    grant = standing.grant.grant
    found = [hindrance(grant, version) for version in standing.versions]
    if found and None not in found:
        return found[0]
    if standing.agent is not None:
        return None
    return _drift(grant, standing.versions) or without_credentials(grant, standing.message)


def is_seen_open(standing: UseStanding) -> bool:
    """Whether the status of its grant says that any of what is allowed is open."""
    if not standing.allowed or standing.grant is None:
        return standing.allowed
    grant = standing.grant.grant
    return any(hindrance(grant, version) is None for version in standing.versions)


def fallen_short(standings: Iterable[UseStanding]) -> Iterator[UseStanding]:
    """Those of them that are not open, which is said in the place of until when they are granted."""
    return _lacking(standings, Answer.WAITING)


def doing_without(standings: Iterable[UseStanding]) -> Iterator[UseStanding]:
    """Those of them that are open and lack something, with what that is."""
    return _lacking(standings, Answer.ALLOWED)


def _lacking(standings: Iterable[UseStanding], answer: Answer) -> Iterator[UseStanding]:
    for standing in standings:
        lack = lack_of(standing)
        if lack is not None and lack.answer is answer:
            yield replace(standing, reason=lack.reason, message=lack.message)


def hindrance(grant: WebServiceGrant, version: str) -> Finding | None:
    """Why an allowed contract version is not open: only where its status says so it is, of whichever spec.

    Why it is not, in the words of the status, counts of the spec as it is.
    """
    entry = next((one for one in grant.status.contract_versions if one.version == version), None)
    if entry is not None and entry.state is GrantState.ACTIVE:
        return None
    current = grant.status.observed_generation == grant.metadata.generation
    if entry is not None and current:
        held_up = entry.state is GrantState.PENDING and entry.reason in HINDRANCES
        if held_up or entry.reason in BY_SETTINGS:
            return waiting(Reason(entry.reason), entry.message)
    return waiting(Reason.OPENING, "granted, and not yet open: it is being opened")


def _drift(grant: WebServiceGrant, versions: Iterable[str]) -> Finding | None:
    """What is open, and not as it should be."""
    for entry in grant.status.contract_versions:
        if entry.version in versions and entry.state is GrantState.ACTIVE and entry.reason == Reason.DRIFTED:
            return Finding(Answer.ALLOWED, Reason.DRIFTED, entry.message)
    return None


def without_credentials(grant: WebServiceGrant, granted: str) -> Finding | None:
    """Why the key that belongs to an open grant is not with its consumer."""
    copied = find(grant.status.conditions, ConditionType.CREDENTIALS_COPIED)
    if grant.spec.credentials is None or copied is None or copied.status is not ConditionStatus.FALSE:
        return None
    if copied.reason not in NOT_COPIED:
        return None
    text = f"{granted}; without its credentials: {copied.message}"
    return Finding(Answer.ALLOWED, Reason(copied.reason), text)
