# SPDX-License-Identifier: Apache-2.0
"""What is worth telling people: read off a change of status, so that notices and Events cannot disagree.

A change is told by the status that shows it for the first time. Nothing is told of what a status said when it
was written for the first time: that lies in the past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import instant

SERVED = frozenset({Phase.PUBLISHED, Phase.UPDATING})
OVERDUE = frozenset({Reason.MIGRATION_DUE, Reason.TEMPLATE_OVERDUE})


@dataclass(frozen=True, slots=True)
class Tiding:
    """One thing to tell: what, which change it is (for the id), and the day that it is about.

    ``held`` is true of an announcement which says that the brake holds what it announces. ``about`` is the
    part of the object that it is about, such as a contract version.
    """

    kind: NoticeKind
    change: str
    due: date | None = None
    held: bool = False
    about: str = ""


def of_change(old: EServiceStatus, new: EServiceStatus) -> tuple[Tiding, ...]:
    """What a change of an EService's status tells people, whatever the policy says of telling them.

    A first status tells nothing of what lay before it, only whose turn it is: the Pods may be there before
    it is written.
    """
    if old is new:
        return ()
    if old.observed_generation < 0:
        return tuple(_verification(old, new))
    return (
        *_installation(old, new),
        *_verification(old, new),
        *_migration(old, new),
        *_recall(old, new),
        *_ladder(old, new),
        *_publication(old, new),
    )


def _installation(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R5: the term, and that it has passed."""
    due = _due_by(new)
    if due is not None and due != _due_by(old):
        yield Tiding(NoticeKind.INSTALLATION_DUE, str(due), due)
    if new.installation.overdue_since is not None and old.installation.overdue_since is None:
        due = new.installation.due_by
        yield Tiding(NoticeKind.INSTALLATION_OVERDUE, str(due), due)


