# SPDX-License-Identifier: Apache-2.0
"""The scale benchmark with three e-services: every figure is there, whatever it says of times."""

import asyncio
from pathlib import Path

import pytest

from bench import processes
from bench.minimal import built
from bench.scale import measure_minimal, measure_ours
from bench.targets import TARGETS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

COUNT = 3
OPERATORS = ("operator", "minimal")
MEASURED = ("writes", "seconds", "cpu", "server", "memory", "children")
RESTARTED = ("writes", "reads", "others", "seconds", "cpu", "memory")


@pytest.fixture(scope="module")
def baseline() -> Path:
    """The minimal operator, built where it is missing."""
    return built()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom a busy machine does not let work for some seconds is not at rest."""
    monkeypatch.setattr(processes, "QUIET", 7)


async def test_three_e_services_are_measured_and_both_operators_make_the_same(
    baseline: Path, tmp_path: Path
) -> None:
    assert (baseline / "bin" / "baseline").is_file()
    async with asyncio.TaskGroup() as together:  # which a run for figures does one after the other
        parts = [
            together.create_task(measure_ours(tmp_path / "ours", COUNT)),
            together.create_task(measure_minimal(tmp_path / "minimal", COUNT)),
        ]
    figures = {figure.key: figure for part in parts for figure in part.result()}
    expected = {f"{who}.{what}" for who in OPERATORS for what in MEASURED}
    expected |= {f"{who}.restart.{what}" for who in OPERATORS for what in RESTARTED}
    expected |= {f"bare.{what}" for what in ("seconds", "cpu", "server")} | {"ratio", "resync.writes"}
    expected |= {"version.cpu", "version.writes", "due.seconds", "due.ratio", "due.cpu"}
    assert set(figures) == {f"fleet.{COUNT}.{key}" for key in expected}
    lost = {one.key for one in TARGETS if "{}" in one.key and one.key.format(COUNT) not in figures}
    assert not lost, "a target without a figure is silently left out of the page"
    numbers = {key.removeprefix(f"fleet.{COUNT}."): figure.number for key, figure in figures.items()}

    ours, theirs = (figures[f"fleet.{COUNT}.{who}.children"] for who in OPERATORS)
    assert ours.value == theirs.value
    assert numbers["operator.children"] == 8 * COUNT
    assert numbers["minimal.writes"] == pytest.approx(numbers["operator.writes"], rel=0.15)
    none = ("resync.writes", "version.writes", *(f"{who}.restart.writes" for who in OPERATORS))
    assert {key: numbers[key] for key in none} == dict.fromkeys(none, 0)
    assert numbers["operator.restart.others"] == 0
    others = {f"{who}.restart.others" for who in OPERATORS}
    positive = expected - {*none, *others, "due.cpu", "version.cpu", "bare.cpu"}
    assert [key for key in sorted(positive) if not numbers[key] > 0] == []
