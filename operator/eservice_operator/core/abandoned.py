# SPDX-License-Identifier: Apache-2.0
"""Entries of a ledger that nobody hands over any more: they are no longer on their way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from eservice_operator.api.notices import Notice, NoticeState
from eservice_operator.core.addressees import Recipient, is_among
from eservice_operator.core.ledger import Notices, on_its_way
from eservice_operator.core.policy import Policy

UNSET = "its channel is not set up any more"
STRANGER = "its recipient is none of those who are told"


def abandoned(notices: Notices, why: str) -> Notices:
    """The ledger of what nobody looks after any more, or the very same: nothing of it is on its way."""
    return _superseded(notices, on_its_way, why)


def in_reach(notices: Notices, policy: Policy) -> Notices:
    """The ledger without anything on its way by a channel that is not set up, or the very same.

    A channel goes only with a restart, so that nothing of it is under way.
    """
    set_up = {channel for channel, _ in policy.channels}
    return _superseded(notices, lambda notice: on_its_way(notice) and notice.channel not in set_up, UNSET)


def addressed(notices: Notices, everybody: Iterable[Recipient], *, under_way: Collection[str]) -> Notices:
    """The ledger without anything on its way to somebody who is not told any more, or the very same.

    A contact that was taken out of a registration; or whoever was written into a status by somebody else
    than the operator. What is ``under_way`` is in the hands of a channel, and its answer is waited for.
    """
    known = tuple(everybody)

    def ends(notice: Notice) -> bool:
        return on_its_way(notice) and notice.id not in under_way and not is_among(notice, known)

    return _superseded(notices, ends, STRANGER)


def _superseded(notices: Notices, ends: Callable[[Notice], bool], why: str) -> Notices:
    if not any(map(ends, notices)):
        return notices
    change = {"state": NoticeState.SUPERSEDED, "error": why}
    return tuple(notice.model_copy(update=change) if ends(notice) else notice for notice in notices)
