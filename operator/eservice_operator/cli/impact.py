# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice impact``: its arguments. The models take half a second, and wait until it is run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import click
from click.shell_completion import CompletionItem

from eservice_operator.cli.clock import now
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import resource
from eservice_operator.cli.kubectl import Query
from eservice_operator.cli.naming import is_name
from eservice_operator.cli.plain import part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.writing import read_day

PLURALS: Final = {
    "WebService": "webservices",
    "WebServiceGrant": "webservicegrants",
    "AgentAssignment": "agentassignments",
}
SHORT: Final = {"WebService": "ws", "WebServiceGrant": "wsg", "AgentAssignment": "agent"}
WORDS: Final = {
    word: kind
    for kind, plural in PLURALS.items()
    for word in (SHORT[kind], kind.lower(), plural, resource(plural))
} | {"agents": "AgentAssignment"}
"""Every word by which kubectl knows them."""


PARTS: Final = {
    "version": (("contracts", "contractVersions"), "version"),
    "customer": (("pilotCustomers", "customers"), "code"),
}
"""Where an object lists what can end of it, by the option that names one, and by what it is named."""


class Target(NamedTuple):
    """What would end."""

    kind: str
    name: str

    @property
    def plural(self) -> str:
        """As kubectl takes it without doubt."""
        return resource(PLURALS[self.kind])


class Asked(NamedTuple):
    """What is asked: the end of which object, or of a part of it, or what ends by itself until a day."""

    target: Target | None
    version: str | None = None
    customer: str | None = None
    at: date | None = None

    def is_of(self, kind: str) -> bool:
        """Whether it is about an object of that kind."""
        return self.target is not None and self.target.kind == kind


def read_target(_ctx: click.Context, _param: click.Parameter, value: Sequence[str]) -> Target | None:
    """``KIND/NAME`` or ``KIND NAME``, as kubectl takes them."""
    words = value[0].split("/", 1) if len(value) == 1 else list(value)
    if not words:
        return None
    if len(words) != 2 or words[0].lower() not in WORDS or not is_name(words[1]):  # noqa: PLR2004 - kind, name
        raise click.BadParameter(
            f"{' '.join(value)!r} names nothing that can end: write ws/NAME, wsg/NAME or agent/NAME"
        )
    return Target(WORDS[words[0].lower()], words[1])


def target_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What can end in the namespace; nothing where it cannot be listed: the line is being typed."""
    session = ctx.ensure_object(Session)
    try:
        (listing,) = session.kubectl.get(Query(tuple(map(resource, PLURALS.values())), session.namespace))
    except click.ClickException:
        return []
    names = sorted(f"{SHORT[item['kind']]}/{item['metadata']['name']}" for item in listing.items)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def parts_of(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The contract versions or the customers of what was named; none where it cannot be read."""
    session = ctx.ensure_object(Session)
    try:
        target = read_target(ctx, param, ctx.args)  # an option without its value leaves the words there
        if target is None:
            return []
        (listing,) = session.kubectl.get(Query((target.plural,), session.namespace, name=target.name))
    except click.ClickException:
        return []
    fields, key = PARTS[str(param.name)]
    found = (one for body in listing.items for field in fields for one in part(body, "spec", field) or ())
    named = {str(one.get(key)): one.get("name") for one in found}
    return [CompletionItem(value, help=text) for value, text in named.items() if value.startswith(incomplete)]


@click.command(cls=Command)
@click.argument("target", nargs=-1, metavar="[KIND/NAME]", callback=read_target, shell_complete=target_names)
@click.option(
    "--version", metavar="VERSION", shell_complete=parts_of, help="Only this contract version ends."
)
@click.option(
    "--customer", metavar="CODE", shell_complete=parts_of, help="Only this customer of the agent leaves."
)
@click.option(
    "--at",
    callback=read_day,
    metavar="DATE",
    help="Nobody ends anything: what has ended by itself by then.",
)
@ZONE_OPTION
@click.pass_obj
def command(session: Session, /, target: Target | None, time_zone: ZoneInfo, **given: Any) -> None:
    """What the end of an access would close, beforehand (R3, R9, R10).

    \b
    impact wsg/NAME                     a grant is deleted
    impact wsg/NAME --version v4        a contract version is taken out of it
    impact ws/NAME                      a web service is deleted
    impact ws/NAME --version v4         a contract version is retired today
    impact agent/NAME                   an agent's assignment is ended today, by its spec.ended
    impact agent/NAME --customer CODE   one customer leaves the agent
    impact [KIND/NAME] --at DATE        nobody acts: what its dates end until that day

    Decided by the operator's own rules over what the cluster holds now, without the end and with it. Nothing
    is written. Where you may not read the e-services that call, it shows what the operator last wrote.
    """  # noqa: D301 - click reads the backspace
    asked = Asked(target, **given)
    days = Days(now(), time_zone)
    _refuse(asked, days)
    from eservice_operator.cli.impacting import impact  # noqa: PLC0415 - not for --help

    impact(session, asked, days)


def _refuse(asked: Asked, days: Days) -> None:
    kind = None if asked.target is None else asked.target.kind
    if kind is None and asked.at is None:
        raise click.UsageError("write what would end, such as wsg/NAME, or --at and a day")
    if kind is None and (asked.version or asked.customer):
        raise click.UsageError("--version and --customer are of one object: write ws/NAME or agent/NAME")
    if asked.customer and kind != "AgentAssignment":
        raise click.UsageError("--customer is of an agent: write agent/NAME")
    if asked.version and kind == "AgentAssignment":
        raise click.UsageError("--version is of a web service or a grant: write ws/NAME or wsg/NAME")
    if asked.at is not None and asked.at <= days.today:
        raise click.UsageError(f"{asked.at} has come already: write a day to come")
