# SPDX-License-Identifier: Apache-2.0
"""What a run has counted, as people read it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.support.figures import BEGIN, END, Figures

ROOT = Path(__file__).parents[2]


def test_it_is_told_by_name_with_what_belongs_to_it_whoever_was_first() -> None:
    one, other = Figures(), Figures()
    one.add("takeover", "2 s")
    one.add("… of it lists", "1 s", {"watch": 3})
    one.totals["faults"] += 2
    other.add("Authorizer", 5)
    other.totals["faults"] += 1_000
    one.take(other.handed_over())
    assert list(one.told()) == [
        ("all runs: faults", "1,002"),
        ("Authorizer", "5"),
        ("takeover", "2 s"),
        ("… of it lists", "1 s (watch 3)"),
    ]


def test_a_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page, counted = tmp_path / "page.md", Figures()
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    with pytest.raises(ValueError, match="no figures"):
        counted.write(page, date(2027, 1, 2))
    counted.add("one", "two\nthree")
    counted.write(page, date(2027, 1, 2))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| one | two three |" in text
    assert "2027-01-02" in text
    assert "old" not in text


@pytest.mark.parametrize("part", [["tests/tools"], ["tests", "-k", "figures"], ["tests", "-m", "cluster"]])
def test_a_part_of_the_tests_writes_no_page(part: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--figures", str(tmp_path / "page.md"), *part]
    seen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert seen.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--figures takes the whole run" in seen.stderr
