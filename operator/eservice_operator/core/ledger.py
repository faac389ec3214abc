# SPDX-License-Identifier: Apache-2.0
"""The ledger of notices: what is entered before it is sent, and what became of it.

One entry stands for one notice to one recipient by one channel, and each goes its own way: what happens to
one never sends another again. A ledger is a tuple, and functions answer a new one, or the very same when
nothing changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from eservice_operator.api.notices import MOST_NOTICES, Audience, Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core.conditions import told as shortened
from eservice_operator.core.letters import Delivery

Notices = tuple[Notice, ...]

DONE_KEPT = 20
"""How many entries that are done are kept, beside the last one of each kind, and the last announcement of an
unpublication to each recipient: who was told is not told again."""
MOST_ON_THEIR_WAY = MOST_NOTICES - 15
"""Leaves room for the last entry of each kind in one ledger, which remembers that people were told, and for
one that says who was left out. The ledger of an EService has the most kinds: fourteen."""
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=6)
CLOCK_TOLERANCE = timedelta(minutes=1)
"""An answer that is later than now by no more than this is one of this very moment, not of a wrong clock."""
MOST_ATTEMPTS = 24
"""After so many, some four days, an entry has failed."""
UNDER_WAY = frozenset({NoticeState.SENDING, NoticeState.RETRYING})
HEARD = frozenset({NoticeState.SENT, NoticeState.SENDING})
"""Accepted, or handed over and perhaps accepted."""
ANNOUNCING = frozenset(
    {NoticeKind.UNPUBLISH_SCHEDULED, NoticeKind.UNPUBLISH_WARNING, NoticeKind.UNPUBLISH_MOVED}
)
"""What informs an institution of an unpublication to come."""


def notice_id(uid: str, kind: NoticeKind, change: str, channel: Channel, recipient: str) -> str:
    """The id of one notice: 32 hexadecimal digits, the same whenever the same is told to the same recipient.

    ``uid`` is that of the object in whose status the ledger is, ``change`` names what happened.
    """
    said = json.dumps([uid, kind.value, change, channel.value, recipient])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def heard_days(notices: Notices) -> Notices:
    """The announcements of an unpublication that somebody heard, or perhaps did."""
    return tuple(notice for notice in notices if notice.kind in ANNOUNCING and notice.state in HEARD)


def on_its_way(notice: Notice) -> bool:
    """Whether something may still become of a notice."""
    return notice.state in UNDER_WAY


def room(notices: Notices) -> int:
    """How many more entries can be on their way."""
    return max(0, MOST_ON_THEIR_WAY - sum(map(on_its_way, notices)))


def enter(notices: Notices, fresh: Iterable[Notice]) -> Notices:
    """The ledger with new entries; one whose id is there is not entered again, unless it was given up.

    What is on its way always stays. When the ledger is full of that, contacts of institutions are entered
    first, and of those that are left out the first is entered as failed: it says how many they are.
    """
    known = {notice.id for notice in notices if notice.state is not NoticeState.SUPERSEDED}
    new = list({notice.id: notice for notice in fresh if notice.id not in known}.values())
    if not new:
        return notices
    anew = {notice.id for notice in new}
    notices = tuple(notice for notice in notices if notice.id not in anew)
    free = room(notices)
    if len(new) <= free:
        return _trimmed((*notices, *new))
    new.sort(key=lambda notice: notice.audience is not Audience.INSTITUTION)
    text = f"the ledger is full: {len(new) - free} recipients were not told of {new[free].kind.value}"
    left_out = new[free].model_copy(update={"state": NoticeState.FAILED, "error": text})
    return _trimmed((*notices, *new[:free], left_out))


def fold(notices: Notices, deliveries: Mapping[str, Delivery]) -> Notices:
    """The ledger with what became of its notices; what is folded already changes nothing."""
    if not deliveries:
        return notices
    folded = [
        _after(notice, deliveries[notice.id])
        if notice.id in deliveries and unfolded(notice, deliveries[notice.id])
        else notice
        for notice in notices
    ]
    changed = any(one is not other for one, other in zip(folded, notices, strict=True))
    return _trimmed(folded) if changed else notices


def unfolded(notice: Notice, delivery: Delivery) -> bool:
    """Whether an entry does not show yet what became of the notice."""
    if _retried(notice):
        return notice.at != delivery.at.replace(microsecond=0)
    return notice.state is NoticeState.SENDING


def give_up(
    notices: Notices,
    kinds: frozenset[NoticeKind],
    why: str,
    state: NoticeState = NoticeState.SUPERSEDED,
    *,
    under_way: Collection[str],
) -> Notices:
    """The ledger in which nothing of these kinds is handed over again: it would say what is true no longer.

    What is ``under_way`` is in the hands of a channel, and its answer is waited for. ``state`` is Failed
    where people should have known: then somebody has to look.
    """
    outdated = {notice.id for notice in notices if notice.kind in kinds}
    return withdraw(notices, outdated, why, state, under_way=under_way)


def withdraw(
    notices: Notices,
    ids: Collection[str],
    why: str,
    state: NoticeState = NoticeState.SUPERSEDED,
    *,
    under_way: Collection[str],
) -> Notices:
    """As `give_up`, of these ids."""
    waiting = (notice for notice in notices if notice.id in ids and on_its_way(notice))
    outdated = {notice.id for notice in waiting if notice.id not in under_way}
    if not outdated:
        return notices
    change = {"state": state, "error": why}
    return tuple(notice.model_copy(update=change) if notice.id in outdated else notice for notice in notices)


def _retried(notice: Notice) -> bool:
    return notice.state is NoticeState.RETRYING


def to_send(notices: Notices, now: datetime) -> Notices:
    """The entries to hand over to their channel now: new ones, and those whose pause is over.

    One that was tried in the future, by a clock that was set back since, does not wait for it.
    """
    return tuple(
        notice
        for notice in notices
        if notice.state is NoticeState.SENDING
        or (_retried(notice) and not notice.at - CLOCK_TOLERANCE <= now < _next_attempt(notice))
    )


def next_try(notices: Notices) -> datetime | None:
    """The earliest instant at which an entry is tried again."""
    retrying = [_next_attempt(notice) for notice in notices if _retried(notice)]
    return min(retrying, default=None)


def informed_at(notices: Notices, since: datetime | None = None) -> datetime | None:
    """When a channel first accepted an announcement of an unpublication to somebody of the institution.

    Only of those entered ``since`` an instant, if it is given.
    """
    accepted = [
        notice.at
        for notice in notices
        if notice.state is NoticeState.SENT
        and notice.audience is Audience.INSTITUTION
        and notice.kind in ANNOUNCING
        and (since is None or notice.entered >= since)
    ]
    return min(accepted, default=None)


def backoff(attempts: int) -> timedelta:
    """The pause after so many attempts without success (from 1)."""
    doublings: int = 2 ** min(attempts - 1, 16)
    return min(FIRST_BACKOFF * doublings, LONGEST_BACKOFF)


def _next_attempt(notice: Notice) -> datetime:
    return notice.at + backoff(max(notice.attempts, 1))


def _after(notice: Notice, delivery: Delivery) -> Notice:
    at = delivery.at.replace(microsecond=0)
    if delivery.accepted:
        return notice.model_copy(update={"state": NoticeState.SENT, "at": at, "error": ""})
    attempts = notice.attempts + 1
    over = delivery.permanent or attempts >= MOST_ATTEMPTS
    return notice.model_copy(
        update={
            "state": NoticeState.FAILED if over else NoticeState.RETRYING,
            "at": at,
            "attempts": attempts,
            "error": shortened(delivery.error),
        }
    )


def _trimmed(notices: Iterable[Notice]) -> Notices:
    """Everything on its way and what is kept of the rest (`DONE_KEPT`), in their order."""
    everything = tuple(notices)
    done = [place for place, notice in enumerate(everything) if not on_its_way(notice)]
    room = MOST_NOTICES - (len(everything) - len(done))
    marks = {everything[place].kind: place for place in done}
    announced = (place for place in done if everything[place].kind in ANNOUNCING)
    told = {
        _reached(everything[place]): place
        for place in announced
        if everything[place].state is not NoticeState.SUPERSEDED
    }
    wanted = (
        *sorted(marks.values(), reverse=True),
        *sorted(told.values(), reverse=True),
        *reversed(done[-DONE_KEPT:]),
    )
    kept = set(list(dict.fromkeys(wanted))[:room])
    return tuple(notice for place, notice in enumerate(everything) if place in kept or on_its_way(notice))


def _reached(notice: Notice) -> tuple[Channel, str]:
    return notice.channel, notice.recipient
