# SPDX-License-Identifier: Apache-2.0
"""The day of a notice as an entry for calendars (RFC 5545)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote

from eservice_operator.api.notices import NoticeKind
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.addresses import Address
from eservice_operator.notify.texts import Text, subject_of

ENTRIES: Final = {
    NoticeKind.INSTALLATION_DUE: "installation",
    NoticeKind.INSTALLATION_OVERDUE: "installation",
    NoticeKind.VERIFICATION_WANTED: "verification",
    NoticeKind.MIGRATION_DUE: "migration",
    NoticeKind.MIGRATION_OVERDUE: "migration",
    NoticeKind.OVERDUE_EXPECTED: "overdue",
    NoticeKind.UNPUBLISH_SCHEDULED: "unpublication",
    NoticeKind.UNPUBLISH_WARNING: "unpublication",
    NoticeKind.UNPUBLISH_MOVED: "unpublication",
    NoticeKind.UNPUBLISH_HELD: "unpublication",
    NoticeKind.UNPUBLISH_CANCELLED: "unpublication",
    NoticeKind.ACCESS_ENDING: "access",
    NoticeKind.CONTRACT_RETIRING: "access",
}
"""The entry that a notice makes or changes: a moved day moves the entry that is there. What has happened
already makes none."""
CONFIRMED, TENTATIVE, CANCELLED = "CONFIRMED", "TENTATIVE", "CANCELLED"

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""SEQUENCE counts seconds from here: it has to grow, and to fit into 31 bits (until 2088)."""
WIDTH: Final = 75
"""Octets of a line, without its end."""


def entry_name(letter: Letter) -> str:
    """The entry that the letter makes or changes; empty when it makes none.

    A day that has come makes none any more; what was to happen on it and did not is still cancelled.
    """
    name = ENTRIES.get(letter.kind, "") if letter.due is not None else ""
    return "" if _late(letter) and _state(letter) != CANCELLED else name


def method_of(letter: Letter) -> str:
    """What a calendar is to do with the entry (RFC 5546): ``PUBLISH`` or ``CANCEL``."""
    return "CANCEL" if _state(letter) == CANCELLED else "PUBLISH"


def _state(letter: Letter) -> str:
    """How certain the day is: what is held is not until it is released, and cannot come once it is over."""
    if letter.kind is NoticeKind.UNPUBLISH_CANCELLED:
        return CANCELLED
    if letter.kind is NoticeKind.UNPUBLISH_HELD:
        return CANCELLED if _late(letter) else TENTATIVE
    return TENTATIVE if letter.facts.get("held") else CONFIRMED


def _late(letter: Letter) -> bool:
    return bool(letter.facts.get("late"))


def calendar_of(letter: Letter, texts: Iterable[Text], sender: Address) -> str:
    """The entry of a letter that has one, with its texts, as an iCalendar object with lines ended by CR LF.

    The same object and entry (of a grant or a web service: and contract version) have the same UID, and a
    later letter a higher SEQUENCE.
    """
    if letter.due is None:
        raise ValueError(f"notice {letter.id} has no day")
    return "".join(_folded(line) for line in _lines(letter, letter.due, texts, sender))


def _lines(letter: Letter, due: date, texts: Iterable[Text], sender: Address) -> Iterator[str]:
    what = " ".join(filter(None, (entry_name(letter), one_line(letter.facts.get("contractVersion", "")))))
    key = hashlib.sha256(f"{one_line(letter.uid)} {what}".encode()).hexdigest()[:32]
    description = "\n\n".join(paragraph for text in texts for _, paragraph in text.parts)
    at = letter.at.astimezone(UTC)
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//eservice.dev//eservice-operator//LV"
    yield "CALSCALE:GREGORIAN"
    yield f"METHOD:{method_of(letter)}"
    yield "BEGIN:VEVENT"
    yield f"UID:{key}@{sender.domain}"
    yield f"DTSTAMP:{at:%Y%m%dT%H%M%SZ}"
    yield f"SEQUENCE:{max(0, int((at - EPOCH).total_seconds()))}"
    yield f"DTSTART;VALUE=DATE:{_day(due)}"
    yield f"DTEND;VALUE=DATE:{_day(due + timedelta(days=1))}"
    yield f"SUMMARY;LANGUAGE=lv:{_escaped(subject_of(letter))}"
    yield f"DESCRIPTION;LANGUAGE=lv:{_escaped(description)}"
    yield f"ORGANIZER:mailto:{quote(sender.plain, safe='@.')}"
    yield f"STATUS:{_state(letter)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"
    yield "END:VCALENDAR"


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _escaped(text: str) -> str:
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of 75 octets, never within a character."""
    pieces, size = [""], 0
    for character in line:
        width = 1 if character.isascii() else len(character.encode())
        if size + width > WIDTH:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += width
    return "\r\n".join(pieces) + "\r\n"
