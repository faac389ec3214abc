# SPDX-License-Identifier: Apache-2.0
"""What tests have counted, for a person to read at the end of the run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ATTACHED = "…"
"""How a line begins that belongs to the one before it."""
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass
class Figures:
    """Lines of name, value and what the value is made of, in the order of their arrival."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    """Of the whole run: runs of stories under faults, and the faults in them."""

    def handed_over(self) -> dict[str, object]:
        """All of it, as one process can send it to another."""
        return {"lines": self.lines, "totals": dict(self.totals)}

    def take(self, handed: Mapping[str, Any]) -> None:
        """What another process has counted."""
        self.lines += [(name, value) for name, value in handed["lines"]]
        self.totals.update(handed["totals"])

    def add(self, name: str, value: object, parts: Mapping[str, int] | None = None) -> None:
        """``parts`` are shown behind the value, the largest first."""
        made_of = ", ".join(f"{what} {count}" for what, count in (parts or {}).items())
        self.lines.append((name, f"{value} ({made_of})" if made_of else str(value)))

    def show(self, reporter: pytest.TerminalReporter, title: str) -> None:
        """Print them at the end of the run, where there are any."""
        if self.lines:
            reporter.section(title)
        for name, value in self.told():
            reporter.write_line(f"{name}: {value}")

    def told(self) -> Iterator[tuple[str, str]]:
        """The totals, then the lines by name, each with those that belong to it."""
        yield from ((f"all runs: {name}", f"{count:,}") for name, count in sorted(self.totals.items()))
        groups: list[list[tuple[str, str]]] = []
        for line in self.lines:
            if line[0].startswith(ATTACHED) and groups:
                groups[-1].append(line)
            else:
                groups.append([line])
        for group in sorted(groups, key=lambda lines: lines[0][0].casefold()):
            yield from group

    def write(self, page: Path, day: date) -> None:
        """Put them as a table between the marks of a page that says what they are.

        Raises:
            ValueError: the page has no such marks, or there is nothing to put there.
        """
        text = page.read_text()
        if not self.lines or BEGIN not in text or END not in text:
            raise ValueError(f"no figures, or no place for them in {page}: {BEGIN} … {END}")
        rows = [f"| {name} | {value} |".replace("\n", " ") for name, value in self.told()]
        table = "\n".join(
            [BEGIN, "", f"Counted on {day}.", "", "| what | counted |", "|---|---|", *rows, "", END]
        )
        page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL))
