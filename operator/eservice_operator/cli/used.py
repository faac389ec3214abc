# SPDX-License-Identifier: Apache-2.0
"""The web services of an e-service as ``status`` shows them: from objects as kubectl prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from eservice_operator.cli.dated import Days, on_day
from eservice_operator.cli.page import Page
from eservice_operator.cli.plain import condition, part
from eservice_operator.cli.styles import BAD, FAINT, GOOD
from eservice_operator.cli.text import padded

Body = Mapping[str, Any]
NOT_SEEN = "not seen"
ALL_VERSIONS = "*"
MARKS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {"Active": ("✓", GOOD), NOT_SEEN: ("?", FAINT)}
"""How a use is marked by its state; any other one is missing."""


class Used(NamedTuple):
    """One use, and how it stands as far as that was written down."""

    name: str
    what: str
    """The web service with its contract version, or through whom."""
    state: str
    """Active, or another state of the grant; `NOT_SEEN` where the holder's answer cannot be read."""
    reason: str = ""
    ends_on: str = ""


def used_by(service: Body, grants: Sequence[Body], assignments: Sequence[Body]) -> Iterator[Used]:
    """Each use of the spec, in its order."""
    granted = condition(service, "AccessGranted").get("status") == "True"
    for use in part(service, "spec", "uses") or ():
        found = _through(use, service, assignments) if use.get("agent") else _direct(use, service, grants)
        state, reason, ends_on = found or ("Active" if granted else NOT_SEEN, "", "")
        yield Used(str(use.get("name")), _what(use), state, reason, ends_on)


def _what(use: Body) -> str:
    holder = use.get("webService") or {}
    further = f"through {use['agent']}" if use.get("agent") else str(use.get("contractVersion") or "")
    return f"{holder.get('namespace')}/{holder.get('name')} {further}".strip()


State = tuple[str, str, str]
"""State, reason and last day."""


def _direct(use: Body, service: Body, grants: Sequence[Body]) -> State | None:
    """The best that a grant says of it; an active one before any other."""
    consumer = {field: part(service, "metadata", field) for field in ("namespace", "name")}
    wanted = use.get("webService") or {}
    of = wanted.get("namespace"), wanted.get("name")
    states = [
        (str(entry.get("state") or ""), str(entry.get("reason") or ""), str(entry.get("endsOn") or ""))
        for grant in grants
        if part(grant, "spec", "consumer") == consumer
        and (part(grant, "metadata", "namespace"), part(grant, "spec", "webService")) == of
        for entry in part(grant, "status", "contractVersions") or ()
        if entry.get("version") in {ALL_VERSIONS, use.get("contractVersion")}
    ]
    return next((one for one in states if one[0] == "Active"), states[0] if states else None)


def _through(use: Body, service: Body, assignments: Sequence[Body]) -> State | None:
    """Whether the agent calls for it."""
    place = f"{part(service, 'metadata', 'namespace')}/{part(service, 'metadata', 'name')}"
    named = part(use, "webService", "namespace"), use.get("agent")
    for assignment in assignments:
        if (part(assignment, "metadata", "namespace"), part(assignment, "metadata", "name")) != named:
            continue
        status = part(assignment, "status") or {}
        reason = "" if status.get("state") == "Active" else str(status.get("reason") or "")
        for customer in status.get("customers") or ():
            if place in (customer.get("eServices") or ()):
                return str(customer.get("state")), reason, str(part(assignment, "spec", "validUntil") or "")
    return None


def show_uses(sheet: Page, used: Iterable[Used], days: Days) -> None:
    """The section of the page; none where it uses nothing."""
    uses = list(used)
    if not uses:
        return
    sheet.heading("Web services")
    width = max(len(one.name) for one in uses)
    for one in uses:
        mark, style = MARKS.get(one.state, ("✗", BAD))
        why = f" ({one.reason})" if one.reason not in {"", one.state} else ""
        until = f", until {on_day(one.ends_on, days)}" if one.ends_on else ""
        sheet.line(f"  {mark} {padded(one.name, width)}  {one.what}: {one.state}{why}{until}", style)
