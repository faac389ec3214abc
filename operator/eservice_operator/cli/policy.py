# SPDX-License-Identifier: Apache-2.0
"""How the operator was set up, as far as decisions depend on it. It cannot be seen from outside.

So each of these is a flag here, with the environment variable and the default of the operator's own setting.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from eservice_operator.cli.naming import read_namespace

TIME_ZONE: Final = "Europe/Riga"
HOLIDAY_COUNTRY: Final = "LV"
GATEWAY: Final = "gateway-system/public"
ROUTES_NAMESPACE: Final = "eservice-routes"
BY_GATEWAY: Final = "gateway"
SEEN: Final = "seen"
NO_CHANNELS: Final = "none"


@dataclass(frozen=True)
class Setup:
    """What the operator was told, read as it reads it."""

    time_zone: ZoneInfo = ZoneInfo(TIME_ZONE)
    holiday_country: str = HOLIDAY_COUNTRY
    gateway: tuple[str, ...] = tuple(GATEWAY.split("/"))
    """Namespace, name and, where there is one, the listener."""
    routes_namespace: str = ROUTES_NAMESPACE
    publish_by: str = BY_GATEWAY
    allowed_gateways: tuple[tuple[str, ...], ...] = ()
    """Other Gateways that an EService may choose."""
    notice_service: tuple[str, int] | None = None
    """The Service of the notice page and its port, where there is one."""
    channels: tuple[tuple[str, str], ...] | None = None
    """Each channel with its sink; None: those that appear in the ledgers of the cluster."""


def read_zone(text: str) -> ZoneInfo:
    """A name of the IANA time zone database."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(
            f"there is no time zone {text!r}; write a name such as {TIME_ZONE}"
        ) from None


def read_gateway(text: str) -> tuple[str, ...]:
    """``NAMESPACE/NAME[/SECTION]``."""
    parts = tuple(text.strip().split("/"))
    if len(parts) not in {2, 3} or not all(parts):
        raise click.BadParameter(f"{text!r} does not name a Gateway; write NAMESPACE/NAME[/SECTION]")
    return parts


def read_gateways(text: str) -> tuple[tuple[str, ...], ...]:
    """``NAMESPACE/NAME[/SECTION]`` each, separated by commas; empty for none."""
    return tuple(read_gateway(part) for part in text.split(",") if part.strip())


def read_notice(text: str) -> tuple[str, int] | None:
    """``NAME`` or ``NAME:PORT`` of the notice page's Service; nothing where there is none."""
    name, colon, port = text.strip().partition(":")
    if colon and not (port.isascii() and port.isdigit()):
        raise click.BadParameter(f"{text!r} does not name a Service; write NAME or NAME:PORT")
    return (name, int(port) if colon else 80) if name else None


def read_channels(text: str) -> tuple[tuple[str, str], ...] | None:
    """``seen``, ``none``, or channels separated by commas: ``Email``, ``CloudEvents=HOST``."""
    if text == SEEN:
        return None
    if text == NO_CHANNELS:
        return ()
    pairs = [part.strip().partition("=") for part in text.split(",")]
    for channel, _, sink in pairs:
        if channel not in {"Email", "CloudEvents"} or bool(sink) != (channel == "CloudEvents"):
            raise click.BadParameter(
                f"{text!r} names no channels; write {SEEN}, {NO_CHANNELS}, Email, CloudEvents=HOST or both"
            )
    return tuple((channel, sink) for channel, _, sink in pairs)


def told_by_environment() -> str:
    """The channels that the operator's own variables set up here; `SEEN` where they say nothing."""
    sink = urlsplit(os.environ.get("ESERVICE_EVENTS_SINK", "")).hostname
    channels = ["Email"] if os.environ.get("ESERVICE_SMTP_SERVER") else []
    return ",".join(channels + ([f"CloudEvents={sink}"] if sink else [])) or SEEN


def _read(parse: Callable[[str], object]) -> Callable[[click.Context, click.Parameter, str], object]:
    return lambda _ctx, _param, value: parse(value)


def _setting(
    name: str, metavar: str, parse: Callable[[str], object], words: str, default: str = ""
) -> Callable[[Any], Any]:
    """The operator's setting of that name: the same flag, environment variable and default."""
    return click.option(
        f"--{name}",
        default=default,
        envvar=f"ESERVICE_{name.replace('-', '_').upper()}",
        show_default=bool(default),
        show_envvar=True,
        metavar=metavar,
        callback=_read(parse),
        help=words,
    )


ZONE_OPTION: Final = _setting("time-zone", "ZONE", read_zone, "Dates are days of this time zone.", TIME_ZONE)
OPTIONS: Final = (
    ZONE_OPTION,
    _setting(
        "holiday-country", "COUNTRY", str.upper, "Working days are those of this country.", HOLIDAY_COUNTRY
    ),
    _setting("gateway", "NAMESPACE/NAME", read_gateway, "The operator's Gateway.", GATEWAY),
    _setting(
        "routes-namespace", "NAME", read_namespace, "Where the operator puts public routes.", ROUTES_NAMESPACE
    ),
    click.option(
        "--publish-by",
        type=click.Choice([BY_GATEWAY, "ingress"]),
        default=BY_GATEWAY,
        envvar="ESERVICE_PUBLISH_BY",
        show_default=True,
        show_envvar=True,
        help="By what the operator publishes.",
    ),
    _setting(
        "allowed-gateways",
        "NAMESPACE/NAME[,…]",
        read_gateways,
        "The other Gateways that the operator lets an EService choose.",
    ),
    _setting("notice-service", "NAME[:PORT]", read_notice, "The operator's notice page, where there is one."),
    click.option(
        "--channels",
        default=told_by_environment,
        show_default=SEEN,
        metavar="LIST",
        callback=_read(read_channels),
        help="How the operator tells people: Email,CloudEvents=HOST; none; or seen, as its ledgers show."
        " Without it ESERVICE_SMTP_SERVER and ESERVICE_EVENTS_SINK, where they are set.",
    ),
)


def setup_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options above; the command gets them as one argument ``setup``."""

    @wraps(function)
    def command(*args: Any, **values: Any) -> Any:
        given = {field.name: values.pop(field.name) for field in fields(Setup)}
        return function(*args, setup=Setup(**given), **values)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def year_of(at: datetime, setup: Setup) -> int:
    """The local year, around which the calendar of working days is made."""
    return at.astimezone(setup.time_zone).year
