# SPDX-License-Identifier: Apache-2.0
"""``python -m bench``: measure everything, print a table, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import figures, switching
from bench.decide import TARGET
from bench.figures import Figure
from bench.measure import measure_fleet, measure_one
from eservice_operator.runtime.clock import now
from tests.cli.starting import QUICK

LINE = re.compile(r"(?P<name>\S.*?)  +(?P<median>\d+) µs median +(?P<tail>\d+) µs p99")
RUN = re.compile(r"(?P<command>\S.*): (?P<own>\d+) ms of its own, (?P<wall>\d+) ms in all")
ANSWERED = re.compile(r"(?P<name>\S.*?)  (?P<value>\S.*?)  target (?P<target>\S.*)")
SCRAPED = re.compile(r"(?P<name>\S.*?)  +(?P<value>[\d.]+ ms)")
CLIENTS = re.compile(r"(?P<name>\S.*?)  +(?P<value>[\d.]+ (?:ms|objects))(?:  target (?P<target>.+))?")
DECIDING = "python -m bench.decide"
SCRAPING = "python -m bench.scrape"
BRAKING = "python -m bench.brake"
ACCESS = "python -m bench.access"
STARTING = "python -m tests.cli.starting"
AUTHORIZING = "python -m bench.authorizer"
NOTES = (
    "How to read it:",
    "",
    """\
- Requests are counted in the API server's audit log: they are exact, and the same on any machine.
- Times depend on the machine and on what else it does, the ratio less: both sides are measured in one run.
  The bare client knows all the writes beforehand, sends them at the best of three concurrencies, and waits
  for nothing. The operator waits for Pods and for the gateway, and reads what it needs.
- A scrape is put together in a thread beside the event loop. Before the lines of an object were kept, it took
  13 ms with 100 e-services and 100 ms with 1,000, on the loop and with fewer figures.
- The time of a command is the processor time of its own process, which other work changes less than the
  clock: the median of 15 runs. While a command loaded the models first, its help took 570 to 770 ms. What
  only shows an e-service takes as much, beside kubectl's own time; `explain` took 0.8 s, most of it for the
  models. To measure one over a cluster, set KUBECONFIG: `python -m tests.cli.starting list -A`.
- What citizens notice is measured with requests that are sent at a steady rate whatever the answers are, to
  servers that reset their connections once the last Pod of their release is gone. Gateway, servers, citizens
  and the control plane share the machine; Pods are ready at once. How: docs/gateways.md.
- A look is all that one reconcile computes: what is observed, decided and said. What counts many others does
  so every 2 seconds at most.
- The authorizer is held on one core; who asks it, and the control plane, are on the others. It answers from
  memory, asks for its reviews beside that, and writes a line for each answer.
- An e-service counts as public when the gateway reports its route as accepted and resolved.
- How often the operator was killed, and survived it, is printed by `pytest tests/operator/test_kill.py`;
  `ESERVICE_TEST_KILL_STEP=1` kills it at every single write.""",
)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--fleet", type=int, default=200, help="how many e-services (default %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=figures.PAGE, help="the page to write (default %(default)s)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="eservice-bench-") as folder:
        measured = list(measure(Path(folder), options.fleet))
    sys.stdout.write(figures.table(measured) + "\n")
    options.output.write_text(figures.page(measured, now().date(), NOTES))
    sys.stdout.write(f"written to {options.output}\n")


def measure(folder: Path, fleet: int) -> Iterator[Figure]:
    """Every figure, as it is ready."""
    yield from deciding()
    yield from scraping()
    yield from braking()
    yield from granting()
    yield from starting()
    yield from authorizing()
    yield from switching.measure(folder / "switching")
    yield from asyncio.run(measure_one(folder / "one"))
    yield from asyncio.run(measure_fleet(folder / "fleet", fleet))


def deciding() -> Iterator[Figure]:
    """What `bench.decide` prints, in a process where nothing else is in memory."""
    for line in LINE.finditer(printed_by(DECIDING)):
        target = f"≤ {TARGET} µs median" if line["name"] == "decide, at rest" else ""
        value = f"{line['median']} µs median, {line['tail']} µs at p99"
        yield Figure(f"One decision: {line['name']}", value, target, DECIDING)


def scraping() -> Iterator[Figure]:
    """What `bench.scrape` prints."""
    for line in SCRAPED.finditer(printed_by(SCRAPING)):
        yield Figure(f"One scrape: {line['name']}", line["value"], command=SCRAPING)


def braking() -> Iterator[Figure]:
    """What `bench.brake` prints."""
    for line in SCRAPED.finditer(printed_by(BRAKING)):
        yield Figure(f"The brake: {line['name']}", line["value"], command=BRAKING)


def granting() -> Iterator[Figure]:
    """What `bench.access` prints."""
    for line in CLIENTS.finditer(printed_by(ACCESS)):
        yield Figure(f"Access: {line['name']}", line["value"], line["target"] or "", ACCESS)


def starting() -> Iterator[Figure]:
    """What `tests.cli.starting` prints: the help of every command."""
    for line in RUN.finditer(printed_by(STARTING)):
        value = f"{line['own']} ms of its own, {line['wall']} ms by the clock"
        target = f"≤ {QUICK * 1000:.0f} ms of its own"
        yield Figure(f"One command: `{line['command']}`", value, target, STARTING)


def authorizing() -> Iterator[Figure]:
    """What `bench.authorizer` prints, in a process that it may hold on one core."""
    for line in ANSWERED.finditer(printed_by(AUTHORIZING)):
        yield Figure(f"The authorizer: {line['name']}", line["value"], line["target"], AUTHORIZING)


def printed_by(command: str) -> str:
    """The output of one of our modules."""
    arguments = [sys.executable, *command.split()[1:]]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours


if __name__ == "__main__":
    main()
