# SPDX-License-Identifier: Apache-2.0
"""Notices that something overtook: what they were to tell of is over, or does not come any more."""

from __future__ import annotations

from collections.abc import Collection

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import NoticeKind, NoticeState
from eservice_operator.core.held_tidings import tells_of_hold
from eservice_operator.core.ledger import ANNOUNCING, Notices, give_up
from eservice_operator.core.tidings import announced_anew

HOLDS = frozenset({NoticeKind.UNPUBLISH_HELD})
TERM = frozenset({NoticeKind.INSTALLATION_DUE, NoticeKind.INSTALLATION_OVERDUE})
"""What ends with the installation (R5)."""


def overtaken(
    notices: Notices,
    old: UnpublishDecisionStatus,
    judged: UnpublishDecisionStatus,
    under_way: Collection[str],
) -> Notices:
    """The ledger of a decision without anything to send of what does not come, by its old and its new status.

    Who could not be told before it took effect should have known: that is a failure that somebody looks at.
    """
    if judged.state is DecisionState.CLOSED:
        notices = give_up(notices, ANNOUNCING, "no longer to come", under_way=under_way)
    if judged.state is DecisionState.EFFECTIVE:
        late = NoticeState.FAILED
        notices = give_up(notices, ANNOUNCING, "it took effect before", late, under_way=under_way)
    if announced_anew(old, judged):
        notices = give_up(notices, ANNOUNCING, "announced anew for another day", under_way=under_way)
    if not tells_of_hold(judged):
        notices = give_up(notices, HOLDS, "not held any more", under_way=under_way)
    return notices


def overtaken_by_installation(notices: Notices, new: EServiceStatus, under_way: Collection[str]) -> Notices:
    """The ledger of an EService without anything to send of a term once the release is installed (R5)."""
    if new.installation.installed_at is None:
        return notices
    return give_up(notices, TERM, "installed", under_way=under_way)
