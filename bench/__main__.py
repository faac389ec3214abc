# SPDX-License-Identifier: Apache-2.0
"""``python -m bench``: measure, print tables, and write docs/benchmarks.md with its plots."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import plots, printed, results, switching
from bench.deadline import TIMES, one_due
from bench.figures import Figure, table
from bench.measure import measure_one
from bench.page import FLEET, PAGE, page
from bench.results import RESULTS, Results, Section
from bench.scale import measure_fleet
from eservice_operator.runtime.clock import now

SIZES = (100, 1_000, 5_000)


@dataclass(frozen=True)
class Part:
    """One part of the benchmark, and how many seconds it takes on two processors with nothing beside it."""

    measure: Callable[[Path], Iterator[Figure]]
    seconds: float


def parts(
    sizes: list[int], times: int, settings: Mapping[str, str], known: Results | None = None
) -> dict[str, Part]:
    """Every part by its name, in the order in which they are measured; ``known`` as of `of_today`."""
    single = {
        "one": Part(lambda folder: iter(asyncio.run(measure_one(folder))), 30),
        "decide": Part(lambda _: printed.deciding(), 15),
        "scrape": Part(lambda _: printed.scraping(), 30),
        "brake": Part(lambda _: printed.braking(), 20),
        "access": Part(lambda _: printed.granting(), 30),
        "starting": Part(lambda _: printed.starting(), 30),
        "authorizer": Part(lambda _: printed.authorizing(), 40),
        "switching": Part(switching.measure, 300),
        "deadline": Part(lambda folder: iter(asyncio.run(one_due(folder, times))), 60 + 5 * times),
    }
    fleets = {f"{FLEET}{size}": size for size in sizes}
    return single | {
        name: _fleet(size, settings, of_today(known or {}, name)) for name, size in fleets.items()
    }


def _fleet(size: int, settings: Mapping[str, str], known: Sequence[Figure]) -> Part:
    return Part(
        lambda folder: iter(asyncio.run(measure_fleet(folder, size, known, **settings))), seconds_for(size)
    )


def of_today(known: Results, name: str) -> list[Figure]:
    """What was measured today of controller-runtime with a fleet; a page tells one day for all of it."""
    section = known.get(name)
    if section is None or section.day != now().date().isoformat():
        return []
    return [figure for figure in section.figures if figure.key.startswith(f"{name}.minimal.")]


def seconds_for(size: int) -> float:
    """What a fleet takes: three control planes, and each e-service on them."""
    return 120 + 0.4 * size


def main() -> int:
    """Measure what was asked for."""
    options = options_of()
    before, measured = results.load(options.results), Results()
    known = before if options.again else None
    chosen = {
        name: part
        for name, part in parts(options.fleet, options.times, dict(options.set), known).items()
        if not options.only or name in options.only or name.split(".")[0] in options.only
    }
    minutes = sum(part.seconds for part in chosen.values()) / 60
    _say(f"{len(chosen)} parts: about {minutes:.0f} minutes on two processors with nothing beside it")
    for name, part in chosen.items():
        measured[name] = _measured(name, part)
        if not options.compare:
            _write(before | measured, options.results, options.output)
    if not options.compare:
        return 0
    lines = results.worse(before, measured)
    sys.stdout.write("\n".join([*lines, f"{len(lines)} figures are worse than in {options.results}"]) + "\n")
    return 1 if lines else 0


def _measured(name: str, part: Part) -> Section:
    began, own = time.monotonic(), time.process_time()
    _say(f"{name}: about {part.seconds:.0f} s")
    with tempfile.TemporaryDirectory(prefix="eservice-bench-") as folder:
        figures = list(part.measure(Path(folder) / "part"))
    sys.stdout.write(table(figures) + "\n")
    _say(f"{name}: {time.monotonic() - began:.0f} s, {time.process_time() - own:.0f} s of this process")
    return Section.of(figures, now().date())


def _write(held: Results, path: Path, output: Path) -> None:
    results.save(held, path)
    drawn = plots.draw(held, path.parent)
    output.write_text(page(held, drawn))


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for; ends the program where that contradicts itself."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    sizes: Final = ",".join(map(str, SIZES))
    parser.add_argument(
        "--fleet", type=_sizes, default=list(SIZES), metavar="N[,N…]", help=f"fleets (default {sizes})"
    )
    parser.add_argument(
        "--only", type=_names, default=[], metavar="PART[,PART…]", help=f"of {', '.join(parts([0], 1, {}))}"
    )
    parser.add_argument(
        "--times", type=int, default=TIMES, help="deadlines of one e-service (default %(default)s)"
    )
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="measure fleets with this setting of the operator, such as workers=8",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="of fleets keep what was measured today of controller-runtime: after a change of the operator",
    )
    parser.add_argument(
        "--compare", action="store_true", help="write nothing; fail if a figure is worse than in the results"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="default %(default)s")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page (default %(default)s)")
    options = parser.parse_args(arguments)
    official = {options.results.resolve(), options.output.resolve()} & {RESULTS.resolve(), PAGE.resolve()}
    if options.set and official and not options.compare:
        parser.error(
            "--set measures another operator than the one that people get: add --compare,"
            " or write elsewhere, with --results and --output"
        )
    if options.compare and not options.results.exists():
        parser.error(f"there is nothing to compare with: `make bench` writes {options.results}")
    return options


def _sizes(text: str) -> list[int]:
    return [int(size.replace("_", "")) for size in text.split(",")]


def _setting(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given:
        raise argparse.ArgumentTypeError(f"{text}: write NAME=VALUE")
    return name, value


def _names(text: str) -> list[str]:
    known = {name.split(".")[0] for name in parts([0], 1, {})}
    names = text.split(",")
    if unknown := [name for name in names if name.split(".")[0] not in known]:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
