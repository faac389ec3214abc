# SPDX-License-Identifier: Apache-2.0
"""A forecast as people and programs read it: a calendar with the list behind it, JSON, CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from eservice_operator.cli.output import Column, as_json, table
from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import BAD, GOOD, HEADING, PLAIN, WAITING
from eservice_operator.cli.text import clean, wrapped
from eservice_operator.core.dates import instant
from eservice_operator.core.forecast import Ending, Forecast
from eservice_operator.core.foresight import Foreseen, Happening

ASSUMES: Final = (
    "Nobody is assumed to act: no renewal, no act, no deferral, no release of the brake."
    " Pods start, gateways agree and notices are accepted at once."
)
FIELDS: Final = ("namespace", "name", "action", "at", "why", "template", "version", "decision", "token")
STYLES: Final = {
    Happening.UNPUBLISH: BAD,
    Happening.HOLD: WAITING,
    Happening.WARN: WAITING,
    Happening.REPUBLISH: GOOD,
}


@dataclass(frozen=True)
class Frame:
    """What a forecast is of: from when to when, in which zone, and what of it is tried out."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    tried: tuple[str, ...] = ()
    """What is not so in the cluster, in words."""

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last local day."""
        return self.start.astimezone(self.zone).date(), self.end.astimezone(self.zone).date()

    def document(self) -> dict[str, Any]:
        """What it assumes, as JSON."""
        return {"assumes": ASSUMES} | ({"triedOut": list(self.tried)} if self.tried else {})

    def lines(self, session: Session) -> Iterator[str]:
        """What it assumes, for people."""
        yield from wrapped(ASSUMES, session.prose)
        if self.tried:
            yield ""
            yield session.paint("Tried out", **HEADING)
            for one in self.tried:
                yield from wrapped(clean(one), session.prose, "  ")


@dataclass(frozen=True)
class Wanted:
    """Which e-services are shown; the forecast itself is always of all."""

    namespace: str | None
    template: str | None

    def foreseen(self, made: Forecast) -> list[Foreseen]:
        """What is shown of what happens."""
        return [item for item in made.foreseen if self._takes(item.namespace, item.template)]

    def endings(self, made: Forecast) -> list[Ending]:
        """What is shown of how e-services stand."""
        return [one for one in made.endings if self._takes(one.namespace, one.template)]

    def _takes(self, namespace: str, template: str) -> bool:
        return self.namespace in {None, namespace} and self.template in {None, template}


def show_foreseen(session: Session, shown: str, made: Forecast, wanted: Wanted, frame: Frame) -> None:
    """What happens, in order."""
    items = wanted.foreseen(made)
    if shown == "json":
        head = {"from": instant(frame.start), "until": instant(frame.end), "timeZone": str(frame.zone)}
        session.say(as_json(head | frame.document() | {"items": [as_item(item) for item in items]}))
    elif shown == "csv":
        session.say(as_csv(FIELDS, [as_item(item) for item in items]))
    else:
        for line in calendar(session, items, frame):
            session.say(line)


def as_item(item: Foreseen) -> dict[str, str]:
    """One item for programs; what it has nothing to say of is left out."""
    values = item._asdict() | {"action": item.action.value, "at": instant(item.at)}
    return {field: values[field] for field in FIELDS if values[field] or field in FIELDS[:5]}


def as_csv(fields: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """Comma-separated values with a heading (RFC 4180), harmless where they are shown on a terminal."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({field: clean(value) for field, value in row.items()} for row in rows)
    return text.getvalue().rstrip("\n")


def calendar(session: Session, items: list[Foreseen], frame: Frame) -> Iterator[str]:
    """The months and days on which something happens, with how much; then all of it."""
    zone, (first, last) = frame.zone, frame.days
    yield session.paint(f"What happens by itself from {first} to {last} ({zone})", **HEADING)
    yield from frame.lines(session)
    if not items:
        yield ""
        yield "Nothing."
        return
    days = [(item.at.astimezone(zone).date(), item) for item in items]
    for month, group in groupby(days, key=lambda pair: pair[0].strftime("%Y-%m")):
        yield ""
        yield session.paint(month, **HEADING)
        for day, found in groupby(group, key=lambda pair: pair[0]):
            yield f"  {day:%a %d}   {_counts(item for _, item in found)}"
    yield ""
    yield from _listed(session, items, zone)


def _counts(items: Iterable[Foreseen]) -> str:
    """How much of what: ``60 Hold, 1 Warn``."""
    counts = Counter(item.action for item in items)
    return ", ".join(f"{counts[action]} {action.value}" for action in Happening if counts[action])


def _listed(session: Session, items: list[Foreseen], zone: ZoneInfo) -> list[str]:
    wide = session.format == "wide"
    columns = [
        Column("AT"),
        Column("NAMESPACE", spare=1),
        Column("NAME"),
        Column("ACTION", style=lambda text: STYLES.get(Happening(text), PLAIN)),
        *([Column("TEMPLATE", spare=3), Column("DECISION", spare=4)] if wide else []),
        Column("WHY", flexible=not wide),
    ]
    rows = []
    for item in items:
        local = item.at.astimezone(zone)
        extra = [f"{item.template} {item.version}", item.decision] if wide else []
        row = [f"{local:%Y-%m-%d %H:%M}", item.namespace, item.name, item.action.value, *extra, item.why]
        rows.append(row)
    return table(session, columns, rows)


ENDING: Final = ("namespace", "name", "public", "at", "reason", "why", "template", "version")


def show_endings(session: Session, shown: str, made: Forecast, wanted: Wanted, frame: Frame) -> None:
    """Who is public at the end of the last day, and who is not and why."""
    _, day = frame.days
    rows = [_ending(one, day) for one in wanted.endings(made)]
    if shown == "json":
        session.say(as_json({"at": str(day)} | frame.document() | {"items": rows}))
        return
    if shown == "csv":
        session.say(as_csv(ENDING, [row | {"public": str(row["public"]).lower()} for row in rows]))
        return
    public = sum(row["public"] for row in rows)
    title = f"At the end of {day}: {public} of {len(rows)} e-services are public"
    session.say(session.paint(title, **HEADING))
    for line in (*frame.lines(session), ""):
        session.say(line)
    columns = [
        Column("NAMESPACE", spare=1),
        Column("NAME"),
        Column("PUBLIC", style=lambda text: GOOD if text == "yes" else BAD),
        Column("TEMPLATE", spare=2),
        Column("REASON"),
        Column("WHY", flexible=True),
    ]
    cells = [
        [
            row["namespace"],
            row["name"],
            "yes" if row["public"] else "no",
            f"{row['template']} {row['version']}",
            row["reason"],
            row["why"],
        ]
        for row in rows
    ]
    for line in table(session, columns, cells):
        session.say(line)


def _ending(one: Ending, day: date) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "public": one.public,
        "at": str(day),
        "reason": one.reason,
        "why": one.message,
        "template": one.template,
        "version": one.version,
    }
