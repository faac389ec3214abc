# SPDX-License-Identifier: Apache-2.0
"""The web services of an e-service as ``explain`` shows them: as judged now, or as the operator wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from eservice_operator.api.eservice import EService
from eservice_operator.api.reasons import Reason
from eservice_operator.api.used import EndedUse, UseStatus
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice_status import RequestState
from eservice_operator.cli.access_advice import holder_of
from eservice_operator.cli.dated import Days, since
from eservice_operator.cli.page import Page
from eservice_operator.cli.styles import BAD, FAINT, GOOD
from eservice_operator.cli.used import NOT_SEEN, last_day
from eservice_operator.core.access.lacking import lack_of
from eservice_operator.core.access.naming import named
from eservice_operator.core.access.requesting import request_state
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.dates import instant


@dataclass(frozen=True)
class ExplainedUse:
    """One use, and how it stands as far as that is known."""

    use: Use
    state: RequestState | None
    """None where neither its answer nor what the operator says of it is seen."""
    reason: str = ""
    message: str = ""
    holder: str = ""
    """Institution and address; empty where the e-service may not know them."""
    grant: str = ""
    """Namespace and name of what answers it; empty where it was not read."""
    ends_on: date | None = None
    since: datetime | None = None
    ended: EndedUse | None = None
    """While it is not granted any more."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        use = self.use.model_dump(mode="json", by_alias=True, exclude_none=True)
        ended = None if self.ended is None else self.ended.model_dump(mode="json", by_alias=True)
        return use | {
            "state": None if self.state is None else self.state.value,
            "reason": self.reason or None,
            "message": self.message or None,
            "grant": self.grant or None,
            "holder": self.holder or None,
            "endsOn": None if self.ends_on is None else str(self.ends_on),
            "since": None if self.since is None else instant(self.since),
            "ended": ended,
        }


def as_judged(standings: Iterable[UseStanding], told: Iterable[UseStatus]) -> Iterator[ExplainedUse]:
    """Each use as judged now; since when that is so, and what ended it, is as the status has it."""
    entries = {(entry.name, entry.web_service): entry for entry in told}
    for standing in standings:
        state, said = request_state(standing), lack_of(standing) or standing
        entry = entries.get((standing.use.name, named(standing.use)))
        grant = None if standing.grant is None else standing.grant.grant.metadata
        yield ExplainedUse(
            use=standing.use,
            state=state,
            reason=said.reason.value,
            message=said.message,
            holder=holder_of(standing),
            grant="" if grant is None else f"{grant.namespace}/{grant.name}",
            ends_on=standing.ends_on,
            since=entry.since if entry is not None and entry.state is state else None,
            ended=None if entry is None else entry.ended,
        )


def as_written(service: EService) -> Iterator[ExplainedUse]:
    """Each use of the spec as the operator last wrote it into the status; an older operator wrote none."""
    entries = {(entry.name, entry.web_service): entry for entry in service.status.uses}
    for use in service.spec.uses:
        entry = entries.get((use.name, named(use)))
        yield ExplainedUse(use, None) if entry is None else _as_told(use, entry)


def _as_told(use: Use, entry: UseStatus) -> ExplainedUse:
    contact = f"<{entry.contact}>" if entry.contact else ""
    return ExplainedUse(
        use=use,
        state=entry.state,
        reason=entry.reason,
        message=entry.message,
        holder=f"{entry.holder or ''} {contact}".strip(),
        ends_on=entry.ends_on,
        since=entry.since,
        ended=entry.ended,
    )


def show_explained(sheet: Page, uses: Iterable[ExplainedUse], asked: Iterable[Use], days: Days) -> None:
    """R3: each web service that it asks for, or that a release that still runs does; no section without."""
    found, spec = tuple(uses), tuple(asked)
    if not found:
        return
    sheet.heading("Web services")
    for one in found:
        _show(sheet, one, days)
        if one.use not in spec:
            sheet.labelled("", "asked for by a release that runs, not by the spec any more")


def _show(sheet: Page, one: ExplainedUse, days: Days) -> None:
    what = f"{one.use.name}: {named(one.use)}"
    if one.state is None:
        sheet.line(f"  ? {what}", FAINT)
        sheet.labelled("State", NOT_SEEN)
        return
    good = one.state is RequestState.GRANTED
    sheet.line(f"  {'✓' if good else '✗'} {what}", GOOD if good else BAD)
    reason = "" if one.reason == one.state.value else f" ({one.reason})"
    plain = one.reason == Reason.ACTIVE
    sheet.labelled("State", one.message if plain else f"{one.state.value}{reason}: {one.message}")
    if one.ended is not None:
        why = "" if one.ended.message == one.message else f": {one.ended.message}"
        sheet.labelled("Ended", f"{since(one.ended.at, days)}{why}")
    sheet.labelled("Grant", one.grant)
    sheet.labelled("Last day", last_day(one.ends_on, days, over=one.state is RequestState.ENDED))
    sheet.labelled("Holder", one.holder)
