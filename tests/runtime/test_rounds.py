# SPDX-License-Identifier: Apache-2.0
"""Who stands by fills its store and looks at nothing; who begins looks at everything once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Reconciler, Surroundings, Wiring
from eservice_operator.runtime.rounds import Rounds
from eservice_operator.runtime.settings import Settings
from tests.runtime.clocks import MovedClock


def service(name: str, version: int = 1, namespace: str = "pmlp-production") -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "uid": name, "resourceVersion": str(version)}
    return {"apiVersion": "eservice.dev/v1alpha1", "kind": "EService", "metadata": metadata, "spec": {}}


def itself(change: Change, store: Store) -> Iterable[ObjectKey]:  # noqa: ARG001 - alone in the world
    return [change.key]


def never(surroundings: Surroundings) -> Reconciler:  # noqa: ARG001 - it is not asked
    raise AssertionError("nobody reconciles here")


def rounds(*namespaces: str) -> tuple[Rounds, Store]:
    store = Store()
    settings = Settings(namespaces=namespaces, resync=timedelta(minutes=20))
    wiring = Wiring(make_reconciler=never, triggers=itself, reconciled=("EService",))
    return Rounds(store, settings, wiring, Metrics(), MovedClock()), store


async def test_before_it_begins_changes_and_clocks_wake_nobody() -> None:
    ours, store = rounds()
    ours.intake.observed(service("address"), deleted=False)
    ours.look_at_all()
    assert ours.queue.depth == 0, "or the liveness probe of a standby would find keys that nobody takes"
    assert store.get("EService", "pmlp-production", "address") is not None


async def test_it_begins_with_everything_and_is_woken_from_then_on() -> None:
    ours, _ = rounds()
    for name in ("address", "parking"):
        ours.intake.observed(service(name), deleted=False)
    ours.begin()
    assert ours.queue.depth == 2
    ours.intake.observed(service("taxes"), deleted=False)
    assert ours.queue.depth == 3
    ours.look_at_all()
    assert ours.queue.depth == 3, "each once"


async def test_of_other_namespaces_nothing_is_added() -> None:
    ours, _ = rounds("pmlp-production")
    ours.begin()
    ours.intake.observed(service("address", namespace="vid-production"), deleted=False)
    assert ours.queue.depth == 0
    ours.intake.observed(service("address"), deleted=False)
    assert ours.queue.depth == 1
