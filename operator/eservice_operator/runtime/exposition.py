# SPDX-License-Identifier: Apache-2.0
"""Figures about objects in the Prometheus text format: lines that can be kept while an object is the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Family(NamedTuple):
    """A gauge with a series per object; ``labels`` are their names, in the order of the values."""

    name: str
    help: str
    labels: tuple[str, ...]

    def line(self, labels: Iterable[str], value: float = 1) -> str:
        """One sample, with its line feed."""
        told = ",".join(
            f'{name}="{text.translate(_ESCAPES)}"' for name, text in zip(self.labels, labels, strict=True)
        )
        return f"{self.name}{{{told}}} {int(value) if value == int(value) else value}\n"


class Rendered(NamedTuple):
    """A family with all its samples, as lines."""

    family: Family
    lines: str

    def text(self) -> str:
        """What a scrape is answered with."""
        name, about, _ = self.family
        return f"# HELP {name} {about}\n# TYPE {name} gauge\n{self.lines}"
