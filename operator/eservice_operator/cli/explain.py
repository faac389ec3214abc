# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice explain``: its arguments. The models take half a second, and wait until it is run."""

from __future__ import annotations

import click

from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dossier import ask_for_service
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.policy import Setup, setup_options
from eservice_operator.cli.session import Command, Session


@click.command(cls=Command)
@click.argument("name", callback=read_name, shell_complete=eservice_names)
@setup_options
@click.pass_obj
def command(session: Session, name: str, setup: Setup) -> None:
    """What is missing, who owes it, by which rule, and what to run.

    Decides anew, with the operator's own code over what the cluster holds now, so that it is right also where
    a status is out of date. What you may not read is said, with what follows from it.
    """
    found = ask_for_service(session.kubectl, name, session.namespace)  # kubectl runs while the models load
    from eservice_operator.cli.explanation import explain  # noqa: PLC0415 - not for --help

    explain(session, found(), setup)
