# SPDX-License-Identifier: Apache-2.0
"""The dashboard: whole, and with queries that Prometheus understands about metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.conftest import ROOT, Promtool
from tests.monitoring.queries import asked_for, there_are
from tools.monitoring.generate import DASHBOARD, WIDTH, dashboard

TOLD: dict[str, Any] = json.loads((ROOT / DASHBOARD).read_text())
PANELS: list[dict[str, Any]] = TOLD["panels"]
PROCESS = {"process_resident_memory_bytes"}
SETTING = re.compile(r"\$(?!__rate_interval)\w+")


def queries() -> Iterator[str]:
    """Every query as Grafana would send it."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield SETTING.sub(".*", target["expr"]).replace("$__rate_interval", "5m")


def everywhere(part: Any) -> Iterator[dict[str, Any]]:
    """Every map in the model."""
    if isinstance(part, dict):
        yield part
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from everywhere(below)


def test_it_is_what_its_source_says() -> None:
    assert dashboard() == TOLD, "run: python -m tools.monitoring.generate"


def test_every_query_parses(tmp_path: Path, promtool: Promtool) -> None:
    rules = [{"record": f"dashboard:query:{number}", "expr": query} for number, query in enumerate(queries())]
    assert rules
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_queries_ask_for_metrics_that_exist() -> None:
    for query in queries():
        asked = asked_for(query)
        assert asked, query
        assert asked <= there_are() | PROCESS, query
    for variable in TOLD["templating"]["list"][1:]:
        assert set(re.findall(r"label_values\((\w+),", variable["definition"])) <= there_are()


def test_variables_that_queries_use_are_there() -> None:
    known = {variable["name"] for variable in TOLD["templating"]["list"]}
    used = {name for panel in PANELS for name in re.findall(r"\$\{?(\w+)", json.dumps(panel))}
    assert used - {"__rate_interval"} == known


def test_no_data_source_is_named_by_its_uid() -> None:
    sources = [part["datasource"] for part in everywhere(TOLD) if "datasource" in part]
    assert sources
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_panels_have_their_own_number_and_place() -> None:
    assert [panel["id"] for panel in PANELS] == list(range(1, len(PANELS) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["description"]


def test_colours_are_those_of_the_theme() -> None:
    colours = {part["color"] for part in everywhere(TOLD) if isinstance(part.get("color"), str)}
    assert colours == {"text", "orange"}
