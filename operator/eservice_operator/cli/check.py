# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice check``: its arguments. The models take half a second, and wait until it is run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.filenames import PATH, filenames_option
from eservice_operator.cli.policy import ZONE_OPTION, Setup
from eservice_operator.cli.session import Command, Session
from eservice_operator.core.dates import add_period, local_day, parse_period

FORMATS: Final = ("table", "json", "github")


@click.command(cls=Command)
@filenames_option("A file or a folder; - reads what is piped in.")
@click.argument("paths", nargs=-1, type=PATH)
@click.option(
    "--at",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="Judge for that day; without it for today.",
)
@click.option(
    "--within",
    default="P0D",
    show_default=True,
    metavar="PERIOD",
    help="Judge for the time from that day on as well, such as P3M.",
)
@click.option("-o", "--output", "shown", type=click.Choice(FORMATS), default="table", help="How to show it.")
@click.option("--strict", is_flag=True, help="End with 1 when there is a warning.")
@click.option("--allow-empty", is_flag=True, help="End with 0 where there is no e-service object to check.")
@ZONE_OPTION
@click.pass_obj
def command(
    session: Session,
    /,
    filenames: tuple[Path, ...],
    paths: tuple[Path, ...],
    at: datetime | None,
    within: str,
    time_zone: ZoneInfo,
    **result: Any,
) -> int:
    """Check manifests offline: their structure, and where their e-services stand by the rules.

    EServices are judged as if the releases that they name were public. Ends with 0 when all is well, 2 when a
    duty is running (R7), 3 when an e-service would be unpublished (R8), 1 when something is invalid or cannot
    be judged; of several the worst in the order 1, 3, 2.

    Warns of a template's policy that lets happen what its author may not mean, such as unpublishing without
    notice, and of grants that open nothing; that ends with 0, with --strict with 1. Where there is no
    e-service object at all, nothing was checked, and it ends with 1.
    """
    if not (filenames or paths):
        raise click.UsageError("nothing to check: write -f and a file or a folder")
    first = local_day(now(), time_zone) if at is None else at.date()
    try:
        last = add_period(first, parse_period(within))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None

    from eservice_operator.cli.checking import Asked, check  # noqa: PLC0415 - not for --help

    asked = Asked((*filenames, *paths), (first, last), Setup(time_zone=time_zone), **result)
    return check(session, asked)
