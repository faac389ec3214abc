# SPDX-License-Identifier: Apache-2.0
"""What the design asks for, beside what the last runs have measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from bench.figures import Figure, shown

LARGEST = 10_000
"""The size of a fleet for which the design gives its limits."""


class Target(NamedTuple):
    """A line of the design: what, the key of the figure, and the most that it may be for a fleet of a size.

    ``{}`` in the key stands for the size, of which the largest counts that was measured; ``size`` is a fixed
    one.
    """

    what: str
    key: str
    most: Callable[[int], float]
    size: int = 0


TARGETS: Final = (
    Target("Children of one e-service made more than once", "one.again", lambda _: 0),
    Target("Status writes to bring one e-service to the public", "one.statuses", lambda _: 3),
    Target("Live reads for that", "one.reads", lambda _: 2),
    Target("Writes in two resync periods", "fleet.{}.resync.writes", lambda _: 0),
    Target("Writes after a restart", "fleet.{}.operator.restart.writes", lambda _: 0),
    Target("Reads after it, but watches and pages of lists", "fleet.{}.operator.restart.others", lambda _: 0),
    Target("Time to converge, against a bare client", "fleet.{}.ratio", lambda _: 1.25, 1_000),
    Target("A new current version: processor time", "fleet.{}.version.cpu", lambda size: 5 * size / LARGEST),
    Target("A new current version: writes but the template's status", "fleet.{}.version.writes", lambda _: 0),
    Target("One decision at rest", "decide.decide-at-rest", lambda _: 200e-6),
    Target("Memory", "fleet.{}.operator.memory", lambda size: 90e6 + 40e3 * size),
    Target("From a deadline to the end of the route, p99", "deadline.p99", lambda _: 1),
    Target(
        "All due at one instant: time for their writes, against a bare client",
        "fleet.{}.due.ratio",
        lambda _: 1.25,
        1_000,
    ),
)


def told(found: Mapping[str, Figure]) -> Iterator[str]:
    """The rows of a table in Markdown; what no run has measured is not left out."""
    sizes = sorted({int(key.split(".")[1]) for key in found if key.startswith("fleet.")})
    for target in TARGETS:
        size = target.size or max(sizes, default=0)
        figure = found.get(target.key.format(size))
        of = f" ({size:,} e-services)" if "{}" in target.key else ""
        if figure is None:
            yield f"| {target.what}{of} | | | not measured |"
            continue
        most, number = target.most(size), shown(figure.kind, figure.number)
        verdict = "met" if figure.number <= most else "missed"
        yield f"| {target.what}{of} | {number} | ≤ {shown(figure.kind, most)} | {verdict} |"
