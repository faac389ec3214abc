# SPDX-License-Identifier: Apache-2.0
"""Settings as flags and environment variables, read by parsers that say what to write instead.

A parser takes the text that a person wrote and answers the value, or raises ValueError.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click
from typing_extensions import override

from eservice_operator.core.address import Address, to_listen_on

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


class Parsed(click.ParamType[Any]):
    """A parameter read by a parser; ``name`` stands for the value in the help."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name = name
        self._parse = parse

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def setting(
    flag: str, kind: click.ParamType[Any], text: str, default: str | None = None, of: str = ""
) -> Option:
    """An option with its environment variable: ``ESERVICE_``, the server ``of`` which it is, and its name.

    A default is given as text, so that it is shown and read the way that a person would write it.
    """
    words = [word for word in ("eservice", of, *flag.removeprefix("--").split("-")) if word]
    return click.option(
        flag,
        type=kind,
        default=default,
        show_default=default is not None,
        envvar="_".join(words).upper(),
        show_envvar=True,
        help=text,
    )


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``:PORT`` for every interface, ``[ADDRESS]:PORT`` for IPv6; port 0 takes a free one."""
    address = to_listen_on(text)
    if address is None:
        raise ValueError(
            f"{text!r} is not an address to listen on; write HOST:PORT: 0.0.0.0:8080, 127.0.0.1:0, [::]:8080"
        )
    return address


def parse_time_zone(text: str) -> ZoneInfo:
    """A name of the IANA time zone database."""
    names = available_timezones()
    if text not in names:
        raise ValueError(
            f"there is no time zone {text!r}; write a name such as {nearest(text, names) or 'Europe/Riga'}"
        )
    return ZoneInfo(text)


def nearest(text: str, names: Iterable[str]) -> str:
    """The name that somebody may have meant; empty for none."""
    found = difflib.get_close_matches(text, list(names), n=1, cutoff=0.7)
    return found[0] if found else ""


LISTEN_ON = Parsed("HOST:PORT", parse_address)
ZONE = Parsed("ZONE", parse_time_zone)
