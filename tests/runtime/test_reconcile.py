# SPDX-License-Identifier: Apache-2.0
"""What the shell makes of what is rare on a real API server: refusals, quarrels, unreadable objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Action, Delete, Failure, Manifest, Outcome, SetFinalizer, SetStatus
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.reconcile import ROUNDS, ObjectReconciler
from tests.support import worlds

SERVICE = ObjectKey("EService", worlds.NAMESPACE, worlds.NAME)
FORBIDDEN = "the status is not ours to write"


class Writes:
    """Says that everything was done, but for statuses that are forbidden; nothing ever changes by it."""

    def __init__(self, *, statuses: bool = True) -> None:
        self.asked: list[Action] = []
        self._statuses = statuses

    async def run(self, actions: Sequence[Action]) -> Outcome:
        self.asked += actions
        if not self._statuses and isinstance(actions[0], SetStatus):
            return Outcome((), Failure(actions[0], "Forbidden", FORBIDDEN, transient=False))
        return Outcome(tuple(actions))


class Sure:
    async def confirm(self, _decision: object) -> bool:
        return True


def reconciler(writes: Writes, *objects: Manifest) -> ObjectReconciler:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(obj)
    return ObjectReconciler(
        observer=Observer(store, worlds.POLICY),
        applier=cast("Applier", writes),
        freshness=cast("Freshness", Sure()),
        events=cast("EventSink", None),
        outbox=Outbox({}, lambda _: None, Metrics()),
        policy_now=lambda: worlds.POLICY,
        settle=timedelta(seconds=1),
        monotonic=lambda: 0.0,
    )


async def test_a_status_that_is_refused_for_good_is_an_error_of_every_kind() -> None:
    broken = worlds.act(spec={"image": "registry.example/address:latest"})
    for obj in (worlds.template(), worlds.act(), broken):
        key = ObjectKey(obj["kind"], "", obj["metadata"]["name"])
        result = await reconciler(Writes(statuses=False), obj).reconcile(key, worlds.NOW)
        assert result.error == FORBIDDEN, key


async def test_what_is_undone_each_time_waits_for_its_backoff() -> None:
    writes = Writes()
    service = reconciler(
        writes,
        worlds.template(),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.eservice(),
    )
    result = await service.reconcile(SERVICE, worlds.NOW)
    assert result.error is not None
    assert result.error.startswith("is undone each time it is done: Create ServiceAccount")
    assert sum(getattr(action, "reason", "") == "missing" for action in writes.asked) >= ROUNDS


async def test_an_eservice_that_cannot_be_read_can_be_deleted() -> None:
    going = worlds.eservice(
        metadata={"deletionTimestamp": "2026-10-13T08:00:00Z", "finalizers": ["eservice.dev/route"]},
        spec={"workload": {"port": 99_999}},
    )
    labels = {
        "app.kubernetes.io/managed-by": "eservice-operator",
        "eservice.dev/owner-uid": going["metadata"]["uid"],
    }
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": worlds.ROUTE,
            "namespace": worlds.ROUTES,
            "uid": "uid-route",
            "resourceVersion": "1",
            "labels": labels,
        },
    }
    for objects, step in (((going, route), Delete), ((going,), SetFinalizer)):
        writes = Writes()
        result = await reconciler(writes, *objects).reconcile(SERVICE, worlds.NOW)
        assert result.error is None
        assert [type(action) for action in writes.asked] == [step]
