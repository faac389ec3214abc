# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice history``: acts, verifications, phases, decisions, notices and deferrals as one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import gather
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.output import Column, show, table
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.timeline import Entry, past

GROUPED: Final = "grouped"
NOTICES: Final = (GROUPED, "all", "none", "only")


def chosen(entries: Iterable[Entry], notices: str) -> list[Entry]:
    """The entries that are wanted, in their order."""
    if notices in {"none", "only"}:
        return [entry for entry in entries if entry.is_notice == (notices == "only")]
    return list(entries)


@click.command(cls=Command)
@click.argument("name", callback=read_name, shell_complete=eservice_names)
@click.option(
    "--notices",
    type=click.Choice(NOTICES),
    default=GROUPED,
    show_default=True,
    help="What a line is: a kind of notice with its recipients, each recipient, none of them, or only those.",
)
@ZONE_OPTION
@click.pass_obj
def command(session: Session, name: str, notices: str, time_zone: ZoneInfo) -> None:
    """What happened to one e-service, the oldest first.

    The last 20 changes of phase, every act, verification, deferral and decision, and the notices that the
    ledgers still hold. Instants are shown in the time zone; -o json has them as they were recorded, and each
    notice by itself.
    """
    dossier = gather(session.kubectl, name, session.namespace)
    days = Days(now(), time_zone)
    entries = chosen(past(dossier, days, grouped=notices == GROUPED and not session.machine), notices)
    for note in dossier.notes:
        session.note(note)
    if session.machine:
        show(session, [entry.document() for entry in entries])
        return
    columns = [
        Column("AT"),
        Column("WHAT"),
        Column("RULE", spare=2),
        Column("TEXT", flexible=True),
        *([Column("SOURCE", spare=1)] if session.format == "wide" else []),
    ]
    rows = [
        [days.local(entry.at), entry.what, entry.rule, entry.text]
        + ([entry.source] if session.format == "wide" else [])
        for entry in entries
    ]
    for line in table(session, columns, rows):
        session.say(line)
