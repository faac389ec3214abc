# SPDX-License-Identifier: Apache-2.0
"""Panels of a Grafana dashboard, in its classic JSON model; colours are those of the theme, dark or light."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
"""The variable that names the data source: no dashboard of ours knows one by its uid."""


def stat(title: str, query: str, why: str, *, bad_from: int | None = None) -> Json:
    """A number; coloured only where it asks for somebody."""
    steps: list[Json] = [{"color": "text", "value": None}]
    if bad_from is not None:
        steps.append({"color": "orange", "value": bad_from})
    panel = _panel("stat", title, why, [(query, "")], (6, 4), thresholds=steps)
    panel["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "colorMode": "value",
        "graphMode": "area",
    }
    return panel


def graph(
    title: str, why: str, *queries: tuple[str, str], unit: str = "short", stacked: bool = False
) -> Json:
    """Lines over time; each query with its legend."""
    panel = _panel("timeseries", title, why, queries, (12, 8), unit=unit)
    mode = "normal" if stacked else "none"
    panel["fieldConfig"]["defaults"]["custom"] = {
        "fillOpacity": 20 if stacked else 0,
        "stacking": {"mode": mode, "group": "A"},
    }
    panel["options"] = {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi"},
    }
    return panel


def bars(title: str, why: str, query: str, legend: str, unit: str = "short") -> Json:
    """The present values, a bar each."""
    panel = _panel("bargauge", title, why, [(query, legend)], (12, 8), unit=unit)
    panel["targets"][0]["instant"] = True
    panel["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal"}
    panel["options"]["displayMode"] = "basic"
    return panel


def calendar(title: str, why: str, query: str, shown: Iterable[str]) -> Json:
    """A table of instants; the query gives milliseconds, as Grafana wants them."""
    panel = _panel("table", title, why, [(query, "")], (12, 8))
    panel["targets"][0] |= {"instant": True, "format": "table"}
    names = {name: place for place, name in enumerate([*shown, "Value"])}
    hidden = {"Time": True}
    panel["transformations"] = [
        {"id": "organize", "options": {"indexByName": names, "excludeByName": hidden, "renameByName": {}}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Value"}]}},
    ]
    when: Json = {"matcher": {"id": "byName", "options": "Value"}, "properties": []}
    when["properties"] = [{"id": "unit", "value": "dateTimeAsIso"}, {"id": "displayName", "value": "when"}]
    panel["fieldConfig"]["overrides"] = [when]
    return panel


def _panel(
    kind: str,
    title: str,
    why: str,
    queries: Iterable[tuple[str, str]],
    size: tuple[int, int],
    *,
    unit: str = "short",
    thresholds: list[Json] | None = None,
) -> Json:
    steps = thresholds or [{"color": "text", "value": None}]
    return {
        "type": kind,
        "title": title,
        "description": why,
        "datasource": SOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
            for place, (query, legend) in enumerate(queries)
        ],
    }
