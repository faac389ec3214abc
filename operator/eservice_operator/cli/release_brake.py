# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice release-brake``: the Agency lets a set of held unpublications take effect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import template_names
from eservice_operator.cli.dated import Days
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.output import Column, show, table
from eservice_operator.cli.plain import part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.text import clean
from eservice_operator.cli.writing import DRY_RUN, confirmed

if TYPE_CHECKING:
    from eservice_operator.cli.fates import Member
    from eservice_operator.cli.held_set import HeldSet
    from eservice_operator.cli.letting_go import Braking

COLUMNS: Final = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("VERSION"),
    Column("ON RELEASE", flexible=True),
    Column("OVERDUE SINCE", spare=1),
    Column("HELD SINCE", spare=3),
    Column("DECISION", spare=2),
)
SECONDS: Final = re.compile(r"([0-9]{1,5})(s|m)?")
A_MINUTE: Final = 60


def read_seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    """``30``, ``30s`` or ``2m``, in seconds."""
    match = SECONDS.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is no time to wait: write it as 30s or 2m")
    return int(match[1]) * (A_MINUTE if match[2] == "m" else 1)


@click.command(cls=Command)
@click.argument("template", callback=read_name, shell_complete=template_names)
@click.option("--token", metavar="TOKEN", help="The set; not needed where the brake holds only one.")
@click.option("--all", "everything", is_flag=True, help="Every set, one after another, the oldest first.")
@click.option("--list", "only_list", is_flag=True, help="Only show what is held; nothing is written.")
@click.option(
    "--timeout",
    default="30s",
    show_default=True,
    metavar="DURATION",
    callback=read_seconds,
    help="How long to wait, for each set, until the operator has noted the release before it.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@ZONE_OPTION
@DRY_RUN
@click.pass_obj
def command(session: Session, /, template: str, time_zone: ZoneInfo, **given: Any) -> None:
    """Let a set of held unpublications take effect (R8).

    Shows the sets that the brake holds: who, how many, why, and what their release comes to: who leaves the
    public route now, who later, and who is not public anyway. Then writes the token into the template's
    spec.lifecycle.brake.release. A set takes effect as one; later ones are held anew.

    The field names one set. While the operator has not noted the one before at each of its e-services, the
    next one waits for that, at most --timeout: no release is lost.
    """
    if given["everything"] and given["token"] is not None:
        raise click.UsageError("--all and --token exclude one another: write one of them")
    days = Days(now(), time_zone)
    from eservice_operator.cli.letting_go import braking, let_go, questions  # noqa: PLC0415 - the models

    seen = braking(session.kubectl.get(*questions(template)), days)
    if given["only_list"]:
        _list(session, seen, days)
        return
    sets = chosen(seen, given["token"], everything=given["everything"])
    if not sets:
        session.note(f"the template releases {seen.released} already: the operator lets the set go")
        return
    aside = session.machine or given["dry_run"]
    for line in described(session, seen, sets, days):
        session.note(line) if aside else session.say(line)
    if given["dry_run"]:
        _print_for_git(session, seen, sets)
        return
    confirmed(session, question(sets), yes=given["yes"])
    let_go(session, template, [one.token for one in sets], days, given["timeout"])
    if session.machine:
        show(session, document(seen, sets) | {"released": [one.token for one in sets]})
    session.note("where the template is kept in Git, write the same there: --dry-run -o yaml prints it")


def chosen(seen: Braking, token: str | None, *, everything: bool = False) -> tuple[HeldSet, ...]:
    """The sets to release; none where the one that was named is released already.

    Raises:
        ClickException: nothing is held, several sets are and none was named, or there is none of that token.
    """
    waiting = {one.token: one for one in seen.waiting}
    if (token is not None and token == seen.released) or (token is None and not waiting and seen.pending):
        return ()
    if not seen.sets:
        raise click.ClickException(f"the brake holds nothing of {seen.name}")
    if everything or (token is None and len(waiting) == 1):
        return tuple(waiting.values())
    known = ", ".join(waiting)
    if token is None:
        text = f"the brake holds several sets of {seen.name}: name one with --token, or write --all: {known}"
        raise click.ClickException(text)
    if token not in waiting:
        raise click.ClickException(f"the brake holds no set {token!r} of {seen.name}; it holds {known}")
    return (waiting[token],)


def question(sets: tuple[HeldSet, ...]) -> str:
    """What the person is asked."""
    count = sum(one.count for one in sets)
    told = "; ".join(filter(None, (one.counted() for one in sets)))
    what = "the set" if len(sets) == 1 else f"these {len(sets)} sets"
    return f"Release {what}, {count} e-service{'' if count == 1 else 's'}" + (f" ({told})?" if told else "?")


def document(seen: Braking, sets: tuple[HeldSet, ...]) -> dict[str, Any]:
    """The sets as JSON."""
    return {
        "template": seen.name,
        "release": seen.released or None,
        "sets": [one.document() for one in sets],
    }


def _list(session: Session, seen: Braking, days: Days) -> None:
    if session.machine:
        show(session, document(seen, seen.sets))
        return
    if not seen.sets:
        session.note(f"the brake holds nothing of {seen.name}")
    for line in described(session, seen, seen.sets, days):
        session.say(line)


def described(session: Session, seen: Braking, sets: tuple[HeldSet, ...], days: Days) -> list[str]:
    """Who, how many, why, and what the release comes to."""
    lines = []
    if not seen.decisions_seen:
        lines.append(
            "you may not list unpublishdecisions: the sets are not shown, only their decisions' names"
        )
    elif not seen.services_seen:
        lines.append("you may not list eservices: who of them is public now is not known")
    brake, public = (
        part(seen.template, "spec", "lifecycle", "brake") or {},
        part(seen.template, "status", "eServices"),
    )
    least, percent = clean(brake.get("atLeast", 5)), clean(brake.get("percent", 10))
    why = (
        f"The brake engages where more than {least}, and more than {percent} % of those in public use"
        f" ({public or 0} now), would leave the public route within 24 hours."
    )
    for one in sets:
        held = f"{one.count} unpublication{'' if one.count == 1 else 's'}"
        head = f"{clean(seen.name)}: the brake holds {held} since {days.local(one.since)}"
        state = ", released, and not noted by the operator yet" if one.token == seen.released else ""
        lines += [f"{head}, token {clean(one.token)}{state}", why]
        if told := one.counted():
            lines += [f"Made overdue by: {clean(one.causes)}.", f"On release: {told}."]
        lines += [*_without_ground(one), ""]
        if one.members:
            lines += table(session, COLUMNS, [_row(member, days) for member in one.members])
        else:
            lines += [f"  {clean(name)}" for name in one.names]
        lines.append("")
    return lines


def _without_ground(one: HeldSet) -> list[str]:
    """That the dates were mended since: a release does nothing then, and what does."""
    from eservice_operator.cli.fates import Fate  # noqa: PLC0415 - the models

    count = one.having(Fate.NO_GROUND)
    if not count:
        return []
    whom = "it has" if count == 1 else f"{count} of them have"
    text = (
        f"By the template as it is now {whom} no ground any more: a release does not unpublish them. Where"
        f" that is to stay: kubectl eservice revoke --set {clean(one.token)}"
    )
    return [text]


def _row(member: Member, days: Days) -> list[object]:
    from eservice_operator.cli.fates import WORDS, Fate  # noqa: PLC0415 - as above
    from eservice_operator.core.recorded import recorded_ground  # noqa: PLC0415 - as above

    spec, status = member.decision.spec, member.decision.status
    word = "held" if member.fate in {Fate.WAITS, Fate.NO_GROUND} else WORDS[member.fate]
    when = days.local(member.at) if member.at is not None else word
    return [
        spec.e_service.namespace,
        spec.e_service.name,
        spec.release.template.version,
        ": ".join(filter(None, (when, member.why))),
        recorded_ground(member.decision).overdue_since,
        days.local(status.held_since) if status.held_since is not None else "",
        member.decision.metadata.name,
    ]


def _print_for_git(session: Session, seen: Braking, sets: tuple[HeldSet, ...]) -> None:
    """The change for the first of them; the field has room for one."""
    first, *others = sets
    head = {"apiVersion": seen.template["apiVersion"], "kind": seen.template["kind"]}
    change = {"spec": {"lifecycle": {"brake": {"release": first.token}}}}
    show(session, head | {"metadata": {"name": seen.name}} | change)
    look = f"kubectl eservice release-brake {seen.name} --list"
    if seen.pending is not None:
        session.note(
            f"the template releases {seen.pending.token}, which the operator has not noted everywhere yet:"
            f" merge this when {look} does not show it any more, or its rest stays held"
        )
    if others:
        tokens = ", ".join(one.token for one in others)
        session.note(
            f"the field names one set: merge this, wait until {look} does not show {first.token} any more,"
            f" then do the same for {tokens}"
        )
