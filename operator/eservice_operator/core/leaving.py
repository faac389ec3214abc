# SPDX-License-Identifier: Apache-2.0
"""How an e-service leaves the public route, as Events tell it: taken off, in doubt from outside, and gone."""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.eservice import EServiceStatus, PhaseChange
from eservice_operator.api.reasons import Phase, Reason
from eservice_operator.core.tidings import SERVED

SEEN_OTHERWISE = frozenset({Reason.STILL_ANSWERS, Reason.ANSWERED_BY_OTHER, Reason.DOES_NOT_ANSWER})
"""What is seen from outside, and is not what the route shows."""


def leaves(old: EServiceStatus, new: EServiceStatus, before: Condition | None, after: Condition) -> bool:
    """Whether it is taken off the public route now; whether it still answers there is another matter."""
    if after.status is ConditionStatus.TRUE or before is None:
        return False
    doubted = before.status is ConditionStatus.UNKNOWN and old.phase in SERVED
    return before.status is ConditionStatus.TRUE or (
        doubted and new.phase in {Phase.UNPUBLISHED, Phase.PAUSED}
    )


def is_gone(new: EServiceStatus, before: Condition | None, after: Condition) -> bool:
    """Whether what left the public route no longer answers there, for the first time since it left.

    What is seen again for a while had been gone before: then it is in doubt since later than it left.
    """
    if before is None or (before.status, after.status) != (ConditionStatus.UNKNOWN, ConditionStatus.FALSE):
        return False
    if new.phase is Phase.INVALID:  # which hides when it left
        return after.reason == Reason.TEMPLATE_OVERDUE and before.reason == Reason.AWAITING_PROBE
    left_at = _left_at(new.history)
    left = left_at is not None and left_at >= before.last_transition_time
    return new.phase is Phase.UNPUBLISHED and left


def _left_at(history: tuple[PhaseChange, ...]) -> datetime | None:
    """When it was taken off the public route for the last time; from paused to unpublished it stays off."""
    left_at = None
    for change in reversed(history):
        if change.phase in SERVED:
            break
        if change.phase is not Phase.INVALID:  # which says nothing of the route
            left_at = change.at
    return left_at


def comes_into_doubt(before: Condition | None, after: Condition) -> bool:
    """Whether something else is seen from outside than the route shows, beyond the moments after a change."""
    return after.reason in SEEN_OTHERWISE and (before is None or before.reason != after.reason)
