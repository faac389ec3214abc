# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice release-brake``: the Agency lets a set of held unpublications take effect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import template_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, resource
from eservice_operator.cli.kubectl import Query
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.output import Column, show, table
from eservice_operator.cli.plain import part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.text import clean
from eservice_operator.cli.writing import DRY_RUN, confirmed

COLUMNS = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("VERSION"),
    Column("OVERDUE SINCE"),
    Column("HELD SINCE", spare=2),
    Column("DECISION", spare=1),
)


@click.command(cls=Command)
@click.argument("template", callback=read_name, shell_complete=template_names)
@click.option("--token", metavar="TOKEN", help="The set; not needed where the brake holds only one.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@ZONE_OPTION
@DRY_RUN
@click.pass_obj
def command(
    session: Session, template: str, token: str | None, time_zone: ZoneInfo, *, yes: bool, dry_run: bool
) -> None:
    """Let a set of held unpublications take effect (R8).

    Shows the set that the brake holds: who, how many, why. Then writes its token into the template's
    spec.lifecycle.brake.release. The set takes effect as one; later ones are held anew.
    """
    found, listed = session.kubectl.get(
        Query((resource("eservicetemplates"),), name=template),
        Query((resource("unpublishdecisions"),), ""),
    )
    body = found.only()
    token = chosen(body, token)
    if listed.refused:
        session.note("you may not list unpublishdecisions: the set is not shown, only its names")
    members = [one for one in listed.items if held_by(one, token)]
    for line in described(session, body, token, members, Days(now(), time_zone)):
        session.note(line) if session.machine or dry_run else session.say(line)
    change = {"spec": {"lifecycle": {"brake": {"release": token}}}}
    if dry_run:
        name = part(body, "metadata", "name")
        show(
            session,
            {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {"name": name}} | change,
        )
        return
    if part(body, "spec", "lifecycle", "brake", "release") == token:
        session.note(f"the template releases {token} already: the operator lets the set go")
        return
    refuse_to_forget(body, yes=yes)
    confirmed(session, f"Let {_count(body, token)} e-services be taken off the public route?", yes=yes)
    _patch(session, template, change)


def chosen(template: Body, token: str | None) -> str:
    """The token of the set to release.

    Raises:
        ClickException: nothing is held, several sets are and none was named, or there is none of that token.
    """
    known = [str(held.get("token")) for held in part(template, "status", "held") or ()]
    name = part(template, "metadata", "name")
    if not known:
        raise click.ClickException(f"the brake holds nothing of {name}")
    if token is None and len(known) == 1:
        return known[0]
    if token is None:
        raise click.ClickException(
            f"the brake holds several sets of {name}: name one with --token: {', '.join(known)}"
        )
    if token not in known:
        raise click.ClickException(f"the brake holds no set {token!r} of {name}; it holds {', '.join(known)}")
    return token


def refuse_to_forget(template: Body, *, yes: bool) -> None:
    """Do not overwrite the release of a set that is still held, unless the person said so with ``--yes``.

    Raises:
        ClickException: members of the set that the template releases have not been let go yet.
    """
    before = part(template, "spec", "lifecycle", "brake", "release")
    held = {part(one, "token") for one in part(template, "status", "held") or ()}
    if before in held and not yes:
        raise click.ClickException(
            f"the template releases {clean(before)}, and members of that set have not been let go yet: with"
            " another token in its place they stay held. Wait until the set is gone from status.held, or add"
            " --yes"
        )


def held_by(decision: Body, token: str) -> bool:
    """Whether the brake holds the decision in that set."""
    status = part(decision, "status") or {}
    return bool(
        status.get("holdToken") == token and not status.get("releasedAt") and status.get("state") != "Closed"
    )


def _held(template: Body, token: str) -> Body:
    return next(held for held in part(template, "status", "held") if held.get("token") == token)


def _count(template: Body, token: str) -> int:
    return int(_held(template, token).get("count") or 0)


def described(session: Session, template: Body, token: str, members: Sequence[Body], days: Days) -> list[str]:
    """Who, how many, why."""
    held, brake = _held(template, token), part(template, "spec", "lifecycle", "brake") or {}
    public = part(template, "status", "eServices") or 0
    name, since = clean(part(template, "metadata", "name")), days.local(held.get("since"))
    held_now = f"{name}: the brake holds {_count(template, token)} unpublications since {since}"
    least, percent = clean(brake.get("atLeast", 5)), clean(brake.get("percent", 10))
    why = f"More than {least}, and more than {percent} % of {public} in public use, within 24 hours."
    lines = [f"{held_now}, token {clean(token)}", why, ""]
    if not members:
        return [*lines, *(f"  {clean(name)}" for name in held.get("decisions") or ()), ""]
    rows = [
        [
            part(one, "spec", "eService", "namespace"),
            part(one, "spec", "eService", "name"),
            part(one, "spec", "release", "template", "version"),
            part(one, "spec", "overdueSince"),
            days.local(part(one, "status", "heldSince") or ""),
            part(one, "metadata", "name"),
        ]
        for one in sorted(members, key=lambda one: str(part(one, "metadata", "name")))
    ]
    return [*lines, *table(session, COLUMNS, rows), ""]


def _patch(session: Session, template: str, change: dict[str, Any]) -> None:
    arguments = (
        "patch",
        resource("eservicetemplates"),
        template,
        "--type=merge",
        f"--patch={json.dumps(change)}",
    )
    if session.machine:
        show(session, json.loads(session.kubectl.run(*arguments, "-o", "json")))
        return
    session.say(clean(session.kubectl.run(*arguments).strip(), keep="\n"))
    session.note("where the template is kept in Git, write the same there: --dry-run -o yaml prints it")
