# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice forecast``: the operator's own decisions over the live cluster, ahead of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import click

from eservice_operator.api.eservice import EService
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.clock import now
from eservice_operator.cli.forecast_view import Wanted, show_endings, show_foreseen
from eservice_operator.cli.policy import Setup, setup_options
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.world import Live, live
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period
from eservice_operator.core.forecast import forecast, rehearsed
from eservice_operator.core.stage import Scene
from eservice_operator.core.world import TemplateWorld, World

DEFAULT_UNTIL: Final = "P24M"
FORMATS: Final = ("table", "wide", "json", "csv")
DAY: Final = click.DateTime(formats=["%Y-%m-%d"])


@dataclass(frozen=True)
class Rehearsal:
    """An instruction that is tried out before it is published."""

    template: str | None
    version: str | None
    released: datetime | None
    published: datetime | None


@click.command(cls=Command)
@click.option(
    "--until",
    default=DEFAULT_UNTIL,
    show_default=True,
    metavar="DATE|PERIOD",
    help="How far to look, such as 2028-06-30 or P6M.",
)
@click.option("--at", type=DAY, metavar="DATE", help="Who is public on that day, and who is not and why.")
@click.option("--template", metavar="NAME", help="Only e-services on this template.")
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
    release_brake: bool,  # noqa: FBT001 - click calls by keyword
    **rehearsal: Any,
) -> None:
    """What will happen to e-services, when and why, if nobody acts.

    Lives the operator's own decisions through ahead of time, for the whole fleet, since the brake counts
    all of it; -n, -A and --template choose what is shown. Nothing is written.
    """
    session.output = "wide" if shown == "wide" else session.output
    tried = Rehearsal(**rehearsal)
    start = now()
    seen = _live(session, setup, start)
    end = _end(until if at is None else str(at.date()), seen)
    what_if = tuple(_editions(seen, tried))
    made = forecast(scene_of(session, seen), start, end, seen.policy, what_if, release_brake=release_brake)
    wanted = Wanted(None if session.all_namespaces else session.namespace, tried.template)
    if at is None:
        show_foreseen(session, shown or "table", made, wanted, (start, end, seen.policy.zone))
    else:
        show_endings(session, shown or "table", made, wanted, at.date())


def _live(session: Session, setup: Setup, start: datetime) -> Live:
    """The whole cluster; for a person with rights in one namespace what those show."""
    seen = live(session.kubectl, setup, start)
    if seen.unread and session.namespace:
        seen = live(session.kubectl, setup, start, session.namespace)
    for one in seen.unread:
        session.note(one.text)
    return seen


def _end(text: str, seen: Live) -> datetime:
    """The last instant of a day, written as a date or as a period from today."""
    today = local_day(seen.now, seen.policy.zone)
    try:
        day = date.fromisoformat(text) if text[:1].isdigit() else add_period(today, parse_period(text))
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: write a date such as 2028-06-30, or a period such as P6M"
        ) from None
    if day < today:
        raise click.BadParameter(f"{day} lies in the past: a forecast looks ahead")
    return day_after_end(day, seen.policy.zone) - timedelta(seconds=1)


def _editions(seen: Live, tried: Rehearsal) -> Iterable[EServiceTemplate]:
    """The template with what is tried out, if anything is."""
    if tried.version is None:
        if tried.released is not None or tried.published is not None:
            raise click.UsageError("--released and --published speak of a version: write --version as well")
        return ()
    if tried.template is None:
        raise click.UsageError("--version is one of a template: write --template as well")
    body = seen.store.get("EServiceTemplate", "", tried.template)
    world = None if body is None else seen.observer.template(key_of(body))
    if not isinstance(world, TemplateWorld):
        raise click.ClickException(f"there is no EServiceTemplate {tried.template} that can be read")
    days = (None if day is None else day.date() for day in (tried.released, tried.published))
    try:
        return (rehearsed(world.template, tried.version, *days),)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def scene_of(session: Session, seen: Live) -> Scene:
    """Every EService and template of the store; what cannot be read is named and left out."""
    services = [seen.observer.eservice(key_of(body)) for body in _bodies(seen.store, EService.__name__)]
    templates = [
        seen.observer.template(key_of(body)) for body in _bodies(seen.store, EServiceTemplate.__name__)
    ]
    left_out = sum(not isinstance(one, World | TemplateWorld) for one in (*services, *templates))
    if left_out:
        session.note(
            f"{left_out} objects cannot be read and are not foreseen: kubectl eservice status says why"
        )
    return Scene(
        tuple(world for world in services if isinstance(world, World)),
        tuple(world for world in templates if isinstance(world, TemplateWorld)),
    )


def _bodies(store: Store, kind: str) -> list[dict[str, Any]]:
    return sorted(store.all(kind), key=key_of)
