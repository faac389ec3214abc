# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice revoke``: the Agency takes decisions to unpublish back, one or many at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.api.names import API_VERSION
from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import decision_names, template_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, resource
from eservice_operator.cli.kubectl import EVERYWHERE, KubectlError, Query
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.output import Column, show, table
from eservice_operator.cli.plain import ground, part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.text import clean
from eservice_operator.cli.writing import DRY_RUN, confirmed, read_day

KIND: Final = "UnpublishDecision"
AT_ONCE: Final = 50
"""Decisions that one run of kubectl writes to."""
EFFECTS: Final = {
    "Effective": "back on the public route",
    "Held": "not unpublished",
    "Scheduled": "not unpublished",
}
COLUMNS: Final = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("VERSION"),
    Column("STATE"),
    Column("CAUSED BY", spare=2),
    Column("OVERDUE SINCE", spare=1),
    Column("ON REVOCATION", flexible=True),
    Column("DECISION"),
)


def read_names(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """The names of objects, each once."""
    return tuple(dict.fromkeys(str(read_name(ctx, param, value)) for value in values))


@click.command(cls=Command)
@click.argument(
    "names", nargs=-1, metavar="[DECISION]...", callback=read_names, shell_complete=decision_names
)
@click.option("--set", "token", metavar="TOKEN", help="Every open decision of the set that the brake holds.")
@click.option(
    "--template",
    metavar="NAME",
    help="Every open decision about releases on this template.",
    shell_complete=template_names,
)
@click.option("--caused-by", metavar="VERSION", help="Of those only the ones that this version made overdue.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the institutions are shown it.")
@click.option(
    "--at", callback=read_day, metavar="DAY", help="The day from which they hold no more; else today."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@ZONE_OPTION
@DRY_RUN
@click.pass_obj
def command(session: Session, /, time_zone: ZoneInfo, **given: Any) -> None:
    """Take decisions to unpublish back (R8).

    Shows them, asks, and sets spec.revoked, which stays. The operator closes them: who is off the public
    route because of one comes back, a held set gets smaller, and the institutions are told. It does not
    decide so again about the same release because of the same version; another version can.
    """
    if sum((bool(given["names"]), given["token"] is not None, given["template"] is not None)) != 1:
        raise click.UsageError("write names of decisions, or --set, or --template: one of the three")
    if given["caused_by"] is not None and given["names"]:
        raise click.UsageError("--caused-by chooses from --set or --template: leave it out beside names")
    days = Days(now(), time_zone)
    found = chosen(_decisions(session), given)
    at = given["at"] or days.today
    changes = [change(one, at, given["reason"]) for one in found]
    _refuse_unreadable(found, changes)
    aside = session.machine or given["dry_run"]
    for line in described(session, found):
        session.note(line) if aside else session.say(line)
    if given["dry_run"]:
        show(session, changes[0] if len(changes) == 1 else _list(changes))
        return
    when = "" if at == days.today else f" from {at}"
    confirmed(session, f"Revoke {_counted(found)}{when}?", yes=given["yes"])
    _write(session, changes)


def _decisions(session: Session) -> tuple[Body, ...]:
    (listing,) = session.kubectl.get(Query((resource("unpublishdecisions"),), ""))
    if listing.refused:
        raise listing.refused[0].error(EVERYWHERE)
    return listing.items


def chosen(decisions: Iterable[Body], given: dict[str, Any]) -> list[Body]:
    """The open decisions that are meant, in the order of their names.

    Raises:
        ClickException: one that was named is not there or is not open, or nothing is meant.
    """
    by_name = {str(part(one, "metadata", "name")): one for one in decisions}
    missing = [name for name in given["names"] if name not in by_name]
    if missing:
        raise click.ClickException(
            f"there is no {KIND} {', '.join(missing)}: kubectl get decision lists them"
        )
    settled = [why for name in given["names"] if (why := _settled(by_name[name]))]
    if settled:
        raise click.ClickException("; ".join(settled))
    found = [one for _, one in sorted(by_name.items()) if not _settled(one) and _meant(one, given)]
    if not found:
        what = f"set {given['token']}" if given["token"] is not None else f"template {given['template']}"
        raise click.ClickException(f"no open decision of the {what} is there to be revoked")
    return found


def _meant(decision: Body, given: dict[str, Any]) -> bool:
    if given["names"]:
        return part(decision, "metadata", "name") in given["names"]
    if given["caused_by"] is not None and ground(decision).get("causedBy") != given["caused_by"]:
        return False
    if given["token"] is not None:
        return bool(part(decision, "status", "holdToken") == given["token"])
    return bool(part(decision, "spec", "release", "template", "name") == given["template"])


def _settled(decision: Body) -> str:
    """Why there is nothing to take back; empty for an open decision."""
    name, revoked = part(decision, "metadata", "name"), part(decision, "spec", "revoked")
    if revoked:
        return f"{name} is revoked from {revoked.get('at')}, and that stays"
    closed = part(decision, "status", "state") == "Closed"
    return f"{name} is closed: {part(decision, 'status', 'message')}" if closed else ""


def change(decision: Body, at: date, reason: str) -> dict[str, Any]:
    """What is written into a decision."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": part(decision, "metadata", "name")},
        "spec": {"revoked": {"at": str(at), "reason": reason}},
    }


def _refuse_unreadable(found: Sequence[Body], changes: Sequence[dict[str, Any]]) -> None:
    """Nothing is written that the operator could not read."""
    from eservice_operator.api.parse import InvalidObject, parse  # noqa: PLC0415 - not for --help

    body = {**found[0], "spec": {**found[0]["spec"], **changes[0]["spec"]}}
    read = parse(KIND, body)
    wrong = [one for one in read.errors if "revoked" in one] if isinstance(read, InvalidObject) else []
    if wrong:
        raise click.ClickException("\n".join(wrong))


def described(session: Session, found: Sequence[Body]) -> list[str]:
    """Who it is about, and what comes of it."""
    return [*table(session, COLUMNS, [_row(one) for one in found]), ""]


def _row(decision: Body) -> list[object]:
    spec, state = part(decision, "spec") or {}, str(part(decision, "status", "state") or "Scheduled")
    reason = part(decision, "status", "reason")
    return [
        part(spec, "eService", "namespace"),
        part(spec, "eService", "name"),
        part(spec, "release", "template", "version"),
        state if reason in {None, state} else f"{state}: {reason}",
        ground(decision).get("causedBy") or "a recall",
        ground(decision).get("overdueSince"),
        EFFECTS.get(state, ""),
        part(decision, "metadata", "name"),
    ]


def _counted(found: Sequence[Body]) -> str:
    """``7 decisions (5 not unpublished, 2 back on the public route)``."""
    counts = Counter(EFFECTS.get(str(part(one, "status", "state") or "Scheduled"), "") for one in found)
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return f"{len(found)} decision{'' if len(found) == 1 else 's'} ({told})"


def _list(changes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(changes)}


def _write(session: Session, changes: Sequence[dict[str, Any]]) -> None:
    """Revoke them; kubectl goes on where one is refused.

    Raises:
        KubectlError: what it said of those; what was meant by a set or a template can be meant again.
    """
    patch = json.dumps({"spec": changes[0]["spec"]})
    names = [str(one["metadata"]["name"]) for one in changes]
    for first in range(0, len(names), AT_ONCE):
        some = names[first : first + AT_ONCE]
        arguments = ("patch", resource("unpublishdecisions"), *some, "--type=merge", f"--patch={patch}")
        try:
            text = clean(session.kubectl.run(*arguments).strip(), keep="\n")
        except KubectlError as error:
            more = f"of {len(names)} that were meant, those before and beside it are revoked: run it again"
            raise KubectlError("\n".join([error.message, *([more] if len(names) > 1 else [])])) from None
        session.note(text) if session.machine else session.say(text)
    if session.machine:
        show(session, _list(changes))
