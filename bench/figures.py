# SPDX-License-Identifier: Apache-2.0
"""What was measured: one line for people, and a number for whoever compares or draws it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "about", "cpu", "step", "memory", "ratio", "time"]
"""What a number is, which says how far it may be off in another run: see `bench.results`."""
MEGABYTE = 1e6
WIDEST = 60
"""Characters: what is longer in a column does not make the column as wide."""


@dataclass(frozen=True)
class Figure:
    """One line: what, how much, how much it may be at most (or empty), and the command that measures it.

    ``key`` names the number for good, and is empty where there is none; a ``cpu``, a ``step`` (the
    processor time of one of many) and a ``time`` are in seconds, a ``memory`` in bytes.
    """

    name: str
    value: str
    target: str = ""
    command: str = "make bench"
    key: str = ""
    number: float = 0.0
    kind: Kind = "count"


def measured(key: str, kind: Kind, number: float, name: str, target: str = "", note: str = "") -> Figure:
    """A figure whose value is its number with the unit of its kind; a note follows it."""
    text = shown(kind, number) + (f", {note}" if note else "")
    return Figure(name, text, target, key=key, number=round(number, 6), kind=kind)


def shown(kind: Kind, number: float) -> str:
    """A number with the unit of its kind."""
    match kind:
        case "count" | "about":
            return f"{number:,.0f}"
        case "cpu" | "time":
            return f"{number:.1f} s" if number >= 10 else f"{number:.3g} s"  # noqa: PLR2004 - three digits
        case "step":
            return f"{number * 1e6:,.0f} µs"
        case "memory":
            return f"{number / MEGABYTE:.0f} MB"
        case "ratio":
            return f"{number:.2f} ×"


def table(figures: Iterable[Figure]) -> str:
    """For a terminal: names and values in columns."""
    rows = [(figure.name, figure.value, figure.target and f"target {figure.target}") for figure in figures]
    widths = [max((len(row[at]) for row in rows if len(row[at]) <= WIDEST), default=0) for at in (0, 1)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:<{widths[1]}}  {target}".rstrip() for name, value, target in rows
    )


def machine() -> str:
    """The size of the machine: what is comparable, and nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors and {memory:.0f} GiB of memory"
