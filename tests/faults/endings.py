# SPDX-License-Identifier: Apache-2.0
"""What is compared of two plays of the same story: how they ended, and what was written on the way.

A write is named by what it does and to what, in words that hold on every site, and by how many of the same
came before it in its play: so each write of one play is found again in another.
"""

from __future__ import annotations

from collections import Counter
from difflib import unified_diff
from typing import NamedTuple

from typing_extensions import override

from eservice_operator.core.actions import Manifest
from tests.support.fault_proxy import Seen
from tests.support.mailserver import Received
from tests.support.portrait import Names

OVERTAKEN = ("InstallationDue", "to be installed by")
"""Kind and subject of what is told of a term that is kept at once, or overtaken: as it happens."""


class Write(NamedTuple):
    """The ``number``-th write of a play that does just this, counted from 1."""

    what: str
    number: int

    @property
    def certain(self) -> bool:
        """Whether each play has it: a status may be written in one or in two steps, an Event tells of it."""
        verb, what, *_ = self.what.split()
        return verb in {"create", "delete"} and what != "events"

    @override
    def __str__(self) -> str:
        return f"{self.what} #{self.number}"


def called(seen: Seen, names: Names) -> str:
    """What a write does, and to what."""
    if seen.resource == "events":
        event = seen.content
        return f"{seen.verb} events {event['regarding']['kind']} {event['reason']}"
    return names.plain(f"{seen.what} {seen.namespace}/{seen.name}")


class Ending(NamedTuple):
    """How a play ended: the picture of everything, what was made and removed, and what was written."""

    picture: list[str]
    changes: Counter[str]
    writes: list[Write]
    events: int
    mails: Counter[str]
    """How many came with each subject; under the same Message-ID they count as one."""
    repeated: int
    """How many mails came that had come already."""
    kills: int
    wrong: list[str]
    """What the oracle of notices says."""


def without_overtaken(obj: Manifest) -> Manifest:
    """The object without the notices that one play has and the next has not."""
    notices = (obj.get("status") or {}).get("notices")
    if notices is None:
        return obj
    kept = [notice for notice in notices if notice["kind"] != OVERTAKEN[0]]
    return obj | {"status": obj["status"] | {"notices": kept}}


def mails(received: list[Received], names: Names) -> tuple[Counter[str], int]:
    """How many different mails came with each subject, and how many that had come already."""
    came = {
        (str(mail.message["Message-ID"]), mail.recipients[0]): names.plain(str(mail.message["Subject"]))
        for mail in received
    }
    told = (subject for subject in came.values() if OVERTAKEN[1] not in subject)
    return Counter(told), len(received) - len(came)


def different(one: Ending, whole: Ending) -> str:
    """In what an ending is not like that of an undisturbed play; empty when it is."""
    changes, expected = one.changes, whole.changes
    if changes != expected:
        return f"{dict(changes - expected)} too many, {dict(expected - changes)} too few"
    if one.picture != whole.picture:
        return _unlike(one.picture, whole.picture)
    if one.mails != whole.mails:
        return f"mails: {dict(one.mails - whole.mails)} too many, {dict(whole.mails - one.mails)} too few"
    return ""


def _unlike(one: list[str], whole: list[str]) -> str:
    """The fields that differ, of the objects that do."""
    fields = [
        [field for line in lines if line not in others for field in line.split(', "')]
        for lines, others in ((one, whole), (whole, one))
    ]
    return "\n".join(line for line in unified_diff(fields[1], fields[0], "whole", "killed", n=2, lineterm=""))


def assert_same(killed: Ending, whole: Ending, where: str) -> None:
    """Two plays of the same story have come to the same, and by the same steps."""
    unlike = different(killed, whole) or "\n".join(killed.wrong)
    assert not unlike, f"{where}:\n{unlike}"
