# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice list``: many e-services on few lines. Works on plain dicts, so that it starts fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import template_names
from eservice_operator.cli.dated import Days, distance
from eservice_operator.cli.kubectl import EVERYWHERE, Query
from eservice_operator.cli.output import Column, show, table
from eservice_operator.cli.plain import condition, part, texts
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.styles import phase_style, truth_style

ESERVICES: Final = "eservices.eservice.dev"
PHASES: Final = (
    "Pending",
    "Installing",
    "AwaitingVerification",
    "Published",
    "Updating",
    "Unpublished",
    "Paused",
    "Invalid",
    "Terminating",
)
NEVER: Final = "9999-12-31"
NO_OBJECT: Final[Mapping[str, Any]] = {}

Order = Callable[[Mapping[str, Any]], tuple[Any, ...]]


def _name(item: Mapping[str, Any]) -> tuple[str, ...]:
    return str(part(item, "metadata", "namespace") or ""), str(part(item, "metadata", "name"))


def _dated(*path: str) -> Order:
    return lambda item: (part(item, *path) or NEVER, *_name(item))


def urgency(item: Mapping[str, Any]) -> tuple[Any, ...]:
    """What needs somebody first: off by the rule, to be off soonest, not public, then the duty to migrate."""
    published = condition(item, "Published")
    production = part(item, "spec", "environment") == "Production"
    return (
        not production,
        part(item, "status", "phase") != "Unpublished",
        part(item, "status", "template", "unpublishAt") or NEVER,
        published.get("status") == "True",
        part(item, "status", "template", "migrateBy") or NEVER,
        *_name(item),
    )


ORDERS: Final[dict[str, Order]] = {
    "name": _name,
    "urgency": urgency,
    "unpublish-at": _dated("status", "template", "unpublishAt"),
    "migrate-by": _dated("status", "template", "migrateBy"),
    "next": _dated("status", "next", "at"),
}


@click.command(cls=Command)
@click.option(
    "--sort", type=click.Choice(list(ORDERS)), default="name", show_default=True, help="What comes first."
)
@click.option(
    "--template", metavar="NAME", help="Only those on this template.", shell_complete=template_names
)
@click.option("--version", metavar="VERSION", help="Only those whose public release is on this version.")
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    multiple=True,
    help="Only those in this phase; may be repeated.",
)
@ZONE_OPTION
@click.pass_obj
def command(
    session: Session,
    sort: str,
    template: str | None,
    version: str | None,
    phase: tuple[str, ...],
    time_zone: ZoneInfo,
) -> None:
    """E-services with their phase, their dates and what comes next."""
    place = "" if session.all_namespaces else session.namespace
    (listing,) = session.kubectl.get(Query((ESERVICES,), place))
    if listing.refused:
        raise listing.refused[0].error("" if place else EVERYWHERE)
    kept = [item for item in listing.items if _wanted(item, template, version, phase)]
    kept.sort(key=ORDERS[sort])
    if session.machine:
        show(session, {"apiVersion": "v1", "kind": "List", "items": kept})
        return
    if not kept:
        session.note(_none(session, chosen=len(kept) < len(listing.items)))
        return
    for line in lines(session, kept, now(), time_zone):
        session.say(line)


def _none(session: Session, *, chosen: bool) -> str:
    """That there are none, and where it looked."""
    if chosen:
        return "no e-services found that fit the options"
    if session.all_namespaces:
        return "no e-services found"
    place = session.namespace or "the namespace of the context"
    return f"no e-services found in {place}: -n NAMESPACE looks elsewhere, -A everywhere"


def _wanted(
    item: Mapping[str, Any], template: str | None, version: str | None, phases: tuple[str, ...]
) -> bool:
    used = part(item, "status", "template") or NO_OBJECT
    named = part(item, "spec", "template") or NO_OBJECT
    return (
        (template is None or template in {used.get("name"), named.get("name")})
        and (version is None or version == (used.get("version") or named.get("version")))
        and (not phases or part(item, "status", "phase") in phases)
    )


def columns_of(session: Session) -> list[Column]:
    """The columns; `wide` has more."""
    wide = session.format == "wide"
    columns = [
        *([Column("NAMESPACE")] if session.all_namespaces else []),
        Column("NAME"),
        Column("PHASE", style=phase_style),
        Column("PUBLISHED", spare=2, style=truth_style),
        Column("TEMPLATE", spare=1),
        Column("MIGRATE BY", spare=3),
        Column("UNPUBLISH AT"),
    ]
    if wide:
        columns += [
            Column("ENVIRONMENT", spare=5),
            Column("IDENTIFIER", spare=6),
            Column("UNMET GATES", spare=4, flexible=True),
            Column("URL", spare=7),
        ]
    return [*columns, Column("NEXT", flexible=True)]


def lines(session: Session, items: list[dict[str, Any]], at: datetime, zone: ZoneInfo) -> list[str]:
    """The table of the items, in their order."""
    days = Days(at, zone)
    rows = []
    for item in items:
        status = part(item, "status") or NO_OBJECT
        used = status.get("template") or part(item, "spec", "template") or NO_OBJECT
        published = condition(item, "Published")
        row: list[object] = [part(item, "metadata", "namespace")] if session.all_namespaces else []
        row += [
            part(item, "metadata", "name"),
            status.get("phase") or "Unseen",
            published.get("status") or "Unknown",
            " ".join(texts(used, "name", "version")),
            used.get("migrateBy"),
            " held: ".join(texts(used, "unpublishAt", "heldBy")),
        ]
        if session.format == "wide":
            row += [
                part(item, "spec", "environment"),
                status.get("identifier"),
                ",".join(str(gate.get("gate")) for gate in status.get("gates") or ()),
                status.get("publicURL"),
            ]
        rows.append([*row, next_of(status, days)])
    return table(session, columns_of(session), rows)


def next_of(status: Mapping[str, Any], days: Days) -> str:
    """What happens next by itself, and in how many days."""
    following = status.get("next")
    if not following:
        return ""
    day, action = days.day(following.get("at")), following.get("action")
    return f"{action}" if day is None else f"{day} {action} ({distance(day, days)})"
