# SPDX-License-Identifier: Apache-2.0
"""Plots of what a fleet costs by its size, as SVG: the same figures give the same bytes.

Axes and letters are of a grey that reads on white and on black, and the ground is left out, so that the page
may have either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas

from bench.figures import Figure
from bench.results import Results, numbers
from bench.targets import TARGETS

GREY: Final = "#808890"
WHO: Final = {
    "operator": ("eservice-operator", "#2f81f7", "o"),
    "minimal": ("controller-runtime, minimal", "#d9822b", "s"),
    "bare": ("bare HTTP client", "#3fa45b", "^"),
}
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "eservice-operator",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


class Plot(NamedTuple):
    """A file, what it shows, the last part of the keys of its numbers, and their unit with its size.

    ``most`` is the key in `bench.targets` of a limit that is drawn, too.
    """

    file: str
    title: str
    measure: str
    unit: str
    size: float
    most: str = ""


PLOTS: Final = (
    Plot("converging", "Until all are public", "seconds", "seconds", 1.0),
    Plot("cpu", "Processor time until all are public", "cpu", "seconds", 1.0),
    Plot("memory", "Memory once all are public", "memory", "MB", 1e6, "fleet.{}.operator.memory"),
    Plot("restart", "A restart, until all were looked at", "restart.seconds", "seconds", 1.0),
    Plot("server", "Processor time of the API server and etcd", "server", "seconds", 1.0),
)


def draw(results: Results, folder: Path) -> list[Path]:
    """Write every plot that has at least two sizes; answers the files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = numbers(results)
    written = []
    for plot in PLOTS:
        lines = {who: _points(found, who, plot) for who in WHO}
        if max(map(len, lines.values())) < 2:  # noqa: PLR2004 - one point is no line
            continue
        path = folder / f"{plot.file}.svg"
        with mpl.rc_context(STYLE):
            _write(plot, lines, path)
        written.append(path)
    return written


def _points(found: Mapping[str, Figure], who: str, plot: Plot) -> list[tuple[int, float]]:
    pattern = re.compile(rf"fleet\.(\d+)\.{who}\.{re.escape(plot.measure)}")
    matches = ((pattern.fullmatch(key), figure) for key, figure in found.items())
    return sorted((int(match[1]), figure.number / plot.size) for match, figure in matches if match)


def _write(plot: Plot, lines: Mapping[str, list[tuple[int, float]]], path: Path) -> None:
    canvas = Canvas(figsize=(6.4, 3.4), layout="constrained")
    canvas.patch.set_alpha(0.0)
    FigureCanvasSVG(canvas)
    axes = canvas.add_subplot()
    for who, points in lines.items():
        if points:
            name, colour, marker = WHO[who]
            sizes, values = zip(*points, strict=True)
            axes.plot(sizes, values, marker=marker, color=colour, label=name, linewidth=1.8, markersize=5)
    for target in TARGETS:
        if target.key == plot.most:
            drawn = [size for size, _ in lines["operator"]]
            limits = [target.most(size) / plot.size for size in drawn]
            axes.plot(drawn, limits, color=GREY, linestyle="--", linewidth=1.2, label="the design's limit")
    _dress(axes, plot)
    canvas.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _dress(axes: Axes, plot: Plot) -> None:
    axes.patch.set_alpha(0.0)
    axes.set_title(plot.title, fontsize=11, loc="left")
    axes.set_xlabel("e-services")
    axes.set_ylabel(plot.unit)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")
    axes.grid(visible=True, color=GREY, alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
