# SPDX-License-Identifier: Apache-2.0
"""What the benchmark makes of its figures: the file, the comparison, the plots, the page."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.__main__ import of_today, options_of
from bench.figures import Figure, Kind, measured
from bench.page import page
from bench.plots import PLOTS, draw
from bench.results import Results, Section, load, numbers, save, worse
from bench.targets import TARGETS, told
from eservice_operator.runtime.clock import now

WHO = ("operator", "minimal", "bare")


def section(*figures: Figure) -> Section:
    return Section("2026-11-23", "2 processors and 24 GiB of memory", figures)


def fleets(*sizes: int) -> Results:
    return {
        f"fleet.{size}": section(
            *(
                measured(
                    f"fleet.{size}.{who}.{plot.measure}", "time", size * (1 + turn), f"{who}, {plot.file}"
                )
                for turn, who in enumerate(WHO)
                for plot in PLOTS
            )
        )
        for size in sizes
    }


def one(kind: Kind, number: float, key: str = "fleet.100.writes") -> Results:
    return {"fleet.100": section(measured(key, kind, number, "what it is"))}


def test_the_file_gives_back_what_was_written(tmp_path: Path) -> None:
    results = fleets(100, 1_000)
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results
    assert load(tmp_path / "none.json") == {}


def test_what_was_measured_of_controller_runtime_is_kept_for_a_day() -> None:
    name = "fleet.100"
    older = fleets(100)
    today = {name: Section(now().date().isoformat(), "a machine", older[name].figures)}
    assert {figure.key for figure in of_today(today, name)} == {
        f"{name}.minimal.{plot.measure}" for plot in PLOTS
    }
    assert of_today(older, name) == of_today({}, name) == []


@pytest.mark.parametrize(
    "kind, before, after",
    [
        ("count", 0, 1),
        ("count", 18, 19),
        ("about", 1_000, 1_051),
        ("cpu", 10, 12.6),
        ("step", 200e-6, 251e-6),
        ("memory", 200e6, 231e6),
        ("ratio", 1.2, 1.39),
        ("ratio", 1.2, float("nan")),
    ],
)
def test_what_is_worse_is_told(kind: Kind, before: float, after: float) -> None:
    (line,) = worse(one(kind, before), one(kind, after))
    assert line.startswith("fleet.100.writes: ")


@pytest.mark.parametrize(
    "kind, before, after",
    [
        ("count", 2, 1),
        ("about", 1_000, 1_050),
        ("about", 10, 29),
        ("cpu", 10, 12.5),
        ("cpu", 0.1, 0.5),
        ("memory", 200e6, 229e6),
        ("ratio", 1.2, 1.37),
        ("time", 1, 100),
    ],
)
def test_what_is_no_worse_is_not(kind: Kind, before: float, after: float) -> None:
    assert worse(one(kind, before), one(kind, after)) == []


def test_a_figure_that_was_lost_is_worse_and_a_part_that_was_not_measured_is_not() -> None:
    lost = worse(one("count", 0), one("count", 0, "fleet.100.reads"))
    assert lost == ["fleet.100.writes: not measured any more"]
    assert worse(one("count", 0), {}) == []


def test_the_same_figures_are_the_same_plots(tmp_path: Path) -> None:
    first, again = (draw(fleets(100, 1_000, 5_000), tmp_path / name) for name in ("first", "again"))
    assert [path.name for path in first] == [f"{plot.file}.svg" for plot in PLOTS]
    for old, new in zip(first, again, strict=True):
        assert old.read_bytes() == new.read_bytes()


def test_a_plot_has_a_line_for_each_and_no_ground_of_its_own(tmp_path: Path) -> None:
    path, *_ = draw(fleets(100, 1_000), tmp_path)
    text = "".join(ET.fromstring(path.read_text()).itertext())  # noqa: S314 - written a moment ago
    for name in ("eservice-operator", "controller-runtime, minimal", "bare HTTP client", "e-services"):
        assert name in text
    assert "2026" not in path.read_text()
    assert "fill: #ffffff" not in path.read_text()


def test_one_size_is_no_plot(tmp_path: Path) -> None:
    assert draw(fleets(100), tmp_path) == []


def test_the_page_says_which_targets_are_met() -> None:
    results = {
        "one": section(
            measured("one.reads", "count", 2, "reads"), measured("one.statuses", "count", 4, "statuses")
        ),
        "fleet.100": section(measured("fleet.100.operator.memory", "memory", 94.1e6, "memory")),
        "fleet.1000": section(measured("fleet.1000.operator.memory", "memory", 129e6, "memory")),
    }
    rows = list(told(numbers(results)))
    missing = [row for row in rows if row.endswith("| | | not measured |")]
    assert len(missing) == len(TARGETS) - 3, "what was not measured is not left out"
    assert [row for row in rows if row not in missing] == [
        "| Status writes to bring one e-service to the public | 4 | ≤ 3 | missed |",
        "| Live reads for that | 2 | ≤ 2 | met |",
        "| Memory (1,000 e-services) | 129 MB | ≤ 130 MB | met |",
    ]
    assert all(row in page(results, []) for row in rows)


def test_the_page_has_the_fleets_by_size_then_the_plots_then_the_rest(tmp_path: Path) -> None:
    results = {"decide": section(Figure("One decision", "1 µs", "≤ 2 µs", "python -m bench.decide"))}
    written = page(results | fleets(1_000, 100), [tmp_path / "cpu.svg"])
    order = ["## 100 e-services", "## 1,000 e-services", "(benchmarks/cpu.svg)", "## One decision"]
    places = [written.index(part) for part in [*order, "## How to read it"]]
    assert places == sorted(places)
    assert "| One decision | 1 µs | ≤ 2 µs | `python -m bench.decide` |" in written


@pytest.mark.parametrize("elsewhere", [(), ("--results",), ("--output",)])
def test_figures_of_other_settings_never_get_among_the_official_ones(
    elsewhere: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [f"{option}={tmp_path / option}" for option in elsewhere]
    with pytest.raises(SystemExit):
        options_of(["--set", "workers=8", *given])
    assert "--results and --output" in capsys.readouterr().err
    (kept := tmp_path / "kept").touch()
    assert options_of(["--set", "workers=8", *given, "--compare", f"--results={kept}"]).compare
    apart = options_of(["--set", "workers=8", f"--results={tmp_path / 'r'}", f"--output={tmp_path / 'o'}"])
    assert apart.set == [("workers", "8")]
    assert options_of([]).set == []


def test_with_nothing_to_compare_with_nothing_is_said_to_be_as_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options_of(["--compare", f"--results={tmp_path / 'results.json'}"])
    assert "nothing to compare with" in capsys.readouterr().err
