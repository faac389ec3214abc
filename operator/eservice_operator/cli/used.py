# SPDX-License-Identifier: Apache-2.0
"""The web services of an e-service as ``status`` shows them: from objects as kubectl prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from eservice_operator.cli.dated import Days, on_day, since
from eservice_operator.cli.dossier import Body, Dossier
from eservice_operator.cli.page import Page
from eservice_operator.cli.plain import part
from eservice_operator.cli.styles import BAD, FAINT, GOOD
from eservice_operator.cli.text import padded

NOT_SEEN: Final = "not seen"
ALL_VERSIONS: Final = "*"
GRANTED: Final = "Granted"
ENDED: Final = "Ended"
MARKS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {GRANTED: ("✓", GOOD), NOT_SEEN: ("?", FAINT)}
"""How a use is marked by its state; any other one is missing."""
OVER: Final = frozenset({"Closing", "Expired", "ContractRetired", "AssignmentEnded"})
"""The reasons of what does not come back by itself."""
BEST_FIRST: Final = (GRANTED, "Pending", "Refused", ENDED, "Waiting")


class Used(NamedTuple):
    """One use, and how it stands as far as that was written down."""

    name: str
    what: str
    """The web service with its contract version, or through whom."""
    state: str
    """As in the requests that the holder sees; `NOT_SEEN` where neither that nor its answer can be read."""
    reason: str = ""
    ends_on: str = ""
    ended: Body | None = None
    """Since when and why it is not granted any more, as the status of the e-service has it."""


def used_by(dossier: Dossier) -> Iterator[Used]:
    """Each use of the spec, in its order: by its answer, or where that may not be read by status.uses."""
    service = dossier.service
    written = part(service, "status", "uses") or ()
    told = {(entry.get("name"), entry.get("webService")): entry for entry in written}
    unread = {(one.resource.partition(".")[0], one.where) for one in dossier.refused}
    for use in part(service, "spec", "uses") or ():
        name, what, through = str(use.get("name")), _what(use), bool(use.get("agent"))
        entry = told.get((name, what))
        found = _through(use, dossier) if through else _direct(use, dossier)
        if found is None:
            answers = "agentassignments" if through else "webservicegrants"
            hidden = (answers, part(use, "webService", "namespace")) in unread
            found = _as_told(entry) if hidden else ("Waiting", "", "")
        ended = None if entry is None or found[0] == GRANTED else entry.get("ended")
        yield Used(name, what, *found, ended)


def word_of(state: str, reason: str) -> str:
    """What a use is, by the state of the grant that answers it: see the table of words in docs/access.md."""
    if state == "Active" or reason == "Opening":
        return GRANTED
    if reason == "Refused":
        return "Refused"
    if reason == "VersionNotGranted":
        return "Waiting"
    return ENDED if reason in OVER else "Pending"


def _what(use: Body) -> str:
    holder = use.get("webService") or {}
    further = f"through {use['agent']}" if use.get("agent") else str(use.get("contractVersion") or "")
    role = f"as the agent of {use['asAgent']}" if use.get("asAgent") else ""
    place = f"{holder.get('namespace')}/{holder.get('name')}"
    return " ".join(filter(None, (place, further, role)))


State = tuple[str, str, str]
"""State, reason and last day."""


def _as_told(entry: Body | None) -> State:
    """What the operator wrote of a use whose answer may not be read; an older one wrote nothing."""
    if entry is None:
        return NOT_SEEN, "", ""
    return str(entry.get("state")), str(entry.get("reason") or ""), str(entry.get("endsOn") or "")


def _direct(use: Body, dossier: Dossier) -> State | None:
    """The best that a grant says of it."""
    wanted = use.get("webService") or {}
    of = wanted.get("namespace"), wanted.get("name")
    states = [
        (word_of(str(entry.get("state")), reason), reason, str(entry.get("endsOn") or ""))
        for grant in dossier.grants
        if tuple(part(grant, "spec", "consumer", field) for field in ("namespace", "name")) == dossier.place
        and part(grant, "spec", "agent", "assignment") == use.get("asAgent")
        and (part(grant, "metadata", "namespace"), part(grant, "spec", "webService")) == of
        for entry in part(grant, "status", "contractVersions") or ()
        if entry.get("version") in {ALL_VERSIONS, use.get("contractVersion")}
        for reason in (str(entry.get("reason") or ""),)
    ]
    return min(states, key=lambda one: BEST_FIRST.index(one[0]), default=None)


def _through(use: Body, dossier: Dossier) -> State | None:
    """Whether the agent calls for it."""
    place = "/".join(dossier.place)
    named = part(use, "webService", "namespace"), use.get("agent")
    for assignment in dossier.assignments:
        if (part(assignment, "metadata", "namespace"), part(assignment, "metadata", "name")) != named:
            continue
        status = part(assignment, "status") or {}
        for customer in status.get("customers") or ():
            if place in (customer.get("eServices") or ()):
                state = CUSTOMERS.get(str(customer.get("state")), "Pending")
                reason = "" if state == GRANTED else str(status.get("reason") or "")
                return state, "" if reason == "Active" else reason, _last_day(assignment, dossier.grants)
    return None


CUSTOMERS: Final = {"Active": GRANTED, "Ended": ENDED}
"""What a use is, by the state of a customer; any other one waits for a day or for the agent."""


def assignment_end(assignment: Body) -> str:
    """The last day of an assignment by its own dates; empty where it has none."""
    at, until = part(assignment, "spec", "ended", "at"), part(assignment, "spec", "validUntil")
    before = str(date.fromisoformat(str(at)) - timedelta(days=1)) if at else ""
    return min(filter(None, (before, str(until or ""))), default="")


def _last_day(assignment: Body, grants: Sequence[Body]) -> str:
    """The last day of an assignment, or of its application's grant, whichever comes first."""
    place = part(assignment, "metadata", "namespace"), part(assignment, "status", "grant")
    connection = (
        str(part(grant, "status", "endsOn") or "")
        for grant in grants
        if (part(grant, "metadata", "namespace"), part(grant, "metadata", "name")) == place
    )
    return min(filter(None, (assignment_end(assignment), *connection)), default="")


def show_uses(sheet: Page, used: Iterable[Used], days: Days) -> None:
    """The section of the page; none where it uses nothing."""
    uses = list(used)
    if not uses:
        return
    sheet.heading("Web services")
    width = max(len(one.name) for one in uses)
    for one in uses:
        mark, style = MARKS.get(one.state, ("✗", BAD))
        why = f" ({one.reason})" if one.reason not in {"", "Active", one.state} else ""
        day = last_day(one.ends_on, days, over=one.state == ENDED)
        last = f", last day {day}" if day else ""
        sheet.line(f"  {mark} {padded(one.name, width)}  {one.what}: {one.state}{why}{last}", style)
        if one.ended is not None:
            at = since(one.ended.get("at"), days)
            sheet.paragraph(f"ended {at}: {one.ended.get('message')}", indent=" " * 6)


def last_day(value: Any, days: Days, *, over: bool) -> str:
    """The last day with its distance; empty where there is none, or it ended before that came."""
    day = days.day(value)
    return "" if day is None or (over and day >= days.today) else on_day(day, days)
