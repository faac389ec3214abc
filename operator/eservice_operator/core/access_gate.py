# SPDX-License-Identifier: Apache-2.0
"""R3: the gate of web services, and what a release that the public is served has lost of them.

Both say no more about a web service than its consumer may know: see `access.using`.
"""

from __future__ import annotations

from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import ConditionType, Gate, Reason
from eservice_operator.core.access.lacking import fallen_short
from eservice_operator.core.access.naming import named
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import local_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Unmet, holds_install
from eservice_operator.core.used import ended_before

ROOM = 1500
"""Characters that the web services of a message may take; the rest of them is counted."""
INSTITUTION_MENDS = frozenset(
    {
        Reason.REFUSED,
        Reason.CONTRACT_UNKNOWN,
        Reason.CONTRACT_RETIRED,
        Reason.ENVIRONMENT_MISMATCH,
        Reason.CONSUMER_NOT_REGISTERED,
        Reason.EVIDENCE_MISSING,
        Reason.TEST_MISSING,
    }
)
"""What the holder cannot supply: another use, a place of its own, the test and its evidence."""


def access_granted(facts: Facts, subject: Subject) -> Unmet | None:
    """Every web service that the release uses is granted by its holder, in every environment, and open."""
    uses = subject.snapshot.uses
    missing = (*facts.not_granted(uses), *fallen_short(map(facts.standing, uses)))
    if not missing:
        return None
    lost = {standing.use for standing in lost_access(facts)}
    reasons = {standing.reason for standing in missing}
    reason = reasons.pop() if len(reasons) == 1 else Reason.ACCESS_NOT_GRANTED
    if all(standing.use in lost for standing in missing):
        reason = Reason.ACCESS_LOST
    return holds_install(Gate.ACCESS_GRANTED, reason, told_of(facts, missing), _owner(missing), "R3")


def _owner(missing: tuple[UseStanding, ...]) -> GateOwner:
    """Who moves next: what others owe is no excuse for what the institution does."""
    reasons = {standing.reason for standing in missing}
    if reasons & INSTITUTION_MENDS:
        return GateOwner.INSTITUTION
    if reasons == {Reason.OPENING}:
        return GateOwner.OPERATOR
    return GateOwner.AGENCY if reasons == {Reason.HOLDER_NOT_CONFIRMED} else GateOwner.HOLDER


def lost_access(facts: Facts) -> tuple[UseStanding, ...]:
    """The uses of the public release that ended: none runs before each of them was granted.

    Who is being deleted gives up what it may call, and loses nothing.
    """
    leaves = facts.world.service.metadata.deletion_timestamp is not None
    return () if leaves or facts.public is None else facts.not_granted(facts.public.uses)


def told_of(facts: Facts, missing: tuple[UseStanding, ...]) -> str:
    """Each web service with what is missing of it, and whom to turn to; as many as there is room for."""
    told: list[str] = []
    room = ROOM
    for standing in missing:
        sentence = _sentence(facts, standing)
        if told and len(sentence) > room:
            told.append(f"and {len(missing) - len(told)} more")
            break
        told.append(sentence)
        room -= len(sentence)
    return "; ".join(told)


def more_is_lost(old: EServiceStatus, new: EServiceStatus) -> bool:
    """Whether a release that runs without web services runs without another one by now."""
    before, after = (find(status.conditions, ConditionType.ACCESS_GRANTED) for status in (old, new))
    if before is None or after is None or not before.reason == after.reason == Reason.ACCESS_LOST:
        return False
    known = {entry.name for entry in old.uses if entry.ended is not None}
    fresh = (entry.name for entry in new.uses if entry.ended is not None and entry.name not in known)
    return any(f" ({name}): " in after.message for name in fresh)


def _sentence(facts: Facts, standing: UseStanding) -> str:
    said = f"{named(standing.use)} ({standing.use.name}): {one_line(standing.message)}"
    ended = ended_before(facts, standing)
    if ended is not None:
        said += f" (it ended on {local_day(ended.at, facts.policy.zone)}: {one_line(ended.message)})"
    if standing.offer is None or not standing.contact:
        return said
    return (
        f"{said}, holder {one_line(standing.offer.web_service.spec.holder.institution)} <{standing.contact}>"
    )
