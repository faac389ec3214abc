# SPDX-License-Identifier: Apache-2.0
"""What an end would close, as people and programs read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eservice_operator.cli.dated import Days, on_day
from eservice_operator.cli.ending import End, act, end_of, what
from eservice_operator.cli.impact import Asked
from eservice_operator.cli.output import Column, Style, show, table
from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import BAD, PLAIN
from eservice_operator.cli.text import clean, counted

Row = Mapping[str, Any]
PUBLIC: Final = {True: "yes", False: "no", None: "?"}
REFUSE: Final = (
    "To tell its consumer why, write spec.refused into the grant instead: the same closes, THEN is Refused."
)
Shown = tuple[Column, Callable[[Row], object]]
"""A column, and what is in it."""
WIDE: Final[tuple[Shown, ...]] = (
    (Column("ENVIRONMENT", spare=6), lambda row: row["environment"]),
    (Column("BINDING", spare=5), lambda row: row["binding"]),
    (Column("MESSAGE", flexible=True), lambda row: row["message"]),
)


@dataclass(frozen=True)
class Impact:
    """The answer."""

    asked: Asked
    place: str
    """Namespace and name of what would end; the namespace where everything in it is asked about."""
    closes: tuple[Row, ...]
    """Each e-service and what it may not call any more, as `Closed.document` has it."""
    notes: tuple[str, ...] = ()

    @property
    def consumers(self) -> dict[str, Row]:
        """Each e-service once."""
        return {_consumer(row): row for row in self.closes}

    def document(self) -> dict[str, Any]:
        """As JSON."""
        asked = self.asked
        whose = self.consumers.values()
        known = all(row["public"] is not None for row in whose)
        return {
            "target": None if asked.target is None else {"kind": asked.target.kind, "place": self.place},
            "version": asked.version,
            "customer": asked.customer,
            "at": None if asked.at is None else str(asked.at),
            "end": end_of(asked).value,
            "eServices": len(whose),
            "public": sum(bool(row["public"]) for row in whose) if known else None,
            "grants": sorted({row["grant"] for row in self.closes if row["grant"]}),
            "closes": list(self.closes),
            "notes": list(self.notes),
        }


def show_impact(session: Session, found: Impact, days: Days) -> None:
    """Print the answer."""
    if session.machine:
        show(session, found.document())
        return
    for note in found.notes:
        session.note(note)
    session.say(clean(_heading(found, days)))
    if not found.closes:
        return
    session.say()
    for line in lines(session, found.closes, by_itself=found.asked.at is not None):
        session.say(line)
    session.say()
    session.say(clean(summary(found)))
    if found.asked.is_of("WebServiceGrant") and end_of(found.asked) is End.DELETED:
        session.say(REFUSE)


def _heading(found: Impact, days: Days) -> str:
    asked, some = found.asked, bool(found.closes)
    if asked.at is not None:
        scope = what(asked, found.place) if asked.target else found.place or "all namespaces"
        until = f"by itself before {on_day(asked.at, days)}"
        return f"{scope}: this ends {until}:" if some else f"{scope}: nothing ends {until}"
    return f"If {act(asked, found.place)}, {'this closes:' if some else 'nothing closes'}"


def lines(session: Session, rows: Sequence[Row], *, by_itself: bool) -> list[str]:
    """The table; ``by_itself`` where nobody acts, and the last day is that of this end."""
    wide = session.format == "wide"
    named = _web_service if len({row["webService"]["namespace"] for row in rows}) > 1 else _web_service_name
    several = len({_web_service(row) for row in rows}) > 1
    shown: list[Shown] = [
        (Column("CONSUMER"), _consumer),
        (Column("PUBLIC", style=_style), lambda row: PUBLIC[row["public"]]),
        (Column("INSTITUTION", spare=3, flexible=True), lambda row: row["institution"]),
        *([(Column("WEB SERVICE", flexible=True), named)] if several else []),
        (Column("VERSION"), lambda row: ", ".join(row["contractVersions"])),
        (Column("THROUGH", spare=2), lambda row: row["agent"]),
        (Column("GRANT", spare=4), lambda row: str(row["grant"] or "").rpartition("/")[2]),
        (Column("LAST DAY" if by_itself else "OTHERWISE UNTIL"), lambda row: row["endsOn"]),
        (Column("THEN", flexible=True), lambda row: row["reason"]),
        *(WIDE if wide else ()),
    ]
    return table(session, [column for column, _ in shown], [[of(row) for _, of in shown] for row in rows])


def summary(found: Impact) -> str:
    """What it comes to, in a sentence or two."""
    whose = found.consumers.values()
    grants = {row["grant"] for row in found.closes if row["grant"]}
    loses = f"{counted(len(whose), 'e-service')} {'loses' if len(whose) == 1 else 'lose'} access"
    through = f" under {counted(len(grants), 'grant')}" if grants else ""
    if any(row["public"] is None for row in whose):
        return f"{loses}{through}; which of them are public is not known here."
    public = sum(row["public"] for row in whose)
    if not public:
        return f"{loses}{through}; none of them is public."
    follows = "is public, runs on and says" if public == 1 else "are public, run on and say"
    return f"{loses}{through}; {public} of them {follows} what is lost."


def _consumer(row: Row) -> str:
    return f"{row['namespace']}/{row['eService']}"


def _web_service(row: Row) -> str:
    return f"{row['webService']['namespace']}/{row['webService']['name']}"


def _web_service_name(row: Row) -> str:
    return str(row["webService"]["name"])


def _style(public: str) -> Style:
    return BAD if public == "yes" else PLAIN
