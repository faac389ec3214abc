# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice replay``: its arguments. The models take half a second, and wait until it is run."""

from __future__ import annotations

from pathlib import Path

import click

from eservice_operator.cli.filenames import PATH
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.session import Command, Session


@click.command(cls=Command)
@click.argument("name", required=False, callback=read_name)
@click.option(
    "-f",
    "--filename",
    type=PATH,
    metavar="PATH",
    help="A file with the decision, as kubectl get -o yaml wrote it.",
)
@click.pass_obj
def command(session: Session, /, name: str | None, filename: Path | None) -> int:
    """Compute a recorded decision again from its inputs, and compare every fact.

    Reads nothing but the record itself: neither the template as it is now nor the clock. Ends with 0 when
    every fact is reproduced, and with 1 when one is not or the decision is not replayable.
    """
    if (name is None) == (filename is None):
        raise click.UsageError("name one decision, or write -f and a file with it")

    from eservice_operator.cli.replaying import recompute  # noqa: PLC0415 - not for --help

    return recompute(session, name, filename)
