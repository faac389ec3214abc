# SPDX-License-Identifier: Apache-2.0
"""What is compared of two plays of the same story: how they ended, and what was written on the way.

A write is named by what it does and to what, in words that hold on every site, and by how many of the same
came before it in its play: so each write of one play is found again in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import Any, NamedTuple

from typing_extensions import override

from eservice_operator.core.actions import Manifest
from tests.support.fault_proxy import Seen
from tests.support.mailserver import Received
from tests.support.operator import BOUND
from tests.support.portrait import Names

AGENCY = "j@agency.example"
"""As tests/support/fleet.py has it in registrations."""
SOON_OVER = "to be installed by"
"""In the subject of what is told of a term that is kept at once, or overtaken: as it happens."""
IN_PASSING = frozenset({"InstallationDue", "Installed"})
"""Reasons of Events about what holds for a moment only: they are told where a status was written just then.
One that says no more than that work goes on is held back for a while, and passes over it."""
SEEN_GOING = "WebServiceGrant", "AccessEnded"
"""Of what, and the reason: an undisturbed play closes a grant and lets it go in one step, and nobody is left
to be told about. Who was killed in between finds the grant going, and says so, once."""
GOING, GONE = "the grant is being deleted", "the grant was deleted"
"""Why access has ended: who was killed before it said so may see the grant no more at its next look."""
SOON_EFFECTIVE = "to be unpublished on"
"""The institution has to hear of it first, before anything is closed. To the Agency's copy nobody waits: one
that is still on its way when the decision has taken effect is withdrawn, whether or not it was taken."""


class Write(NamedTuple):
    """The ``number``-th write of a play that does just this, counted from 1."""

    what: str
    number: int

    @property
    def resource(self) -> str:
        """The plural of what it writes to, without a subresource."""
        return self.what.split()[1].partition("/")[0]

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


def event_said(event: Manifest, names: Names) -> str:
    """What an Event (of the core API) is about, and its reason."""
    about = event["involvedObject"]
    return names.plain(f"{about['kind']} {about['name']} {event['reason']}")


class Ending(NamedTuple):
    """How a play ended: the picture of everything, what was made and removed, and what was written."""

    picture: list[str]
    changes: Counter[str]
    writes: list[Write]
    events: Counter[str]
    """How often each Event was told: of what, and its reason."""
    mails: Counter[str]
    """How many came with each subject; under the same Message-ID they count as one."""
    repeated: int
    """How many mails came that had come already."""
    kills: int
    wrong: list[str]
    """What the oracle of notices says."""


Entry = tuple[str, str]
"""The id of a notice, and its state."""


def entered(objects: Iterable[Manifest]) -> frozenset[Entry]:
    """What the ledgers of these objects say."""
    return frozenset(_entry(notice) for obj in objects for notice in _ledger(obj))


def told_alike(obj: Manifest, known: frozenset[Entry]) -> Manifest:
    """The object with what the story did to its ledger, in an order that all plays share.

    Entries come in the order in which they were found to be due. What becomes true at the same moment and is
    found by looks at different things, such as a grant and an installation, comes in either order; nobody is
    promised one. Left out is what is told as it happens, and what is as it was ``known`` before the story:
    a first status tells nothing of what lies before it, and whether the duty to migrate, or a request for a
    web service, was there before it differs from site to site.
    """
    notices = _ledger(obj)
    if not notices:
        return obj
    state = obj["status"].get("state")
    kept = [one for one in notices if _entry(one) not in known and not _as_it_happens(one, state)]
    status = {key: value for key, value in obj["status"].items() if key != "notices"}
    return obj | {"status": status | ({"notices": sorted(kept, key=_whom_of_what)} if kept else {})}


def seen_alike(picture: list[str]) -> list[str]:
    """The picture in which a grant that is gone was seen going."""
    return sorted(line.replace(GONE, GOING) for line in picture)


def _ledger(obj: Manifest) -> list[Manifest]:
    return (obj.get("status") or {}).get("notices") or []


def _entry(notice: Manifest) -> Entry:
    return notice["id"], notice["state"]


def _as_it_happens(notice: Manifest, state: str | None) -> bool:
    """Whether one play has the notice, or has it sent, and the next has not."""
    copy = notice["kind"] == "UnpublishScheduled" and notice["audience"] == "Agency"
    return notice["kind"] == "InstallationDue" or (copy and state == "Effective")


def _whom_of_what(notice: Manifest) -> tuple[str, ...]:
    return notice["kind"], notice.get("about", ""), notice["channel"], notice["recipient"], notice["state"]


def once_each(received: Iterable[Received]) -> list[Received]:
    """The mails without those that came again."""
    return list({_letter(mail): mail for mail in received}.values())


def resent(known: Iterable[Received], came: Iterable[Received]) -> list[str]:
    """What is wrong with mails that came in a story: a ledger said of these before that they were sent."""
    old = {_letter(mail) for mail in known}
    return [f"{letter} came again, told long ago" for letter in {_letter(mail) for mail in came} & old]


def _letter(mail: Received) -> tuple[str, str]:
    return str(mail.message["Message-ID"]), mail.recipients[0]


def told_twice(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The letters that one life of the operator has handed over twice; ``records`` are those of all."""
    told: Counter[tuple[int, str]] = Counter()
    life = 0
    for record in records:
        said = str(record["msg"])
        life += BOUND.search(said) is not None
        if said.endswith(" accepted (Email)"):
            told[life, said] += 1
    assert life, "each life says where it answers"
    return [f"life {which}: {said}, {count} times" for (which, said), count in told.items() if count > 1]


def mails(received: list[Received], names: Names) -> tuple[Counter[str], int]:
    """How many different mails came with each subject, and how many that had come already."""
    came = {_letter(mail): names.plain(str(mail.message["Subject"])) for mail in received}
    told = (
        subject
        for (_, recipient), subject in came.items()
        if SOON_OVER not in subject and not (SOON_EFFECTIVE in subject and recipient == AGENCY)
    )
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


def told_more_often(one: Ending, whole: Ending) -> str:
    """The Events that an undisturbed play has less of; empty when there are none.

    One is told after the status that it is about was written, and so never again by the next life.
    """
    more = one.events - whole.events
    wrong = {said: count for said, count in more.items() if not _in_passing(said, one.events[said])}
    return f"Events told more often: {wrong}" if wrong else ""


def _in_passing(said: str, count: int) -> bool:
    """Whether an Event that came so often tells of what an undisturbed play may pass over."""
    kind, *_, reason = said.split()
    return reason in IN_PASSING or ((kind, reason) == SEEN_GOING and count == 1)


def unlike(killed: Ending, whole: Ending, where: str) -> list[str]:
    """In one entry what two plays of a story have not come to alike, or not by the same steps; else none."""
    found = different(killed, whole) or "\n".join(killed.wrong) or told_more_often(killed, whole)
    return [f"{where}:\n{found}"] if found else []
