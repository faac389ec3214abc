# SPDX-License-Identifier: Apache-2.0
"""Events of an EService, derived from its earlier and its new status, so that they cannot disagree with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.conditions import find

NORMAL = "Normal"
WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Note:
    """An Event to publish: its type, reason, what the operator did, and the text."""

    type: str
    reason: str
    action: str
    text: str


def notes(old: EServiceStatus, new: EServiceStatus) -> tuple[Note, ...]:
    """The Events of a change of status; none when nothing worth telling changed."""
    return tuple(
        (*_publication(old, new), *_installation(old, new), *_template(old, new), *_trouble(old, new))
    )


def _status(condition: Condition | None) -> ConditionStatus:
    return ConditionStatus.UNKNOWN if condition is None else condition.status


def _publication(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = (
        find(old.conditions, ConditionType.PUBLISHED),
        find(new.conditions, ConditionType.PUBLISHED),
    )
    if after is None:
        return
    if after.status is ConditionStatus.TRUE and _status(before) is not ConditionStatus.TRUE:
        yield Note(NORMAL, "Published", "Publish", f"public at {new.public_url}")
    elif after.status is not ConditionStatus.TRUE and _status(before) is ConditionStatus.TRUE:
        paused = after.reason in (Reason.PAUSED, Reason.REGISTRATION_SUSPENDED)
        yield Note(WARNING, "Paused" if paused else "Unpublished", "Unpublish", after.message)
    if old.release.public is not None and new.release.public is not None:
        if old.release.public.name != new.release.public.name:
            release = new.release.public
            text = (
                f"the public is served {release.image} on {release.template.name} {release.template.version}"
            )
            yield Note(NORMAL, "Switched", "Switch", text)


def _installation(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    if new.phase is Phase.AWAITING_VERIFICATION and old.phase is not Phase.AWAITING_VERIFICATION:
        yield Note(
            NORMAL, "Installed", "Install", "installed; the institution verifies it before the public sees it"
        )
    verified, before = (
        find(new.conditions, ConditionType.VERIFIED),
        find(old.conditions, ConditionType.VERIFIED),
    )
    if verified is not None and verified.reason == Reason.VERIFICATION_FAILED:
        if (
            before is None
            or before.reason != Reason.VERIFICATION_FAILED
            or before.message != verified.message
        ):
            yield Note(WARNING, "VerificationFailed", "Verify", verified.message)
    accepted, earlier = (
        find(new.conditions, ConditionType.ACCEPTED),
        find(old.conditions, ConditionType.ACCEPTED),
    )
    if accepted is not None and accepted.reason == Reason.ACT_REVOKED:
        if earlier is None or earlier.reason != Reason.ACT_REVOKED:
            yield Note(WARNING, "ActRevoked", "Check", accepted.message)


def _template(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    after, before = (
        find(new.conditions, ConditionType.TEMPLATE_CURRENT),
        find(old.conditions, ConditionType.TEMPLATE_CURRENT),
    )
    alarming = (
        Reason.TEMPLATE_OVERDUE,
        Reason.MIGRATION_DUE,
        Reason.TEMPLATE_UNKNOWN,
        Reason.TEMPLATE_VERSION_UNKNOWN,
    )
    if after is not None and after.reason in alarming and (before is None or before.reason != after.reason):
        yield Note(WARNING, after.reason, "Check", after.message)
    if new.template.unpublish_at is not None and new.template.unpublish_at != old.template.unpublish_at:
        decision = new.template.decision or "no decision yet"
        text = f"leaves the public route on {new.template.unpublish_at} unless renewed ({decision})"
        if new.phase is not Phase.UNPUBLISHED:
            yield Note(WARNING, "UnpublishScheduled", "Schedule", text)


def _trouble(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    after, before = find(new.conditions, ConditionType.STALLED), find(old.conditions, ConditionType.STALLED)
    if after is not None and (before is None or before.reason != after.reason):
        yield Note(WARNING, after.reason, "Reconcile", after.message)
