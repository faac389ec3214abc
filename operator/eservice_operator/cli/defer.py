# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice defer``: the Agency's time-limited, reasoned exception to R8."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.api.names import API_VERSION
from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dated import Days, on_day
from eservice_operator.cli.dossier import find_service, place_of
from eservice_operator.cli.policy import Setup, setup_options
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.world import Live, live
from eservice_operator.cli.writing import DRY_RUN, create, read_day, slug, written
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.unpublication import governing_decision, judge
from eservice_operator.core.world import World


@click.command(cls=Command)
@click.argument("name", shell_complete=eservice_names)
@click.option(
    "--until", callback=read_day, required=True, metavar="DAY", help="The last day on the public route."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why the exception is made.")
@click.option("--approved-by", required=True, metavar="WHO", help="Who at the Agency approved it.")
@click.option("--ticket", metavar="TEXT", help="Where the exception is recorded.")
@setup_options
@DRY_RUN
@click.pass_obj
def command(session: Session, /, name: str, setup: Setup, *, dry_run: bool, **given: Any) -> None:
    """Defer the unpublication of one e-service (R8).

    Writes an UnpublishDeferral. Says first what comes of it, by the operator's own decision: the template's
    maximumDeferral, counted from the day without any deferral, can make it shorter.
    """
    service = find_service(session.kubectl, name, session.namespace)
    place = place_of(service)
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
    return {
        "apiVersion": API_VERSION,
        "kind": "UnpublishDeferral",
        "metadata": {"name": slug(namespace, name, given["until"])},
        "spec": {field: value for field, value in spec.items() if value},
    }


def outlook(world: Live, place: tuple[str, str], made: dict[str, Any], until: date) -> list[str]:
    """What comes of the deferral, for the person: decided with it and without it."""
    if world.essential:
        return [one.text for one in world.essential] + ["so the resulting day cannot be computed here"]
    before = _judged(world, place)
    added = made["metadata"] | {
        "uid": made["metadata"]["name"],
        "resourceVersion": "1",
        "creationTimestamp": written(world.now),
    }
    world.store.upsert(made | {"metadata": added})
    after = _judged(world, place)
    days = Days(world.now, world.policy.zone)
    if after is None:
        return ["no unpublication is decided about it: the deferral waits for one"]
    if after.deferred_until is None:
        return [f"it changes nothing: off the public route {on_day(after.effective_at, days)} as before"]
    was = "" if before is None else f", instead of {on_day(before.effective_at, days)}"
    lines = [
        f"public until {after.deferred_until}, off the public route {on_day(after.effective_at, days)}{was}"
    ]
    if after.deferred_until < until:
        lines.append(f"the template's maximumDeferral makes it shorter: {after.deferred_until}, not {until}")
    elif after.deferred_until > until:
        lines.append(f"a deferral until {after.deferred_until} is there already, and the latest day counts")
    return lines


def _judged(world: Live, place: tuple[str, str]) -> UnpublishDecisionStatus | None:
    """What the decision in force would be now; None when there is none."""
    seen = world.observer.eservice(ObjectKey("EService", *place))
    if not isinstance(seen, World):
        return None
    facts = decide(seen, world.now, world.policy).facts
    governing = governing_decision(facts)
    return None if governing is None else judge(facts, governing)
