# SPDX-License-Identifier: Apache-2.0
"""Notices that something overtook: what they were to tell of is over, or does not come any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import Channel, NoticeKind, NoticeState
from eservice_operator.core.decision_tidings import announced_anew
from eservice_operator.core.held_tidings import tells_of_hold
from eservice_operator.core.ledger import ANNOUNCING, Notices, give_up, on_its_way, withdraw
from eservice_operator.core.tidings import Tiding

HOLDS = frozenset({NoticeKind.UNPUBLISH_HELD})
TERM = frozenset({NoticeKind.INSTALLATION_DUE, NoticeKind.INSTALLATION_OVERDUE})
"""What ends with the installation (R5)."""
MATTERS = {
    **dict.fromkeys(ANNOUNCING | HOLDS, "unpublication"),
    **dict.fromkeys((NoticeKind.UNPUBLISHED, NoticeKind.REPUBLISHED), "route"),
    NoticeKind.MIGRATION_DUE: "migration",
    NoticeKind.INSTALLATION_DUE: "installation",
}
"""Of what the last notice alone is true."""
DAYS = ANNOUNCING | {NoticeKind.MIGRATION_DUE, NoticeKind.INSTALLATION_DUE}
"""What stays true beside another notice of the same day."""


def overtaken(
    notices: Notices,
    old: UnpublishDecisionStatus,
    judged: UnpublishDecisionStatus,
    under_way: Collection[str],
) -> Notices:
    """The ledger of a decision without anything to send of what does not come, by its old and its new status.

    Who could not be told before it took effect should have known: that is a failure that somebody looks at.
    """
    if not any(map(on_its_way, notices)):
        return notices
    if judged.state is DecisionState.CLOSED:
        notices = give_up(notices, ANNOUNCING, "no longer to come", under_way=under_way)
    if judged.state is DecisionState.EFFECTIVE:
        late = NoticeState.FAILED
        notices = give_up(notices, ANNOUNCING, "it took effect before", late, under_way=under_way)
    if announced_anew(old, judged):
        notices = give_up(notices, ANNOUNCING, "announced anew for another day", under_way=under_way)
    if not tells_of_hold(judged):
        notices = give_up(notices, HOLDS, "not held any more", under_way=under_way)
    return overtaken_by_newer(notices, under_way)


def overtaken_of_service(notices: Notices, new: EServiceStatus, under_way: Collection[str]) -> Notices:
    """The ledger of an EService without anything to send that is over, such as a term (R5)."""
    if not any(map(on_its_way, notices)):
        return notices
    if new.installation.installed_at is not None:
        notices = give_up(notices, TERM, "installed", under_way=under_way)
    return overtaken_by_newer(notices, under_way)


def overtaken_by_newer(notices: Notices, under_way: Collection[str], newer: Tiding | None = None) -> Notices:
    """The ledger without anything to send that something newer of the same matter makes untrue.

    ``newer`` is about to be entered, for everybody. Without it each recipient's own last entry counts: what
    was under way when that was entered may have come back unaccepted since.
    """
    last: dict[tuple[str, Channel, str], str] = {}
    outdated: set[str] = set()
    for notice in reversed(notices):
        matter = MATTERS.get(notice.kind)
        if matter is None:
            continue
        says = _says(notice.kind, notice.due, notice.id)
        if newer is not None and MATTERS.get(newer.kind) == matter:
            true = _says(newer.kind, newer.due, newer.change)
        else:
            true = last.setdefault((matter, notice.channel, notice.recipient), says)
        if says != true:
            outdated.add(notice.id)
    return withdraw(notices, outdated, "something newer is told", under_way=under_way)


def _says(kind: NoticeKind, due: date | None, change: str) -> str:
    """What two notices of one matter have in common where both can be true."""
    return str(due) if kind in DAYS else change
