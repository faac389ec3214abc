# SPDX-License-Identifier: Apache-2.0
"""The reconcile of a template: tokens are given before its status tells of them, and never over news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from typing_extensions import override

from eservice_operator.cluster.apply import OUTDATED, Applier
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Action, Failure, Manifest, Outcome, SetStatus
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.reconcile import ObjectReconciler
from tests.support import worlds
from tests.support.worlds import DAY, TEMPLATE, at

KEY = ObjectKey("EServiceTemplate", "", TEMPLATE)
DUE = at("2026-11-01", "00:00")


def services(*names: str) -> list[Manifest]:
    """E-services with a decision each that is due on 2026-11-01."""
    found = []
    for name in names:
        metadata = {"name": name, "uid": f"uid-{name}"}
        found.append(worlds.eservice(metadata=metadata, spec={"registration": name}))
        decision = {"name": f"{name}-production-001", "uid": f"uid-of-{name}"}
        found.append(worlds.decision(metadata=decision, spec={"registration": name}))
    return found


class Kept:
    """Keeps statuses in the store; ``late`` are written to by somebody else just before their turn."""

    def __init__(self, store: Store, *late: str) -> None:
        self.store = store
        self.late = list(late)
        self.written: list[str] = []

    async def run(self, actions: Sequence[Action]) -> Outcome:
        done: list[Action] = []
        for action in actions:
            assert isinstance(action, SetStatus)
            body = self.store.get(action.ref.kind, "", action.ref.name)
            assert body is not None
            if action.ref.name in self.late:
                self.late.remove(action.ref.name)
                self._write(body, {**body["status"], "state": "Effective"})
                body = self.store.get(action.ref.kind, "", action.ref.name)
                assert body is not None
            if action.basis is not None and not action.basis.holds(body):
                failure = Failure(action, OUTDATED, "was written to meanwhile", transient=True)
                return Outcome(tuple(done), failure)
            self._write(body, action.status)
            self.written.append(action.ref.name)
            done.append(action)
        return Outcome(tuple(done))

    def _write(self, body: Manifest, status: Manifest) -> None:
        version = str(int(body["metadata"]["resourceVersion"]) + 1)
        self.store.upsert(
            body | {"metadata": body["metadata"] | {"resourceVersion": version}, "status": status}
        )


class Told:
    """Keeps what Events say."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def publish(self, _about: object, _uid: str, _kind: str, reason: str, *_: str) -> None:
        self.reasons.append(reason)


def reconciler(writes: Kept) -> ObjectReconciler:
    return ObjectReconciler(
        observer=Observer(writes.store, worlds.POLICY),
        applier=cast("Applier", writes),
        freshness=cast("Freshness", None),
        events=cast("EventSink", Told()),
        outbox=Outbox({}, lambda _: None, Metrics()),
        policy_now=lambda: worlds.POLICY,
        settle=timedelta(seconds=1),
        monotonic=lambda: 0.0,
        copier=cast("CredentialsCopier", None),
    )


def kept(*late: str, names: str = "abcdef") -> Kept:
    store = Store(INDEXES)
    for obj in (worlds.template(), *services(*names)):
        store.upsert(obj)
    return Kept(store, *late)


def statuses(writes: Kept) -> dict[str, Manifest]:
    return {body["metadata"]["name"]: body["status"] for body in writes.store.all("UnpublishDecision")}


async def test_all_get_their_token_and_then_the_status_tells_of_it() -> None:
    writes = kept()
    result = await reconciler(writes).reconcile(KEY, DUE)
    assert result.error is None
    assert writes.written == [*(f"{name}-production-001" for name in "abcdef"), TEMPLATE]
    (token,) = {status["holdToken"] for status in statuses(writes).values()}
    template = writes.store.get("EServiceTemplate", "", TEMPLATE)
    assert template is not None
    assert [(one["token"], one["count"]) for one in template["status"]["held"]] == [(token, 6)]


async def test_what_its_e_service_wrote_meanwhile_is_not_lost() -> None:
    """One took effect while the others were being frozen: it is not brought back by an old status."""
    writes = kept("c-production-001", names="abcdefgh")
    result = await reconciler(writes).reconcile(KEY, DUE)
    assert result.error is None
    found = statuses(writes)
    assert found["c-production-001"]["state"] == "Effective"
    assert "holdToken" not in found["c-production-001"]
    assert sum("holdToken" in status for status in found.values()) == 7


async def test_it_looks_again_a_day_before_the_next_decision_is_due() -> None:
    writes = kept()
    result = await reconciler(writes).reconcile(KEY, DUE - 5 * DAY)
    assert writes.written == [TEMPLATE]
    assert result.next_at == DUE - DAY + timedelta(seconds=1)


async def test_one_that_fails_is_followed_up_at_the_pace_of_its_failures() -> None:
    """A pause that answers without an error would have them counted from one again, every two seconds."""

    class Refused(Kept):
        @override
        async def run(self, actions: Sequence[Action]) -> Outcome:
            return Outcome((), Failure(actions[0], "Forbidden", "not yours", transient=False))

    one, now = reconciler(Refused(kept().store)), DUE - 5 * DAY
    for seconds in (0, 1, 1, 2):
        result = await one.reconcile(KEY, now + timedelta(seconds=seconds))
        assert result.error == "not yours", seconds


async def test_it_looks_no_more_often_than_every_two_seconds() -> None:
    writes = kept()
    one = reconciler(writes)
    await one.reconcile(KEY, DUE - 5 * DAY)
    writes.written.clear()
    result = await one.reconcile(KEY, DUE - 5 * DAY + timedelta(seconds=1))
    assert result.next_at == DUE - 5 * DAY + timedelta(seconds=2)
    assert writes.written == []
