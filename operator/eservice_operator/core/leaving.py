# SPDX-License-Identifier: Apache-2.0
"""How an e-service leaves the public route, as Events tell it: taken off, in doubt from outside, and gone.

One that stays on its route and is not served there, as when its gateway is gone, does not leave it.
"""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.course import PhaseChange
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.reasons import Phase, Reason
from eservice_operator.core.answering import UNSERVED
from eservice_operator.core.tidings import SERVED, last_end, was_unpublished

SEEN_OTHERWISE = frozenset({Reason.STILL_ANSWERS, Reason.ANSWERED_BY_OTHER, Reason.DOES_NOT_ANSWER})
"""What is seen from outside, and is not what the route shows."""
FAILURES = UNSERVED - {Reason.AWAITING_GATEWAY}
"""Why a gateway does not serve a route that is there, once it had its time to answer."""


def leaves(old: EServiceStatus, new: EServiceStatus, before: Condition | None, after: Condition) -> bool:
    """Whether it is taken off the public route now; whether it still answers there is another matter."""
    if after.status is ConditionStatus.TRUE or before is None or after.reason in UNSERVED:
        return False
    doubted = before.status is ConditionStatus.UNKNOWN and old.phase in SERVED
    was_on = doubted or before.reason in UNSERVED
    unread = new.phase is Phase.INVALID and after.status is ConditionStatus.FALSE
    off = new.phase in {Phase.UNPUBLISHED, Phase.PAUSED} or unread
    return before.status is ConditionStatus.TRUE or (was_on and off)


def fails(old: EServiceStatus, before: Condition | None, after: Condition) -> bool:
    """Whether a gateway does not serve what it served, on a route that is there."""
    if after.status is not ConditionStatus.FALSE or after.reason not in FAILURES:
        return False
    on_route = {*SERVED, Phase.INSTALLING, Phase.INVALID}
    lately = takewhile(lambda change: change.phase in on_route, reversed(old.history))
    return (before is None or before.reason != after.reason) and any(one.phase in SERVED for one in lately)


def is_gone(old: EServiceStatus, new: EServiceStatus, before: Condition | None, after: Condition) -> bool:
    """Whether what left the public route no longer answers there, for the first time since it left.

    What is seen again for a while had been gone before: then it is in doubt since later than it left. Where
    the spec cannot be read, the history may not say when it left. Then the ledger says whether people know,
    and without channels it is told each time.
    """
    if before is None or after.status is not ConditionStatus.FALSE:
        return False
    if before.status is ConditionStatus.FALSE:  # a pause had taken it off, and R8 keeps it off
        paused = before.reason in {Reason.PAUSED, Reason.REGISTRATION_SUSPENDED}
        return paused and after.reason == Reason.TEMPLATE_OVERDUE and not was_unpublished(old)
    if before.status is not ConditionStatus.UNKNOWN:
        return False
    left_at = _left_at(new.history)
    if new.phase is Phase.INVALID:
        known = (
            last_end(old) is NoticeKind.UNPUBLISHED
            if left_at is None
            else left_at < before.last_transition_time
        )
        return after.reason == Reason.TEMPLATE_OVERDUE and not known
    left = left_at is not None and left_at >= before.last_transition_time
    return new.phase is Phase.UNPUBLISHED and left


def _left_at(history: tuple[PhaseChange, ...]) -> datetime | None:
    """When it was taken off the public route for the last time; from paused to unpublished it stays off."""
    left_at = None
    for change in reversed(history):
        if change.phase in SERVED or change.phase is Phase.INSTALLING:
            break
        if change.phase is not Phase.INVALID:  # which says nothing of the route
            left_at = change.at
    return left_at


def comes_into_doubt(before: Condition | None, after: Condition) -> bool:
    """Whether something else is seen from outside than the route shows, beyond the moments after a change."""
    return after.reason in SEEN_OTHERWISE and (before is None or before.reason != after.reason)
