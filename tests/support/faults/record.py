# SPDX-License-Identifier: Apache-2.0
"""The record of a proxy: every request, what was done to it, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.faults.asked import Seen

PASSED = "passed"
COLUMNS = ("at", "actor", "what", "namespace/name", "done", "outcome", "seconds")


@dataclass
class Entry:
    """One request. ``at``: seconds since the proxy's start; ``seconds``: from its arrival to its end."""

    seen: Seen
    at: float
    done: str = PASSED
    outcome: str = "open"
    """The status that the client got, or ``none`` where it got no whole answer; ``open`` until then."""
    upstream: int = 0
    """The status that the API server answered; 0 when it was not asked, or has not answered."""
    seconds: float = 0.0

    @property
    def faulty(self) -> bool:
        return self.done != PASSED

    @property
    def committed(self) -> bool:
        """Whether this is a write that the API server has carried out, whoever heard of it."""
        return self.seen.writes and 200 <= self.upstream < 300

    @property
    def row(self) -> tuple[str, ...]:
        about = self.seen.target
        name = f"{about.namespace}/{about.name}" if about.namespace else about.name
        status = (
            f"{self.outcome} ({self.upstream})" if self.outcome == "none" and self.upstream else self.outcome
        )
        return (
            f"{self.at:.3f}",
            self.seen.agent,
            self.seen.what,
            name,
            self.done,
            status,
            f"{self.seconds:.3f}",
        )


def table(entries: Iterable[Entry]) -> str:
    """The record as a table, one request a line, for the message of a failed test."""
    rows = [COLUMNS, *(entry.row for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def injected(entries: Iterable[Entry]) -> dict[str, int]:
    """How many requests each kind of fault has met, the most frequent first."""
    return dict(Counter(entry.done for entry in entries if entry.faulty).most_common())
