# SPDX-License-Identifier: Apache-2.0
"""How an option of `run` is made: a flag, its environment variable, its default, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from eservice_operator.runtime import settings
from eservice_operator.runtime.settings import Settings

DEFAULTS = Settings()


def duration(least: timedelta, most: timedelta) -> Callable[[str], timedelta]:
    """A parser of durations from ``least`` to ``most``."""

    def parse(text: str) -> timedelta:
        value = settings.parse_duration(text)
        if not least <= value <= most:
            low, high = settings.format_duration(least), settings.format_duration(most)
            raise ValueError(f"{text} is out of range; write a duration from {low} to {high}")
        return value

    return parse


def option(name: str, kind: click.ParamType[Any], text: str, shown: str | None = None) -> Callable[..., Any]:
    """An option of `run` with the environment variable of the same name; the default is that of `Settings`.

    A default is given as text, so that it is shown and read the way that a person would write it.
    """
    field = name.replace("-", "_")
    return click.option(
        f"--{name}",
        field,
        type=kind,
        default=shown if shown is not None else getattr(DEFAULTS, field),
        show_default=True,
        envvar=f"ESERVICE_{field.upper()}",
        show_envvar=True,
        help=text,
    )
