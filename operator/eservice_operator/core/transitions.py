# SPDX-License-Identifier: Apache-2.0
"""Events about an object, from its earlier and its new status, so that they cannot disagree with it.

What people are told by notices is told by an Event of the same name, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.access_gate import more_is_lost
from eservice_operator.core.actions import Ref
from eservice_operator.core.conditions import find, holds, newly, told
from eservice_operator.core.contests import told_elsewhere, told_here
from eservice_operator.core.facts import Facts
from eservice_operator.core.held_tidings import TOLD_HOLDS
from eservice_operator.core.leaving import comes_into_doubt, fails, is_gone, leaves
from eservice_operator.core.notes import NORMAL, WARNING, Note
from eservice_operator.core.tidings import of_change, was_unpublished
from eservice_operator.core.use_tidings import said_of_uses

GROUNDS = (ConditionType.REGISTERED, ConditionType.ACCEPTED, ConditionType.ACCESS_GRANTED)
"""What a running e-service stands on: losing it takes nothing down, and people are told."""
ALARMING = (
    Reason.TEMPLATE_OVERDUE,
    Reason.TEMPLATE_UNKNOWN,
    Reason.TEMPLATE_VERSION_UNKNOWN,
)


SAID = {
    NoticeKind.INSTALLATION_DUE: (NORMAL, "Install", "to be installed by {due}, that day included (R5)"),
    NoticeKind.INSTALLATION_OVERDUE: (WARNING, "Install", "not installed, and was to be by {due} (R5)"),
    NoticeKind.VERIFICATION_WANTED: (
        NORMAL,
        "Verify",
        "the institution verifies the installed release before the public sees it (R6)",
    ),
    NoticeKind.MIGRATION_DUE: (NORMAL, "Migrate", "to be migrated by {due}, that day included (R7)"),
    NoticeKind.MIGRATION_OVERDUE: (WARNING, "Migrate", "not migrated, and was to be by {due} (R7)"),
    NoticeKind.VERSION_WITHDRAWN: (WARNING, "Migrate", "its template version is withdrawn as of {due}"),
    NoticeKind.OVERDUE_EXPECTED: (
        WARNING,
        "Migrate",
        "overdue from {due} on (R8); the template's policy only warns",
    ),
}
"""Type, action and text of Events that tell what is owed."""


def notes(old: EServiceStatus, new: EServiceStatus) -> tuple[Note, ...]:
    """The Events of a change of status; none when nothing worth telling changed."""
    return (
        *_publication(old, new),
        *_switch(old, new),
        *_installation(old, new),
        *_lost_ground(old, new),
        *_access(old, new),
        *_uses(old, new),
        *_template(old, new),
        *_unpublication(old, new),
        *_tidings(old, new),
        *_stalled(old, new),
        *_contests(old, new),
        *_annotations(old, new),
    )


def notes_elsewhere(facts: Facts) -> tuple[tuple[Ref, str, Note], ...]:
    """The Events about objects of others (reference, UID) that go with a decision whose status is new."""
    return tuple(
        (claim.owner, claim.uid, Note(WARNING, reason.value, "Check", text))
        for claim, reason, text in told_elsewhere(facts)
    )


def _both(
    old: EServiceStatus, new: EServiceStatus, kind: ConditionType
) -> tuple[Condition | None, Condition | None]:
    return find(old.conditions, kind), find(new.conditions, kind)


def _publication(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.PUBLISHED)
    if holds(after) and not holds(before):
        # told apart from the first time: an Event that says the same is only counted
        since = None if before is None else before.last_transition_time
        back = since and any(one.phase is Phase.PUBLISHED and one.at < since for one in old.history)
        text = f"public again at {new.public_url}" if back else f"public at {new.public_url}"
        yield Note(NORMAL, "Republished" if was_unpublished(old) else "Published", "Publish", text)
    elif after is not None and comes_into_doubt(before, after):
        yield Note(WARNING, after.reason, "Look", after.message)
    elif after is not None and leaves(old, new, before, after):
        paused = new.phase is Phase.PAUSED or after.reason in {Reason.PAUSED, Reason.REGISTRATION_SUSPENDED}
        final = after.status is ConditionStatus.FALSE
        off = Note(WARNING, "Unpublished" if final else "Unpublishing", "Unpublish", after.message)
        yield Note(WARNING, "Paused", "Unpublish", after.message) if paused else off
    elif after is not None and is_gone(old, new, before, after):
        yield Note(WARNING, "Unpublished", "Unpublish", after.message)
    elif after is not None and fails(old, before, after):
        yield Note(WARNING, after.reason, "Look", after.message)


def _switch(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = old.release.public, new.release.public
    if before is not None and after is not None and before.name != after.name:
        text = f"the public is served {after.image} on {after.template.name} {after.template.version}"
        yield Note(NORMAL, "Switched", "Switch", text)


def _installation(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.INSTALLED)
    verified = find(new.conditions, ConditionType.VERIFIED)
    if holds(after) and not holds(before) and verified is not None and not holds(verified):
        yield Note(NORMAL, "Installed", "Install", "installed; the public does not see it yet")
    before, after = _both(old, new, ConditionType.VERIFIED)
    if after is not None and after.reason == Reason.VERIFICATION_FAILED and newly(before, after):
        yield Note(WARNING, "VerificationFailed", "Verify", after.message)


def _lost_ground(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """Only for the same spec: a new release that has no act yet has lost nothing."""
    if old.observed_generation != new.observed_generation:
        return
    for kind in GROUNDS:
        before, after = _both(old, new, kind)
        if holds(before) and after is not None and not holds(after) and after.reason != Reason.ACCESS_LOST:
            yield Note(WARNING, after.reason, "Check", after.message)


def _access(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """R3: what the public is served runs without a web service, and has all of them again."""
    before, after = _both(old, new, ConditionType.ACCESS_GRANTED)
    if after is None or not (newly(before, after) or more_is_lost(old, new)):
        return
    if after.reason == Reason.ACCESS_LOST:
        yield Note(WARNING, "AccessLost", "Check", after.message)
    elif before is not None and before.reason == Reason.ACCESS_LOST:
        text = "the public release runs with every web service that it uses"
        yield Note(NORMAL, "AccessRegained", "Check", text)


def _uses(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """R3, R10: what the institution is told of each web service that its e-service uses."""
    for kind, text in said_of_uses(old, new):
        granted = kind is NoticeKind.ACCESS_GRANTED
        yield Note(NORMAL if granted else WARNING, kind.value, "Check", told(text))


def _template(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.TEMPLATE_CURRENT)
    if after is not None and after.reason in ALARMING and newly(before, after):
        yield Note(WARNING, after.reason, "Check", after.message)


def _unpublication(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """R8: what is to come, from the day of the decision to the last warning, or to its end."""
    before, after = old.template, new.template
    same = after.decision is not None and before.decision == after.decision
    kind = None
    if after.unpublish_at is not None and not _is_off(new):
        if after.unpublish_at != before.unpublish_at:
            kind = NoticeKind.UNPUBLISH_MOVED if same else NoticeKind.UNPUBLISH_SCHEDULED
        elif same and before.warned_at is not None and after.warned_at != before.warned_at:
            kind = NoticeKind.UNPUBLISH_WARNING
    if kind is not None:
        text = f"leaves the public route on {after.unpublish_at} unless renewed ({after.decision})"
        yield Note(WARNING, kind.value, "Schedule", text)
    elif same and after.held_by in TOLD_HOLDS and after.held_by != before.held_by:
        text = f"due on {after.unpublish_at} and held: {after.held_by} ({after.decision})"
        yield Note(WARNING, NoticeKind.UNPUBLISH_HELD.value, "Schedule", text)
    if before.decision is not None and not same and not _is_off(old) and not _goes_on(old, new):
        text = f"does not leave the public route on {before.unpublish_at} ({before.decision})"
        yield Note(NORMAL, NoticeKind.UNPUBLISH_CANCELLED.value, "Schedule", text)


def _goes_on(old: EServiceStatus, new: EServiceStatus) -> bool:
    """Whether what a deleted decision announced stands: remembered, or announced by the one in its place."""
    last = new.last_decision
    if last is not None and last.effective_at is not None and last.name == old.template.decision:
        return True
    return new.template.decision is not None and new.template.unpublish_at == old.template.unpublish_at


def _is_off(status: EServiceStatus) -> bool:
    """Whether R8 keeps it off the public route, in whatever phase it is."""
    published = find(status.conditions, ConditionType.PUBLISHED)
    overdue = published is not None and published.reason == Reason.TEMPLATE_OVERDUE
    return status.phase is Phase.UNPUBLISHED or (overdue and not holds(published))


def _tidings(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """What the institution and the Agency owe, and that it is late."""
    for tiding in of_change(old, new):
        if tiding.kind in SAID:
            type_, action, text = SAID[tiding.kind]
            yield Note(type_, tiding.kind.value, action, text.format(due=tiding.due))


def _stalled(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    before, after = _both(old, new, ConditionType.STALLED)
    if after is not None and newly(before, after):
        yield Note(WARNING, after.reason, "Reconcile", after.message)


def _contests(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    for reason, text in told_here(old.contested, new.contested):
        yield Note(WARNING, reason.value, "Check", text)


def _annotations(old: EServiceStatus, new: EServiceStatus) -> Iterator[Note]:
    """What others wrote on the Ingress and was taken off it, once for each name."""
    added = [name for name in new.removed_annotations if name not in old.removed_annotations]
    if added:
        text = f"taken off its Ingress, since --ingress-annotations does not name it: {', '.join(added)}"
        yield Note(WARNING, "AnnotationsRemoved", "Update", text)
