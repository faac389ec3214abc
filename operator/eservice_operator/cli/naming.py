# SPDX-License-Identifier: Apache-2.0
"""Names that a person writes: refused before kubectl is started where they could be anything else to it."""

from __future__ import annotations

import re
from typing import Final

import click

NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
LONGEST_NAME: Final = 253
NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LONGEST_NAMESPACE: Final = 63


def is_name(text: str) -> bool:
    """Whether an object can have this name: a DNS subdomain."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def read_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The name of an object."""
    if value is None or is_name(value):
        return value
    alone = value.rpartition("/")[2]
    if "/" in value and not value.startswith("-") and is_name(alone):
        raise click.BadParameter(f"{value!r} is no name: write the name alone: {alone}")
    raise click.BadParameter(
        f"{value!r} is no name: it has up to {LONGEST_NAME} of a-z, 0-9, - and ., with a letter or a digit at"
        " both ends; options go before --"
    )


def read_namespace(value: str) -> str:
    """The name of a namespace: a DNS label."""
    if len(value) <= LONGEST_NAMESPACE and NAMESPACE.fullmatch(value):
        return value
    raise click.BadParameter(
        f"{value!r} is no namespace: it has up to {LONGEST_NAMESPACE} of a-z, 0-9 and -, with a letter or a"
        " digit at both ends"
    )
