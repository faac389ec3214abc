# SPDX-License-Identifier: Apache-2.0
"""The figures of the last runs in a file, and what is worse than in it: see ``python -m bench --compare``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

from bench.figures import Figure, Kind, machine, shown

RESULTS = Path(__file__).parents[1] / "docs" / "benchmarks" / "results.json"
TOLERANCES: Final[Mapping[Kind, float | None]] = {
    "count": 0.0,
    "about": 0.05,
    "cpu": 0.25,
    "step": 0.25,
    "memory": 0.15,
    "ratio": 0.15,
    "time": None,
}
"""By how much a number may be above that of the file, as a share of it; None is not compared.

A count is exact. Writes and reads of a fleet depend a little on what comes between: a template's count
is written every other second. Processor time is the machine's, too. Times by the
clock say nothing on another."""
LEAST: Final[Mapping[Kind, float]] = {"cpu": 0.5, "memory": 10e6, "about": 20.0}
"""A difference that is no larger is none, whatever its share: seconds, bytes, requests."""


@dataclass(frozen=True)
class Section:
    """What one part of the benchmark has measured, and when and where."""

    day: str
    machine: str
    figures: tuple[Figure, ...]

    @classmethod
    def of(cls, figures: Iterable[Figure], day: date) -> Section:
        """Measured here."""
        return cls(day.isoformat(), machine(), tuple(figures))


Results = dict[str, Section]
"""By the name of the part."""


def load(path: Path = RESULTS) -> Results:
    """What the file holds; nothing if there is none."""
    if not path.exists():
        return {}
    held = json.loads(path.read_text())
    return {
        name: Section(one["day"], one["machine"], tuple(Figure(**figure) for figure in one["figures"]))
        for name, one in held.items()
    }


def save(results: Results, path: Path = RESULTS) -> None:
    """Write the file anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: asdict(one) for name, one in results.items()}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n")


def numbers(results: Results) -> dict[str, Figure]:
    """Every figure that has a number, by its key."""
    return {figure.key: figure for one in results.values() for figure in one.figures if figure.key}


def worse(before: Results, after: Results) -> list[str]:
    """A line for each number that has become worse by more than it may, or is not there any more."""
    known, found = numbers(before), numbers(after)
    lost = [
        f"{figure.key}: not measured any more"
        for name in after.keys() & before.keys()
        for figure in before[name].figures
        if figure.key and figure.key not in found
    ]
    compared = [(known[key], figure) for key, figure in found.items() if key in known]
    return [*lost, *(_line(old, new) for old, new in compared if _worse(old, new))]


def _worse(old: Figure, new: Figure) -> bool:
    share = TOLERANCES[new.kind]
    if share is None:
        return False
    allowed = max(abs(old.number) * share, LEAST.get(new.kind, 0.0))
    return not (new.number <= old.number + allowed) or math.isnan(new.number)


def _line(old: Figure, new: Figure) -> str:
    return f"{new.key}: {shown(new.kind, new.number)}, and it was {shown(old.kind, old.number)}"
