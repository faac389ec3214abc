# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice defer``: the Agency's time-limited, reasoned exception to R8."""

from __future__ import annotations

from typing import Any

import click

from eservice_operator.api.names import API_VERSION
from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import ask_for_service, place_of
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.policy import Setup, setup_options
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.writing import DRY_RUN, create, own_name, read_day


@click.command(cls=Command)
@click.argument("name", callback=read_name, shell_complete=eservice_names)
@click.option(
    "--until", callback=read_day, required=True, metavar="DAY", help="The last day on the public route."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why the exception is made.")
@click.option("--approved-by", required=True, metavar="WHO", help="Who at the Agency approved it.")
@click.option("--ticket", metavar="TEXT", help="Where the exception is recorded.")
@click.option(
    "--name",
    "own",
    metavar="NAME",
    callback=read_name,
    help="Name of the UnpublishDeferral; without it one that follows from all of its content.",
)
@setup_options
@DRY_RUN
@click.pass_obj
def command(session: Session, /, name: str, setup: Setup, *, dry_run: bool, **given: Any) -> None:
    """Defer the unpublication of one e-service (R8).

    Writes an UnpublishDeferral. Says first what comes of it, by the operator's own decision: the template's
    maximumDeferral, counted from the day without any deferral, can make it shorter.
    """
    found = ask_for_service(session.kubectl, name, session.namespace)  # kubectl runs while the models load
    from eservice_operator.cli.deferring import outlook  # noqa: PLC0415 - the models take their time
    from eservice_operator.cli.world import live  # noqa: PLC0415 - as above

    place = place_of(found())
    made = manifest(place, given)
    world = live(session.kubectl, setup, now(), place[0])
    if given["until"] < Days(world.now, setup.time_zone).today:
        raise click.ClickException(f"{given['until']} has passed: write a day to come")
    for line in outlook(world, place, made, given["until"]):
        session.note(line)
    create(session, made, dry_run=dry_run)


def manifest(place: tuple[str, str], given: dict[str, Any]) -> dict[str, Any]:
    """The UnpublishDeferral."""
    namespace, name = place
    spec = {
        "eService": {"namespace": namespace, "name": name},
        "until": str(given["until"]),
        "reason": given["reason"],
        "ticket": given["ticket"],
        "approvedBy": given["approved_by"],
    }
    kept = {field: value for field, value in spec.items() if value}
    return {
        "apiVersion": API_VERSION,
        "kind": "UnpublishDeferral",
        "metadata": {"name": given["own"] or own_name(namespace, name, given["until"], content=kept)},
        "spec": kept,
    }
