# SPDX-License-Identifier: Apache-2.0
"""R3, R10: what an institution is told of the web services that its e-service uses: notices, letters, Events.

A tiding is about one use, by its name; of an end of one contract version of REST the version follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.notices import Notice, NoticeKind, Warned
from eservice_operator.api.reasons import Reason
from eservice_operator.api.used import UseStatus
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.dates import instant
from eservice_operator.core.facts import Facts
from eservice_operator.core.ledger import Notices, notice_id, on_its_way, withdraw
from eservice_operator.core.tidings import Tiding

ENDS_TO_COME: Final = frozenset({NoticeKind.ACCESS_ENDING, NoticeKind.CONTRACT_RETIRING})
ANSWERS: Final = frozenset({NoticeKind.ACCESS_GRANTED, NoticeKind.ACCESS_REFUSED, NoticeKind.ACCESS_ENDED})
OF_USES: Final = ENDS_TO_COME | ANSWERS


def of_uses(old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """What a new status tells of the uses that the old one did not."""
    if old.uses is new.uses:
        return
    before = {(entry.name, entry.web_service): entry for entry in old.uses}
    for entry in new.uses:
        earlier = before.get((entry.name, entry.web_service))
        kind = _answer(earlier, entry)
        if kind is not None:
            yield Tiding(kind, _answered(entry), about=entry.name)
        if kind is not NoticeKind.ACCESS_GRANTED:  # it says until when
            yield from _warnings(earlier, entry)


def _answer(old: UseStatus | None, new: UseStatus) -> NoticeKind | None:
    """What is told of a use now; what is refused after it was granted has ended."""
    heard = (None, None) if old is None else (old.told, old.told_at)
    if new.told_at is None or (new.told, new.told_at) == heard:
        return None
    if new.told is RequestState.GRANTED:
        return NoticeKind.ACCESS_GRANTED
    was_granted = old is not None and old.told is RequestState.GRANTED
    refused = new.told is RequestState.REFUSED and not was_granted
    return NoticeKind.ACCESS_REFUSED if refused else NoticeKind.ACCESS_ENDED


def _warnings(old: UseStatus | None, new: UseStatus) -> Iterator[Tiding]:
    known = () if old is None else old.warned
    for one in new.warned:
        if one not in known:
            yield Tiding(one.kind, _warned_of(new, one), one.day, about=_about(new.name, one.version))


def _answered(entry: UseStatus) -> str:
    """Which change an answer that is told was: the id of its notice follows from it."""
    at = "" if entry.told_at is None else instant(entry.told_at)
    return f"{entry.name} {entry.web_service} {entry.told} {at}"


def _warned_of(entry: UseStatus, warned: Warned) -> str:
    """The same of a warning."""
    return f"{entry.name} {entry.web_service} {warned.version} {warned.day} told {instant(warned.at)}"


def _about(name: str, version: str) -> str:
    """The use, and the contract version where that alone ends."""
    return name if version == ALL_VERSIONS else f"{name} {version}"


def said_of_uses(old: EServiceStatus, new: EServiceStatus) -> Iterator[tuple[NoticeKind, str]]:
    """The same in sentences, each with its kind."""
    entries = {entry.name: entry for entry in new.uses}
    for tiding in of_uses(old, new):
        name, _, version = tiding.about.partition(" ")
        entry = entries[name]
        which = f"{entry.web_service} ({name})"
        if tiding.kind in ENDS_TO_COME:
            yield tiding.kind, f"the last day of {which}{' ' if version else ''}{version} is {tiding.due}"
        elif tiding.kind is NoticeKind.ACCESS_ENDED and entry.ended is not None:
            yield tiding.kind, f"{which}: {entry.ended.message}"
        else:
            yield tiding.kind, f"{which}: {entry.message}"


def without_outdated(
    notices: Notices, uid: str, uses: Iterable[UseStatus], under_way: Collection[str]
) -> Notices:
    """The ledger without anything to send that is no longer the last word about a use, or no longer true.

    Nothing is handed over of what a use asked for before, nor that it is granted once it is not.
    """
    mine = [one for one in notices if one.kind in OF_USES and on_its_way(one)]
    if not mine:
        return notices
    entries = {entry.name: entry for entry in uses}
    outdated = [one.id for one in mine if not _holds(one, entries.get(use_name(one)), uid)]
    return withdraw(notices, outdated, "not true any more", under_way=under_way)


def _holds(notice: Notice, entry: UseStatus | None, uid: str) -> bool:
    if entry is None or (notice.kind is NoticeKind.ACCESS_GRANTED and entry.ended is not None):
        return False
    warnings = (_warned_of(entry, one) for one in entry.warned)
    changes = [_answered(entry)] if notice.kind in ANSWERS else warnings
    ids = (notice_id(uid, notice.kind, change, notice.channel, notice.recipient) for change in changes)
    return notice.id in ids


def without_older(notices: Notices, tiding: Tiding, under_way: Collection[str]) -> Notices:
    """The ledger without anything to send that a tiding of the same use makes untrue."""
    if tiding.kind not in OF_USES:
        return notices
    older = [one.id for one in notices if one.kind in OF_USES and one.about == tiding.about]
    return withdraw(notices, older, "something newer is told", under_way=under_way)


def use_name(notice: Notice) -> str:
    """The use that a notice is about."""
    return str(notice.about or "").partition(" ")[0]


def facts_of_use(facts: Facts, status: EServiceStatus, notice: Notice) -> dict[str, str]:
    """What a letter says of a use: as things stand when it is sent."""
    name, _, version = str(notice.about or "").partition(" ")
    use = next((one for one in facts.spec.uses if one.name == name), None)
    entry = next((one for one in status.uses if one.name == name), None)
    if use is None or entry is None:
        return {}
    place = facts.world.service.metadata
    given = {
        "webService": f"{use.web_service.namespace}/{use.web_service.name}",
        "contractVersion": version or use.contract_version or "",
        "consumer": f"{place.namespace}/{place.name}",
    }
    if notice.kind is NoticeKind.ACCESS_GRANTED and entry.ends_on is not None:
        given["until"] = str(entry.ends_on)
    if notice.kind is NoticeKind.ACCESS_REFUSED:
        given["ended"] = Reason.REFUSED.value
    if notice.kind is NoticeKind.ACCESS_ENDED and entry.ended is not None:
        given["ended"] = entry.ended.reason
    given |= {"holder": entry.holder or "", "holderContact": entry.contact or ""}
    return given | _whose(facts.standing(use))


def _whose(standing: UseStanding) -> dict[str, str]:
    """Through whom it is called, and the holder's own words where it said no."""
    agent = "" if standing.agent is None else standing.agent.assignment.spec.agent.name
    refused = None if standing.grant is None else standing.grant.grant.spec.refused
    return {"agent": agent, "reason": "" if refused is None else refused.reason}
