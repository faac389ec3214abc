# SPDX-License-Identifier: Apache-2.0
"""The parts of the benchmark that are commands of their own: what each prints, as figures.

Each runs in a process where nothing else is in memory.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from bench.decide import TARGET
from bench.figures import Figure, Kind
from tests.cli.starting import QUICK

LINE = re.compile(r"(?P<name>\S.*?)  +(?P<median>\d+) µs median +(?P<tail>\d+) µs p99")
RUN = re.compile(r"(?P<command>\S.*): (?P<own>\d+) ms of its own, (?P<wall>\d+) ms in all")
ANSWERED = re.compile(r"(?P<name>\S.*?)  (?P<value>\S.*?)  target (?P<target>\S.*)")
SCRAPED = re.compile(r"(?P<name>\S.*?)  +(?P<value>[\d.]+ ms)")
CLIENTS = re.compile(r"(?P<name>\S.*?)  +(?P<value>[\d.]+ (?:ms|objects))(?:  target (?P<target>.+))?")
NUMBER = re.compile(r"(?P<number>[\d.]+) (?P<unit>µs|ms|objects)")
UNITS: Final[dict[str, tuple[float, Kind]]] = {
    "µs": (1e-6, "step"),
    "ms": (1e-3, "step"),
    "objects": (1.0, "count"),
}


def deciding() -> Iterator[Figure]:
    """What `bench.decide` prints."""
    for line in LINE.finditer(printed_by("bench.decide")):
        target = f"≤ {TARGET} µs median" if line["name"] == "decide, at rest" else ""
        value = f"{line['median']} µs median, {line['tail']} µs at p99"
        yield _figure("decide", f"One decision: {line['name']}", value, target)


def scraping() -> Iterator[Figure]:
    """What `bench.scrape` prints."""
    for line in SCRAPED.finditer(printed_by("bench.scrape")):
        yield _figure("scrape", f"One scrape: {line['name']}", line["value"])


def braking() -> Iterator[Figure]:
    """What `bench.brake` prints."""
    for line in SCRAPED.finditer(printed_by("bench.brake")):
        yield _figure("brake", f"The brake: {line['name']}", line["value"])


def granting() -> Iterator[Figure]:
    """What `bench.access` prints."""
    for line in CLIENTS.finditer(printed_by("bench.access")):
        yield _figure("access", f"Access: {line['name']}", line["value"], line["target"] or "")


def starting() -> Iterator[Figure]:
    """What `tests.cli.starting` prints: the help of every command."""
    for line in RUN.finditer(printed_by("tests.cli.starting")):
        value = f"{line['own']} ms of its own, {line['wall']} ms by the clock"
        target = f"≤ {QUICK * 1000:.0f} ms of its own"
        yield _figure("starting", f"One command: `{line['command']}`", value, target, "tests.cli.starting")


def authorizing() -> Iterator[Figure]:
    """What `bench.authorizer` prints, which it may hold on one core."""
    for line in ANSWERED.finditer(printed_by("bench.authorizer")):
        name = f"The authorizer: {line['name']}"
        yield Figure(name, line["value"], line["target"], "python -m bench.authorizer")


def _figure(part: str, name: str, value: str, target: str = "", module: str = "") -> Figure:
    """A figure whose number is the first of its value."""
    command = f"python -m {module or f'bench.{part}'}"
    first = NUMBER.match(value)
    if first is None:
        raise ValueError(f"{command} printed {value!r} for {name}")
    scale, kind = UNITS[first["unit"]]
    key = f"{part}.{re.sub('[^a-z0-9]+', '-', name.partition(': ')[2].lower()).strip('-')}"
    return Figure(name, value, target, command, key, float(first["number"]) * scale, kind)


def printed_by(module: str) -> str:
    """The output of one of our modules."""
    arguments = [sys.executable, "-m", module]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours
