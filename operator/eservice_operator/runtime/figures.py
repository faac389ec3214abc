# SPDX-License-Identifier: Apache-2.0
"""Figures for people about each e-service, read from the statuses when Prometheus asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.store import Store
from eservice_operator.core.dates import day_after_end, start_of_day

WHO = ("namespace", "name")


class EServiceFigures:
    """Collects the gauges of all e-services; dates are those of the configured zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def collect(self, store: Store, now: datetime) -> Iterable[Metric]:
        """The metric families as of ``now``."""
        del now
        info = GaugeMetricFamily(
            "eservice_info",
            "An e-service, and what it serves the public.",
            labels=(*WHO, "environment", "registration", "identifier", "template", "version", "phase"),
        )
        published = GaugeMetricFamily(
            "eservice_published", "1 while the gateway serves the e-service.", labels=WHO
        )
        unmet = GaugeMetricFamily(
            "eservice_gate_unmet", "1 for each gate that is not passed.", labels=(*WHO, "gate", "owner")
        )
        stalled = GaugeMetricFamily(
            "eservice_stalled", "1 while only a change of spec can help.", labels=(*WHO, "reason")
        )
        unpublish = GaugeMetricFamily(
            "eservice_unpublish_timestamp_seconds",
            "When it leaves the public route by R8, or left it.",
            labels=WHO,
        )
        migrate = GaugeMetricFamily(
            "eservice_migrate_by_timestamp_seconds", "The end of the last day for migrating (R7).", labels=WHO
        )
        due = GaugeMetricFamily(
            "eservice_installation_due_timestamp_seconds",
            "The end of the tenth working day, while the release is not installed (R5).",
            labels=WHO,
        )
        for service in store.all("EService"):
            who = (service["metadata"]["namespace"], service["metadata"]["name"])
            status = service.get("status") or {}
            info.add_metric((*who, *_about(service)), 1)
            published.add_metric(who, _condition(status, "Published").get("status") == "True")
            for gate in status.get("gates") or ():
                unmet.add_metric((*who, gate["gate"], gate["owner"]), 1)
            trouble = _condition(status, "Stalled")
            if trouble:
                stalled.add_metric((*who, trouble["reason"]), 1)
            self._dated(unpublish, who, part(status, "template", "unpublishAt"), end=False)
            self._dated(migrate, who, part(status, "template", "migrateBy"), end=True)
            if part(status, "installation", "installedAt") is None:
                self._dated(due, who, part(status, "installation", "dueBy"), end=True)
        return info, published, unmet, stalled, unpublish, migrate, due

    def _dated(self, family: GaugeMetricFamily, who: tuple[str, str], day: Any, *, end: bool) -> None:
        if not isinstance(day, str):
            return
        at = date.fromisoformat(day)
        instant = day_after_end(at, self._zone) if end else start_of_day(at, self._zone)
        family.add_metric(who, instant.astimezone(UTC).timestamp())


def _about(service: Mapping[str, Any]) -> tuple[str, ...]:
    status = service.get("status") or {}
    values = (
        part(service, "spec", "environment"),
        part(service, "spec", "registration"),
        status.get("identifier"),
        part(status, "template", "name"),
        part(status, "template", "version"),
        status.get("phase"),
    )
    return tuple(value if isinstance(value, str) else "" for value in values)


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((entry for entry in status.get("conditions") or () if entry.get("type") == kind), {})
