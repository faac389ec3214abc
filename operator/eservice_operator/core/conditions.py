# SPDX-License-Identifier: Apache-2.0
"""Conditions: merged with the earlier ones so that lastTransitionTime moves only when a status flips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.reasons import ConditionType, Reason

MESSAGE_LIMIT = 2000
"""Characters of a message in a status; the schema allows twice as many."""

PRESENT_WHILE_TRUE = (ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.BRAKE_ENGAGED)
SUMMARY = frozenset({ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED})
"""Whether the operator has done its part; the others are about the e-service."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition has to say now."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str = ""


def true(kind: ConditionType, reason: Reason, message: str = "") -> Verdict:
    """A condition that holds."""
    return Verdict(kind, ConditionStatus.TRUE, reason, message)


def false(kind: ConditionType, reason: Reason, message: str = "") -> Verdict:
    """A condition that does not hold."""
    return Verdict(kind, ConditionStatus.FALSE, reason, message)


def unknown(kind: ConditionType, reason: Reason, message: str = "") -> Verdict:
    """A condition of which nothing can be said."""
    return Verdict(kind, ConditionStatus.UNKNOWN, reason, message)


def reconciling(reason: Reason, message: str) -> tuple[Verdict, ...]:
    """It is not done yet."""
    return false(ConditionType.READY, reason, message), true(ConditionType.RECONCILING, reason, message)


def stalling(reason: Reason, message: str) -> tuple[Verdict, ...]:
    """It is not done, and trying again does not help."""
    return false(ConditionType.READY, reason, message), true(ConditionType.STALLED, reason, message)


def told(message: str) -> str:
    """A message as long as a status holds."""
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"


def merge(
    earlier: Iterable[Condition], verdicts: Iterable[Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions of the new status, sorted by type with Ready first.

    Reconciling and Stalled are left out unless True. ``now`` becomes the transition time of a condition
    whose status flipped or that is new; whole seconds.
    """
    before = {condition.type: condition for condition in earlier}
    merged = []
    for verdict in verdicts:
        if verdict.type in PRESENT_WHILE_TRUE and verdict.status is not ConditionStatus.TRUE:
            continue
        merged.append(_next(before.get(verdict.type), verdict, max(generation, 0), now))
    return _sorted(merged)


def _next(old: Condition | None, verdict: Verdict, generation: int, now: datetime) -> Condition:
    """The condition that follows an earlier one; the very same if that is what it says."""
    reason, message, since = verdict.reason.value, told(verdict.message), now
    if old is not None and old.status is verdict.status:
        if (old.reason, old.message, old.observed_generation) == (reason, message, generation):
            return old
        since = old.last_transition_time
    return Condition(
        type=verdict.type.value,
        status=verdict.status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=generation,
    )


def stalled(
    earlier: Iterable[Condition], reason: Reason, message: str, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions of an object that only another spec can mend; what was said of it before stays."""
    before = tuple(earlier)
    kept = [
        condition.model_copy(update={"observed_generation": max(generation, 0)})
        for condition in before
        if condition.type not in SUMMARY
    ]
    return replaced(kept, merge(before, stalling(reason, message), generation, now))


def replaced(earlier: Iterable[Condition], newer: Iterable[Condition]) -> tuple[Condition, ...]:
    """The earlier conditions, with the newer ones in place of those of their types."""
    by_type = {condition.type: condition for condition in (*earlier, *newer)}
    return _sorted(by_type.values())


def _sorted(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(
        sorted(conditions, key=lambda condition: (condition.type != ConditionType.READY, condition.type))
    )


def find(conditions: Iterable[Condition], kind: ConditionType) -> Condition | None:
    """The condition of that type."""
    return next((condition for condition in conditions if condition.type == kind), None)


def holds(condition: Condition | None) -> bool:
    """Whether a condition is there and True."""
    return condition is not None and condition.status is ConditionStatus.TRUE


def newly(before: Condition | None, after: Condition | None) -> bool:
    """Whether a condition says something for the first time, or for another reason than before."""
    return after is not None and (before is None or before.reason != after.reason)
