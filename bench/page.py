# SPDX-License-Identifier: Apache-2.0
"""docs/benchmarks.md, made from the figures of the last runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.figures import Figure
from bench.results import Results, Section, numbers
from bench.targets import told

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TITLES = {
    "one": "One e-service",
    "deadline": "A deadline",
    "decide": "One decision",
    "scrape": "One scrape",
    "brake": "The brake",
    "access": "Access to web services",
    "authorizer": "The authorizer",
    "switching": "What citizens notice",
    "starting": "The commands",
}
FLEET = "fleet."
NOTES = Path(__file__).with_name("notes.md")


def page(results: Results, plots: Iterable[Path]) -> str:
    """The page in Markdown."""
    fleets = sorted((name for name in results if name.startswith(FLEET)), key=_size)
    lines = [
        "# Benchmarks",
        "",
        "Control plane, fake kubelets, gateway and whoever asks them share one machine. This page is written",
        "by `make bench`: do not edit it.",
        "",
    ]
    lines += ["| what the design asks for | measured | at most | |", "|---|---|---|---|"]
    lines += [*told(numbers(results)), ""]
    for name in fleets:
        lines += _section(f"{_size(name):,} e-services", results[name])
    drawn = [f"![{path.stem}](benchmarks/{path.name})" for path in plots]
    lines += ["## Cost by the size of the fleet", "", *_apart(drawn)] if drawn else []
    for name in (name for name in TITLES if name in results):
        lines += _section(TITLES[name], results[name])
    return "\n".join([*lines, NOTES.read_text()])


def _section(title: str, section: Section) -> Iterator[str]:
    yield from (f"## {title}", "", f"Measured on {section.day} on a machine with {section.machine}.", "")
    yield from ("| what | measured | target | command |", "|---|---|---|---|")
    yield from map(_row, section.figures)
    yield ""


def _row(figure: Figure) -> str:
    row = f"| {figure.name} | {figure.value} | {figure.target} | `{figure.command}` |"
    return row.replace("  ", " ")


def _apart(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield from (line, "")


def _size(name: str) -> int:
    return int(name.removeprefix(FLEET))
