# SPDX-License-Identifier: Apache-2.0
"""What reaches a terminal is harmless, as wide as it looks, and still what was written."""

import csv
import json
import unicodedata
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from eservice_operator.cli.forecast_view import as_csv
from eservice_operator.cli.output import Column, as_json, as_yaml, table
from eservice_operator.cli.session import Session
from eservice_operator.cli.text import UNPRINTABLE, clean, cut, width_of, wrapped
from tests.cli.objects import ESCAPES


def obeyed(text: str) -> set[str]:
    """The characters that a terminal would obey."""
    return {one for one in text if one != "\n" and unicodedata.category(one) in UNPRINTABLE}


@pytest.mark.parametrize(
    "written, shown",
    [
        ("Bērziņa", "Bērziņa"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("\U000e0001", "\\U000e0001"),
        ("one\ntwo\r", "one\\x0atwo\\x0d"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(written: str, shown: str) -> None:
    assert clean(written) == shown


@given(st.text())
def test_nothing_that_a_terminal_would_obey_is_left(text: str) -> None:
    assert not obeyed(clean(text))
    assert clean(clean(text)) == clean(text)


@given(st.text().map(clean), st.integers(1, 40))
def test_cut_text_fits(text: str, width: int) -> None:
    shown = cut(text, width)
    assert width_of(shown) <= width
    assert shown == text or shown.endswith("…")


def test_wide_and_combining_characters_count_as_they_look() -> None:
    assert width_of("日本") == 4
    assert width_of("e\u0301") == 1


def test_commands_are_not_broken() -> None:
    command = "kubectl-eservice-with-a-long-name"
    assert wrapped(f"run {command} now", 10) == ["run", command, "now"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_json_says_the_same_and_is_harmless(document: Any) -> None:
    text = as_json(document)
    assert json.loads(text) == document
    assert not obeyed(text)


def test_yaml_says_the_same_and_is_harmless() -> None:
    document = {"notes": ESCAPES, "who": "Bērziņa", "when": "2026-11-22"}
    text = as_yaml(document)
    assert yaml.safe_load(text) == document
    assert not obeyed(text)
    assert "Bērziņa" in as_yaml({"who": "Bērziņa"})


@example([{"name": "tax-calculator", "why": ESCAPES}])
@given(st.lists(st.fixed_dictionaries({"name": st.text(min_size=1), "why": st.text()}), max_size=4))
def test_csv_has_every_row_and_is_harmless(rows: list[dict[str, str]]) -> None:
    text = as_csv(("name", "why", "token"), rows)
    assert not obeyed(text)
    shown = [{"name": clean(row["name"]), "why": clean(row["why"]), "token": ""} for row in rows]
    assert list(csv.DictReader(text.splitlines())) == shown


@given(
    st.lists(st.lists(st.text(max_size=60), min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(60, 200),
)
def test_a_table_fits_the_terminal_where_it_can(rows: list[list[str]], width: int) -> None:
    columns = [Column("NAME", flexible=True), Column("SPARE", spare=1), Column("TEXT", flexible=True)]
    lines = table(Session(width=width), columns, rows)
    assert len(lines) == len(rows) + 1
    assert all(width_of(line) <= width for line in lines)
    assert not obeyed("".join(lines))


def test_names_are_never_cut() -> None:
    columns = [Column("NAME"), Column("SPARE", spare=1), Column("TEXT", flexible=True)]
    name = "n" * 40
    (_, line) = table(Session(width=60), columns, [[name, "spare" * 4, "text " * 20]])
    assert line.startswith(f"{name}   text")
    assert line.endswith("…")
