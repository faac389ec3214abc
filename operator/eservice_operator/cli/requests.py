# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice requests``: who asks a holder for its web services, and the file that answers (R3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from click.shell_completion import CompletionItem

from eservice_operator.cli.answers import answers
from eservice_operator.cli.clock import now
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import resource
from eservice_operator.cli.kubectl import EVERYWHERE, Query
from eservice_operator.cli.naming import is_name
from eservice_operator.cli.output import Column, Style, as_yaml, show, table
from eservice_operator.cli.plain import part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.session import FORMATS, Command, Session
from eservice_operator.cli.styles import BAD, GOOD, WAITING
from eservice_operator.cli.text import clean, counted

Body = Mapping[str, Any]
Request = Mapping[str, Any]
"""One entry of ``status.requests``, and of which WebService, in its namespace, environment and protocol."""
UNANSWERED: Final = "Waiting"
STYLES: Final = {"Granted": GOOD, "Refused": BAD, "Ended": BAD}


def read_consumer(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """``NAME`` or ``NAMESPACE/NAME`` of an EService."""
    if value is None or all(is_name(word) for word in value.split("/", 1)):
        return value
    raise click.BadParameter(f"{value!r} is no e-service: write its NAME, or NAMESPACE/NAME as shown here")


def consumer_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The e-services that ask, as they are shown; none where that cannot be read: the line is being typed."""
    try:
        asking = dict.fromkeys(map(_consumer, _requests(_listed(ctx.ensure_object(Session), "webservices"))))
    except click.ClickException:
        return []
    return [CompletionItem(name) for name in sorted(asking) if name.startswith(incomplete)]


@click.command(cls=Command)
@click.option("--waiting", is_flag=True, help="Only those that nobody has answered.")
@click.option(
    "--yaml",
    "consumer",
    callback=read_consumer,
    shell_complete=consumer_names,
    metavar="[NAMESPACE/]NAME",
    help="Print the file that answers the requests of this e-service, for Git; nothing is written.",
)
@click.option("-o", "--output", "shown", type=click.Choice([*FORMATS, "name"]), help="How to show it.")
@ZONE_OPTION
@click.pass_obj
def command(
    session: Session, *, waiting: bool, consumer: str | None, shown: str | None, time_zone: ZoneInfo
) -> None:
    """Who asks for the web services of a holder, and how far each request has got (R3).

    For holders: -n is the namespace of the web services. The request is the e-service's `uses`; the answer is
    a WebServiceGrant, or for the customer of an agent a line in its AgentAssignment. It shows what the
    operator last wrote into the status of the web services.
    """
    session.output = shown or session.output
    web_services = _listed(session, "webservices")
    found = [one for one in _requests(web_services) if not waiting or one.get("state") == UNANSWERED]
    for note in _not_shown(web_services):
        session.note(note)
    if consumer is not None:
        _answer(session, [one for one in found if _is(one, consumer)], consumer, Days(now(), time_zone))
    elif session.output == "name":
        for name in dict.fromkeys(_consumer(one) for one in found):
            session.say(clean(name))
    elif session.machine:
        show(session, {"requests": found})
    else:
        _print(session, found, waiting=waiting)


def _listed(session: Session, plural: str) -> tuple[Body, ...]:
    place = "" if session.all_namespaces else session.namespace
    (listing,) = session.kubectl.get(Query((resource(plural),), place))
    if listing.refused:
        raise listing.refused[0].error("" if place else EVERYWHERE)
    return listing.items


def _requests(web_services: Sequence[Body]) -> Iterator[dict[str, Any]]:
    """Every request, by web service; of each those that wait first, as the status has them."""
    for body in web_services:
        of = {"namespace": part(body, "metadata", "namespace"), "name": part(body, "metadata", "name")}
        about = {field: part(body, "spec", field) for field in ("environment", "protocol")}
        for request in part(body, "status", "requests") or ():
            yield {"webService": of, **about, **request}


def _not_shown(web_services: Sequence[Body]) -> Iterator[str]:
    """What a person would otherwise take for nothing."""
    for body in web_services:
        place = "/".join(str(part(body, "metadata", field)) for field in ("namespace", "name"))
        status = part(body, "status") or {}
        if int(status.get("observedGeneration") or -1) < 0:
            yield f"{place}: no operator has looked at it yet, so nothing is known of who asks"
        listed = len(status.get("requests") or ())
        if (more := int(status.get("requestCount") or 0) - listed) > 0:
            yield f"{place}: {more} more are only counted; those that wait come first"


def _consumer(request: Request) -> str:
    return f"{request.get('namespace')}/{request.get('eService')}"


def _is(request: Request, consumer: str) -> bool:
    return consumer in {request.get("eService"), _consumer(request)}


def _print(session: Session, found: Sequence[Request], *, waiting: bool) -> None:
    if not found:
        place = "anywhere" if session.all_namespaces else f"in {session.namespace or 'this namespace'}"
        session.note(f"nobody {'waits for an answer' if waiting else 'asks for a web service'} {place}")
        return
    for line in lines(session, found):
        session.say(line)
    asking = list(dict.fromkeys(_consumer(one) for one in found if one.get("state") == UNANSWERED))
    if asking:
        place = "-A" if session.all_namespaces else f"-n {found[0]['webService']['namespace']}"
        many = f"{counted(len(asking), 'e-service')} {'waits' if len(asking) == 1 else 'wait'} for an answer"
        session.note(f"{many}; the file to commit: kubectl eservice requests {place} --yaml {asking[0]}")


def lines(session: Session, found: Sequence[Request]) -> list[str]:
    """The table."""
    wide = session.format == "wide"
    columns = [
        *([Column("NAMESPACE")] if session.all_namespaces else []),
        Column("WEB SERVICE", flexible=True),
        Column("VERSION"),
        Column("CONSUMER"),
        Column("INSTITUTION", spare=3, flexible=True),
        Column("STATE", style=_style),
        Column("GRANT", spare=2),
        *([Column("ENVIRONMENT", spare=4), Column("REGISTRATION", spare=5)] if wide else []),
        Column("MESSAGE", flexible=True),
    ]
    rows = []
    for one in found:
        row: list[object] = [one["webService"]["namespace"]] if session.all_namespaces else []
        row += [
            one["webService"]["name"],
            asked_for(one),
            _consumer(one),
            one.get("institution"),
            one.get("state"),
            one.get("grant"),
            *((one.get("environment"), one.get("registration")) if wide else ()),
        ]
        rows.append([*row, one.get("message")])
    return table(session, columns, rows)


def asked_for(request: Request) -> str:
    """The contract version, or through whom, or as whose agent; for REST every version is asked for."""
    if request.get("agent"):
        return f"through {request['agent']}"
    version = str(request.get("contractVersion") or ("all" if request.get("protocol") == "REST" else ""))
    role = f"as agent of {request['asAgent']}" if request.get("asAgent") else ""
    return " ".join(filter(None, (version, role)))


def _style(state: str) -> Style:
    return STYLES.get(state, WAITING)


def _answer(session: Session, found: Sequence[Request], consumer: str, days: Days) -> None:
    """Print the objects that answer, and beside them what is to be filled in."""
    if not found:
        raise click.ClickException(
            f"{consumer} asks for none of these web services: leave --yaml out to see who does"
        )
    whose = dict.fromkeys(_consumer(one) for one in found)
    if len(whose) > 1:
        raise click.ClickException(f"there are several of that name, write one of {', '.join(whose)}")
    made = answers(session.kubectl, found, days.today)
    for note in made.notes:
        session.note(note)
    if not made.objects:
        raise click.ClickException("there is nothing to write")
    if session.output == "json":
        whole = made.objects[0] if len(made.objects) == 1 else {"apiVersion": "v1", "kind": "List"}
        show(session, whole if len(made.objects) == 1 else whole | {"items": list(made.objects)})
        return
    session.say("\n---\n".join(as_yaml(one) for one in made.objects))