def _verification(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R6: that it is the institution's turn."""
    wanted = _awaiting(new)
    if wanted is not None and wanted != _awaiting(old):
        yield Tiding(NoticeKind.VERIFICATION_WANTED, wanted)


def _due_by(status: EServiceStatus) -> date | None:
    """The last day of a term in which somebody has to do something: what waits for nobody is installed."""
    term, waits = status.installation, any(gate.blocks == "Install" for gate in status.gates)
    return term.due_by if waits and term.installed_at is None and term.overdue_since is None else None


def _awaiting(status: EServiceStatus) -> str | None:
    """The release that is installed and waits for its first verification."""
    installed, verified = (
        find(status.conditions, kind) for kind in (ConditionType.INSTALLED, ConditionType.VERIFIED)
    )
    if not _holds(installed) or verified is None or verified.reason != Reason.AWAITING_VERIFICATION:
        return None
    release = status.release.candidate or status.release.public
    return "" if release is None else release.name


def _migration(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R7: the duty to migrate what the public is served, and that its last day has passed."""
    by, what = _migrate_by(new), f"{new.template.name} {new.template.version}"
    before, after = (_reason(status, ConditionType.TEMPLATE_CURRENT) for status in (old, new))
    if by is not None and by != _migrate_by(old) and after not in OVERDUE:
        yield Tiding(NoticeKind.MIGRATION_DUE, f"{what} {by}", by)
    newly = after == Reason.MIGRATION_DUE and before not in OVERDUE
    if by is not None and (newly or _entered(old, new, NoticeKind.MIGRATION_OVERDUE)):
        yield Tiding(NoticeKind.MIGRATION_OVERDUE, f"{what} {by}", by)


def of_duty(old: EServiceStatus, new: EServiceStatus, today: date) -> Iterator[Tiding]:
    """R7: what no change of the status shows: the duty, to channels set up since it began, and its end.

    Where R8 makes it overdue too, the condition says that alone. Who heard of the duty, and is public still,
    is told that its last day has passed; so the ledger tells the first time from the others (`told_before`).
    """
    by, what = _migrate_by(new), f"{new.template.name} {new.template.version}"
    if by is None or old.observed_generation < 0:
        return
    if by >= today:
        if _reason(new, ConditionType.TEMPLATE_CURRENT) not in OVERDUE:
            yield Tiding(NoticeKind.MIGRATION_DUE, f"{what} {by}", by)
        return
    heard_of = any(one.kind is NoticeKind.MIGRATION_DUE and one.due == by for one in old.notices)
    if heard_of and _holds(find(new.conditions, ConditionType.PUBLISHED)):
        yield Tiding(NoticeKind.MIGRATION_OVERDUE, f"{what} {by}", by)


def _entered(old: EServiceStatus, new: EServiceStatus, kind: NoticeKind) -> bool:
    """Whether a ledger has a notice of a kind for the first time: then there is an Event of it, too."""
    known = {notice.id for notice in old.notices}
    return any(notice.kind is kind and notice.id not in known for notice in new.notices)


def _migrate_by(status: EServiceStatus) -> date | None:
    return None if status.release.public is None else status.template.migrate_by


def _recall(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """The version that the public is served is recalled, or will be."""
    used, day = new.template, new.template.withdrawn_at
    known = (old.template.name, old.template.version, old.template.withdrawn_at)
    if new.release.public is not None and day is not None and known != (used.name, used.version, day):
        yield Tiding(NoticeKind.VERSION_WITHDRAWN, f"{used.name} {used.version} {day}", day)


def _ladder(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R8 where the policy only warns: there is no decision, and the steps are those of the overdue day."""
    warned, lag = new.template.warned_at, new.template
    if warned is not None and warned != old.template.warned_at and lag.decision is None:
        change = f"{lag.name} {lag.version} {lag.overdue_since} told {instant(warned)}"
        yield Tiding(NoticeKind.OVERDUE_EXPECTED, change, lag.overdue_since)


def _publication(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R8: off the public route, and back on it."""
    before, after = (find(status.conditions, ConditionType.PUBLISHED) for status in (old, new))
    if after is None or before is None:
        return
    off = after.reason == Reason.TEMPLATE_OVERDUE and not _holds(after)
    if off and not _heard_of_it(old, before) and old.release.public is not None:
        change = f"{new.template.decision} {instant(after.last_transition_time)}"
        yield Tiding(NoticeKind.UNPUBLISHED, change)
    if _holds(after) and not _holds(before) and was_unpublished(old):
        yield Tiding(NoticeKind.REPUBLISHED, instant(after.last_transition_time))


def _heard_of_it(old: EServiceStatus, before: Condition) -> bool:
    """Whether people know already that it is off: also while it looked otherwise from outside for a time."""
    if before.status is ConditionStatus.UNKNOWN:
        return last_end(old) is NoticeKind.UNPUBLISHED
    return before.reason == Reason.TEMPLATE_OVERDUE


def last_end(status: EServiceStatus) -> NoticeKind | None:
    """Which of the two the ledger told last."""
    ends = (NoticeKind.UNPUBLISHED, NoticeKind.REPUBLISHED)
    return next((notice.kind for notice in reversed(status.notices) if notice.kind in ends), None)


def was_unpublished(status: EServiceStatus) -> bool:
    """Whether R8 took it off since the public was last served, or since people were told so."""
    if last_end(status) is NoticeKind.UNPUBLISHED:
        return True
    for change in reversed(status.history):
        if change.phase in SERVED:
            return False
        if change.phase is Phase.UNPUBLISHED and change.reason == Reason.TEMPLATE_OVERDUE:
            return True
    return False


def _holds(condition: Condition | None) -> bool:
    return condition is not None and condition.status is ConditionStatus.TRUE


def _reason(status: EServiceStatus, kind: ConditionType) -> str | None:
    condition = find(status.conditions, kind)
    return None if condition is None else condition.reason
