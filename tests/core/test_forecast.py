# SPDX-License-Identifier: Apache-2.0
"""The forecast: what happens by itself, as the operator would decide it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from eservice_operator.core.forecast import Forecast, forecast
from eservice_operator.core.stage import Scene
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld, World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, at

ALL = (*worlds.VERSIONS, worlds.NEXT_VERSION)


def published(*versions: dict[str, Any], now: datetime = NOW, **lifecycle: Any) -> PureCluster:
    """An e-service on 3.0.0, public and at rest."""
    cluster = PureCluster()
    cluster.put(
        worlds.template(versions or ALL, lifecycle=lifecycle),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(),
    )
    cluster.settle(now)
    return cluster


def scene(*found: World) -> Scene:
    templates = {name: known for world in found for name, known in world.templates.items()}
    return Scene(
        found,
        tuple(TemplateWorld(known.template, catalogue_of(known.template)) for known in templates.values()),
    )


def told(made: Forecast) -> list[tuple[str, str]]:
    """Local day and action of each item."""
    return [
        (item.at.astimezone(POLICY.zone).strftime("%Y-%m-%d"), item.action.value) for item in made.foreseen
    ]


def test_a_public_service_is_warned_and_taken_off_and_its_duty_runs_out() -> None:
    made = forecast(scene(published().world()), NOW, at("2028-10-13"), POLICY)
    assert told(made) == [
        ("2026-12-01", "Warn"),
        ("2027-03-01", "Warn"),
        ("2027-05-01", "Warn"),
        ("2027-05-25", "Warn"),
        ("2027-06-01", "Unpublish"),
        ("2028-06-02", "MigrationDue"),
    ]
    item = made.foreseen[4]
    assert (item.namespace, item.name, item.at) == (NAMESPACE, NAME, at("2027-06-01", "00:00"))
    assert (item.template, item.version) == ("viss-2020", "3.0.0")
    assert item.decision == "address-declaration-production-001"
    (ending,) = made.endings
    assert not ending.public
    assert ending.reason == "TemplateOverdue"
