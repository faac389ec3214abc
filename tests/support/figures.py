# SPDX-License-Identifier: Apache-2.0
"""What tests have counted, for a person to read at the end of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest


@dataclass
class Figures:
    """Lines of name, value and what the value is made of, in the order of their arrival."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, value: object, parts: Mapping[str, int] | None = None) -> None:
        """``parts`` are shown behind the value, the largest first."""
        made_of = ", ".join(f"{what} {count}" for what, count in (parts or {}).items())
        self.lines.append((name, f"{value} ({made_of})" if made_of else str(value)))

    def show(self, reporter: pytest.TerminalReporter, title: str) -> None:
        """Print them at the end of the run, where there are any."""
        if self.lines:
            reporter.section(title)
        for name, value in self.lines:
            reporter.write_line(f"{name}: {value}")
