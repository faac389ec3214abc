# SPDX-License-Identifier: Apache-2.0
"""Writes what follows from the alerts and the panels: ``python -m tools.monitoring.generate [FOLDER]``.

docs/manifests/prometheusrule.yaml is charts/eservice-operator/files/alerts.yaml as a PrometheusRule object;
charts/eservice-operator/files/dashboard.json is the Grafana dashboard. A test fails when either differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.monitoring.access_questions import ACCESS
from tools.monitoring.panels import SOURCE, Json
from tools.monitoring.questions import AGENCY, ON_CALL, OUTSIDE

ROOT = Path(__file__).resolve().parents[2]
ALERTS = Path("charts/eservice-operator/files/alerts.yaml")
RULE = Path("docs/manifests/prometheusrule.yaml")
DASHBOARD = Path("charts/eservice-operator/files/dashboard.json")
WIDTH = 24
OBJECT = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: eservice-operator
  namespace: eservice-system
  labels: {app.kubernetes.io/name: eservice-operator}
spec:
  groups:
"""


def rows() -> list[Json]:
    """All panels, placed from left to right and downwards."""
    placed: list[Json] = []
    below = 0
    sections = (
        ("For the Agency", AGENCY),
        ("Access to web services", ACCESS),
        ("From outside", OUTSIDE),
        ("For on-call", ON_CALL),
    )
    for title, panels in sections:
        row = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append(row | {"gridPos": {"x": 0, "y": below, "w": WIDTH, "h": 1}})
        below, x, height = below + 1, 0, 0
        for panel in panels:
            place = panel["gridPos"]
            if x + place["w"] > WIDTH:
                below, x = below + height, 0
            placed.append(panel | {"gridPos": {"x": x, "y": below, **place}})
            x, height = x + place["w"], place["h"]
        below += height
    return [panel | {"id": number} for number, panel in enumerate(placed, start=1)]


def dashboard() -> Json:
    """The classic JSON model of Grafana."""
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    return {
        "uid": "eservice-operator",
        "title": "E-services",
        "description": "Public e-services and the operator that looks after them.",
        "tags": ["eservice-operator"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "timezone": "browser",
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [source, _variable("namespace"), _variable("template")]},
        "annotations": {"list": []},
        "links": [],
        "panels": rows(),
    }


def _variable(name: str) -> Json:
    query = f"label_values(eservice_info, {name})"
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
        "sort": 1,
    }


def prometheusrule() -> str:
    """The source, its comments included, as an object of the Prometheus Operator."""
    head, _, groups = (ROOT / ALERTS).read_text().partition("groups:\n")
    licence = head.partition("\n")[0]
    note = f"# Made from {ALERTS} by tools/monitoring/generate.py: do not edit it."
    indented = "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    return f"{licence}\n{note}\n{OBJECT}{indented}"


def main() -> None:
    """Write both, below the folder that is named, or in the checkout."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT
    for path, text in (
        (RULE, prometheusrule()),
        (DASHBOARD, json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    main()
