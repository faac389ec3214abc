# SPDX-License-Identifier: Apache-2.0
"""R8: the sets of decisions that the brake holds, as the status of their template lists them."""

from __future__ import annotations

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.template import HeldSet
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.recorded import recorded_ground

MOST_SETS = 16
MOST_NAMES = 100


def held_sets(fleet: Fleet) -> tuple[HeldSet, ...]:
    """The newest sets that still hold a decision, the oldest of them first."""
    members: dict[str, list[UnpublishDecision]] = {}
    for decision in fleet.decisions:
        if is_held(decision):
            members.setdefault(str(decision.status.hold_token), []).append(decision)
    sets = [_held_set(token, decisions) for token, decisions in members.items()]
    return tuple(sorted(sets, key=lambda one: (one.since, one.token))[-MOST_SETS:])


def is_held(decision: UnpublishDecision) -> bool:
    """Whether a decision is in a set that has not been released."""
    status = decision.status
    if status.hold_token is None or status.released_at is not None:
        return False
    return status.state not in (DecisionState.CLOSED, DecisionState.EFFECTIVE)


def _held_set(token: str, decisions: list[UnpublishDecision]) -> HeldSet:
    since = min(decision.status.held_since or decision.spec.decided_at for decision in decisions)
    names = sorted(decision.metadata.name for decision in decisions)
    return HeldSet(
        token=token,
        since=since,
        count=len(names),
        decisions=tuple(names[:MOST_NAMES]),
        caused_by=tuple(sorted({_cause(decision) for decision in decisions})),
    )


def _cause(decision: UnpublishDecision) -> str:
    return recorded_ground(decision).caused_by or decision.spec.release.template.version
