# SPDX-License-Identifier: Apache-2.0
"""The gauges about e-services say what their statuses say."""

from __future__ import annotations

from typing import Any

from prometheus_client.metrics_core import Metric

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store
from eservice_operator.runtime.figures import EServiceFigures
from tests.support import worlds

WHO = {"namespace": worlds.NAMESPACE, "name": worlds.NAME}


def samples(**status: Any) -> dict[str, list[tuple[dict[str, str], float]]]:
    store = Store(INDEXES)
    store.upsert(worlds.eservice(status=status))
    families: list[Metric] = list(EServiceFigures(worlds.RIGA).collect(store, worlds.NOW))
    return {family.name: [(one.labels, one.value) for one in family.samples] for family in families}


def test_one_that_nobody_has_looked_at_is_not_published() -> None:
    seen = samples()
    assert seen["eservice_published"] == [(WHO, 0)]
    assert seen["eservice_gate_unmet"] == []
    assert seen["eservice_unpublish_timestamp_seconds"] == []


def test_dates_are_local_days() -> None:
    seen = samples(
        template={"unpublishAt": "2026-12-01", "migrateBy": "2026-12-01"},
        installation={"dueBy": "2026-12-01"},
    )
    assert seen["eservice_unpublish_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-01", "00:00").timestamp())
    ]
    assert seen["eservice_migrate_by_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-02", "00:00").timestamp())
    ]
    assert seen["eservice_installation_due_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-02", "00:00").timestamp())
    ]


def test_what_is_installed_is_not_due() -> None:
    installation = {"dueBy": "2026-12-01", "installedAt": "2026-11-20T10:00:00Z"}
    assert samples(installation=installation)["eservice_installation_due_timestamp_seconds"] == []


def test_gates_and_trouble_are_counted_with_their_owner() -> None:
    seen = samples(
        phase="Pending",
        identifier="EP-000007",
        gates=[{"gate": "Accepted", "owner": "Agency"}],
        conditions=[
            {"type": "Published", "status": "True"},
            {"type": "Stalled", "status": "True", "reason": "NameCollision"},
        ],
    )
    assert seen["eservice_gate_unmet"] == [(WHO | {"gate": "Accepted", "owner": "Agency"}, 1)]
    assert seen["eservice_stalled"] == [(WHO | {"reason": "NameCollision"}, 1)]
    assert seen["eservice_published"] == [(WHO, 1)]
    labels, _ = seen["eservice_info"][0]
    assert (labels["phase"], labels["identifier"], labels["environment"]) == (
        "Pending",
        "EP-000007",
        "Production",
    )
