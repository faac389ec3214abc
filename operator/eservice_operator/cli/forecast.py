# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice forecast``: its arguments. The models take half a second, and wait until it is run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import template_names
from eservice_operator.cli.filenames import filenames_option
from eservice_operator.cli.policy import Setup, setup_options
from eservice_operator.cli.session import Command, Session
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period

DEFAULT_UNTIL: Final = "P24M"
FORMATS: Final = ("table", "wide", "json", "csv")
DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
LAST_DAY: Final = date(2199, 12, 31)
"""The last day that the API takes: `api.fields.Day`, which takes its time to load."""


@dataclass(frozen=True)
class Rehearsal:
    """What is tried out: edited templates, an instruction that is not published, the release of held sets."""

    filenames: tuple[Path, ...]
    template: str | None
    version: str | None
    released: datetime | None
    published: datetime | None
    release_brake: bool


@dataclass(frozen=True)
class Question:
    """What is asked: from an instant to the end of a day."""

    start: datetime
    end: datetime
    at: date | None
    """Who is public at the end of this day; None: what happens until the end."""
    tried: Rehearsal


@click.command(cls=Command)
@click.option(
    "--until",
    default=DEFAULT_UNTIL,
    show_default=True,
    metavar="DATE|PERIOD",
    help="How far to look, such as 2028-06-30 or P6M.",
)
@click.option("--at", type=DAY, metavar="DATE", help="Who is public on that day, and who is not and why.")
@click.option(
    "--template", metavar="NAME", help="Only e-services on this template.", shell_complete=template_names
)
@filenames_option(
    "Try out: the EServiceTemplates of this file or folder, as if applied now; - is what is piped in."
)
@click.option(
    "--version",
    "--template-version",
    metavar="VERSION",
    help="Try out: this version of --template, new or known.",
)
@click.option("--released", type=DAY, metavar="DATE", help="Try out: the version is released on that day.")
@click.option(
    "--published", type=DAY, metavar="DATE", help="Try out: its migration instruction is published then."
)
@click.option("--release-brake", is_flag=True, help="Try out: the Agency releases every held set at once.")
@click.option("-o", "--output", "shown", type=click.Choice(FORMATS), help="How to show it.")
@setup_options
@click.pass_obj
def command(
    session: Session,
    /,
    setup: Setup,
    until: str,
    at: datetime | None,
    shown: str | None,
    **rehearsal: Any,
) -> None:
    """What will happen to e-services, when and why, if nobody acts.

    Lives the operator's own decisions through ahead of time, for the whole fleet, since the brake counts
    all of it; -n, -A and --template choose what is shown. Nothing is written.

    With -f edited EServiceTemplates take the place of those in the cluster from now on: any change of a
    policy, of dates or a recall. --version is tried out on top of them.
    """
    session.output = "wide" if shown == "wide" else session.output
    tried = Rehearsal(**rehearsal)
    _refuse_half_an_instruction(tried)
    day = None if at is None else at.date()
    start = now()
    end = _end(until if day is None else str(day), start, setup.time_zone)

    from eservice_operator.cli.forecasting import foretell  # noqa: PLC0415 - not for --help

    foretell(session, setup, Question(start, end, day, tried), shown or "table")


def _refuse_half_an_instruction(tried: Rehearsal) -> None:
    if tried.version is None and (tried.released is not None or tried.published is not None):
        raise click.UsageError("--released and --published speak of a version: write --version as well")
    if tried.version is not None and tried.template is None:
        raise click.UsageError("--version is one of a template: write --template as well")


def _end(text: str, start: datetime, zone: ZoneInfo) -> datetime:
    """The last instant of a day, written as a date or as a period from today."""
    today = local_day(start, zone)
    try:
        day = date.fromisoformat(text) if text[:1].isdigit() else add_period(today, parse_period(text))
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: write a date such as 2028-06-30, or a period such as P6M"
        ) from None
    if day < today:
        raise click.BadParameter(f"{day} lies in the past: a forecast looks ahead")
    if day > LAST_DAY:
        raise click.BadParameter(f"{day} lies after {LAST_DAY}, the last day that can be written")
    return day_after_end(day, zone) - timedelta(seconds=1)
