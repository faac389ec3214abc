# SPDX-License-Identifier: Apache-2.0
"""Events of an EService, from its earlier and its new status, so that they cannot disagree with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.conditions import find

NORMAL = "Normal"
WARNING = "Warning"

GROUNDS = (ConditionType.REGISTERED, ConditionType.ACCEPTED, ConditionType.ACCESS_GRANTED)
"""What a running e-service stands on: losing it takes nothing down, and people are told."""
ALARMING = (
    Reason.TEMPLATE_OVERDUE,
    Reason.MIGRATION_DUE,
    Reason.TEMPLATE_UNKNOWN,
    Reason.TEMPLATE_VERSION_UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Note:
    """An Event to publish: its type, reason, what the operator did, and the text."""

    type: str
    reason: str
    action: str
    text: str


def notes(old: EServiceStatus, new: EServiceStatus) -> tuple[Note, ...]:
    """The Events of a change of status; none when nothing worth telling changed."""
    return (
        *_publication(old, new),
        *_switch(old, new),
        *_installation(old, new),
        *_lost_ground(old, new),
        *_template(old, new),
        *_stalled(old, new),
    )


def _both(
    old: EServiceStatus, new: EServiceStatus, kind: ConditionType
) -> tuple[Condition | None, Condition | None]:
    return find(old.conditions, kind), find(new.conditions, kind)


def _holds(condition: Condition | None) -> bool:
    return condition is not None and condition.status is ConditionStatus.TRUE


def _newly(before: Condition | None, after: Condition | None) -> bool:
    """Whether a condition says something for the first time, or for another reason than before."""
    return after is not None and (before is None or before.reason != after.reason)


def _publication(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.PUBLISHED)
    if _holds(after) and not _holds(before):
        # told apart from the first time: an Event that says the same is only counted
        back = any(change.phase is Phase.PUBLISHED for change in old.history)
        text = f"public again at {new.public_url}" if back else f"public at {new.public_url}"
        yield Note(NORMAL, "Published", "Publish", text)
    elif after is not None and _holds(before) and not _holds(after):
        paused = after.reason in {Reason.PAUSED, Reason.REGISTRATION_SUSPENDED}
        yield Note(WARNING, "Paused" if paused else "Unpublished", "Unpublish", after.message)


def _switch(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = old.release.public, new.release.public
    if before is not None and after is not None and before.name != after.name:
        text = f"the public is served {after.image} on {after.template.name} {after.template.version}"
        yield Note(NORMAL, "Switched", "Switch", text)


def _installation(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.INSTALLED)
    verified = find(new.conditions, ConditionType.VERIFIED)
    if _holds(after) and not _holds(before) and verified is not None and not _holds(verified):
        text = "installed; the institution verifies it before the public sees it"
        yield Note(NORMAL, "Installed", "Install", text)
    before, after = _both(old, new, ConditionType.VERIFIED)
    if after is not None and after.reason == Reason.VERIFICATION_FAILED and _newly(before, after):
        yield Note(WARNING, "VerificationFailed", "Verify", after.message)


def _lost_ground(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """Only for the same spec: a new release that has no act yet has lost nothing."""
    if old.observed_generation != new.observed_generation:
        return
    for kind in GROUNDS:
        before, after = _both(old, new, kind)
        if _holds(before) and after is not None and not _holds(after):
            yield Note(WARNING, after.reason, "Check", after.message)


def _template(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.TEMPLATE_CURRENT)
    if after is not None and after.reason in ALARMING and _newly(before, after):
        yield Note(WARNING, after.reason, "Check", after.message)
    at = new.template.unpublish_at
    if at is not None and at != old.template.unpublish_at and new.phase is not Phase.UNPUBLISHED:
        decision = new.template.decision or "no decision yet"
        text = f"leaves the public route on {at} unless renewed ({decision})"
        yield Note(WARNING, "UnpublishScheduled", "Schedule", text)


def _stalled(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.STALLED)
    if after is not None and _newly(before, after):
        yield Note(WARNING, after.reason, "Reconcile", after.message)
