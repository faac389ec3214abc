# SPDX-License-Identifier: Apache-2.0
"""What was measured, as a table for a terminal and as a page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Figure:
    """One line: what, how much, how much it may be at most (or empty), and the command that measures it."""

    name: str
    value: str
    target: str = ""
    command: str = "make bench"


def table(figures: Iterable[Figure]) -> str:
    """For a terminal: names and values in columns."""
    rows = [(figure.name, figure.value, figure.target and f"target {figure.target}") for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:<{widths[1]}}  {target}".rstrip() for name, value, target in rows
    )


def page(figures: Iterable[Figure], day: date, notes: Iterable[str]) -> str:
    """The same in Markdown, with what a reader has to know to judge it."""
    rows = [
        f"| {figure.name} | {figure.value} | {figure.target} | `{figure.command}` |".replace("  ", " ")
        for figure in figures
    ]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Measured on {day} on a machine with {machine()}, which the control plane, the fake kubelets,",
            "the gateway and whoever asks them share. This page is written by `make bench`: do not edit it.",
            "",
            "| what | measured | target | command |",
            "|---|---|---|---|",
            *rows,
            "",
            *notes,
            "",
        ]
    )


def machine() -> str:
    """The size of the machine: what is comparable, and nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors and {memory:.0f} GiB of memory"
