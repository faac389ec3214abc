# SPDX-License-Identifier: Apache-2.0
"""The reconcile of grants and web services: what stands in the way is said, and counting is rare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest

from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.errors import ApiError, Transient
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.worlds import Copied
from eservice_operator.core.actions import (
    Action,
    Create,
    Delete,
    Failure,
    Manifest,
    Outcome,
    Ref,
    SetStatus,
    target_of,
)
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.pauses import LONGEST, PAUSE
from eservice_operator.runtime.reconcile import ObjectReconciler
from eservice_operator.runtime.retries import RETRY_FOREIGN, ROUNDS
from tests.support import asking, holders, worlds
from tests.support.holders import HOLDER, REGISTER
from tests.support.worlds import NOW, SECOND, merged

GRANT = ObjectKey("WebServiceGrant", HOLDER, "address")
WEB_SERVICE = ObjectKey("WebService", HOLDER, REGISTER)
ASSIGNMENT = ObjectKey("AgentAssignment", HOLDER, "evry")


@dataclass
class Writes:
    """Says that everything was done but what fails; nothing ever changes by it."""

    failure: tuple[str, bool] | None = None
    asked: list[Action] = field(default_factory=list)

    async def run(self, actions: Sequence[Action]) -> Outcome:
        self.asked += actions
        first = actions[0]
        if self.failure is not None and not isinstance(first, SetStatus):
            reason, transient = self.failure
            return Outcome((), Failure(first, reason, f"{target_of(first)} exists", transient=transient))
        return Outcome(tuple(actions))

    @property
    def statuses(self) -> list[Manifest]:
        return [action.status for action in self.asked if isinstance(action, SetStatus)]


class Silent:
    async def publish(self, *_: object) -> None:
        """Nobody listens."""


class Copier:
    """Knows what came of copying, or cannot ask."""

    def __init__(self, at: datetime | None = None, error: Exception | None = None) -> None:
        self.at, self.error = at, error

    async def refresh(self, _key: ObjectKey, _times: object) -> datetime | None:
        if self.error is not None:
            raise self.error
        return self.at

    def known(self, _key: ObjectKey) -> Copied | None:
        return None


@dataclass
class Server:
    """Has what the store has, but for what the store has not heard of yet; a GET may fail."""

    store: Store
    ahead: dict[tuple[str, str], Manifest | None] = field(default_factory=dict)
    """By kind and name; None for what is gone."""
    error: ApiError | None = None
    asked: list[Ref] = field(default_factory=list)

    async def get(self, ref: Ref) -> Manifest | None:
        self.asked.append(ref)
        if self.error is not None:
            raise self.error
        if (ref.kind, ref.name) in self.ahead:
            return self.ahead[ref.kind, ref.name]
        return self.store.get(ref.kind, ref.namespace, ref.name)


@dataclass
class Stage:
    """A reconciler of everything that makes a grant allowed."""

    writes: Writes = field(default_factory=Writes)
    copier: Copier = field(default_factory=Copier)
    store: Store = field(default_factory=lambda: Store(INDEXES))
    clock: float = 0.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.keep(*holders.granted())
        self.server = Server(self.store)
        self.reconciler = ObjectReconciler(
            observer=Observer(self.store, worlds.POLICY),
            applier=cast("Applier", self.writes),
            freshness=Freshness(cast("KubeApi", self.server), self.store, lambda _: None),
            events=cast("EventSink", Silent()),
            outbox=Outbox({}, lambda _: None, Metrics()),
            policy_now=lambda: worlds.POLICY,
            settle=SECOND,
            monotonic=self.time,
            copier=cast("CredentialsCopier", self.copier),
        )

    def time(self) -> float:
        self.clock += self.cost
        return self.clock

    def keep(self, *objects: Manifest) -> None:
        for obj in objects:
            self.store.upsert(slim(obj))


@pytest.mark.parametrize("transient", [True, False])
async def test_what_stands_in_the_way_is_said_and_looked_at_again(transient: bool) -> None:
    stage = Stage(Writes(("NameCollision", transient)))
    result = await stage.reconciler.reconcile(GRANT, NOW)
    (status,) = stage.writes.statuses
    said = {one["type"]: one["reason"] for one in status["conditions"]}
    if transient:
        assert result.error is not None
        assert said["Reconciling"] == "ProgressingWithRetry"
    else:
        assert result.error is None, "haste would not help"
        assert result.next_at == NOW + RETRY_FOREIGN
        assert said["Stalled"] == "NameCollision"


async def test_what_is_undone_each_time_is_no_haste() -> None:
    stage = Stage()
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is not None
    assert "undone each time" in result.error
    made = [one for one in stage.writes.asked if isinstance(one, Create)]
    assert 0 < len(made) <= ROUNDS * 4
    assert len(stage.writes.statuses) == 1


async def test_when_credentials_cannot_be_asked_for_the_rest_is_done_all_the_same() -> None:
    stage = Stage(Writes(("NameCollision", False)), Copier(error=Transient(503, "Unavailable", "no")))
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is not None
    assert "cannot copy credentials" in result.error
    assert stage.writes.statuses
    due = Stage(Writes(("NameCollision", False)), Copier(at=NOW + SECOND))
    assert (await due.reconciler.reconcile(GRANT, NOW)).next_at == NOW + SECOND


async def test_what_is_gone_needs_nothing() -> None:
    stage = Stage()
    for kind in ("WebServiceGrant", "WebService", "AgentAssignment", "ConnectionTest"):
        result = await stage.reconciler.reconcile(ObjectKey(kind, HOLDER, "nobody"), NOW)
        assert (result.next_at, result.error) == (None, None)
    assert not stage.writes.asked


async def test_a_web_service_counts_seldom_and_closes_at_once() -> None:
    stage = Stage(Writes(("Forbidden", False)))
    await stage.reconciler.reconcile(WEB_SERVICE, NOW)
    walls = [one for one in stage.writes.asked if isinstance(one, Create)]
    assert [target_of(one).kind for one in walls] == ["NetworkPolicy"]
    stage.writes.asked.clear()
    paused = await stage.reconciler.reconcile(WEB_SERVICE, NOW + SECOND)
    assert paused.next_at == NOW + PAUSE
    assert not stage.writes.asked
    moved = holders.backend(spec={"selector": {"app": "another"}}, metadata={"resourceVersion": "2"})
    stage.keep(moved)
    await stage.reconciler.reconcile(WEB_SERVICE, NOW + SECOND)
    (closed,) = [one for one in stage.writes.asked if isinstance(one, Create)]
    assert closed.manifest["spec"]["podSelector"]["matchLabels"] == {"app": "another"}
    stage.writes.asked.clear()
    edited = merged(
        holders.web_service(spec={"isolation": "Observe"}),
        {"metadata": {"resourceVersion": "2", "generation": 2}},
    )
    stage.keep(edited)
    await stage.reconciler.reconcile(WEB_SERVICE, NOW + SECOND)
    assert stage.writes.statuses, "another spec is looked at at once"


async def test_what_failed_is_tried_again_at_the_pace_of_its_failures() -> None:
    """A look that a pause put off would count as one that went well."""
    stage = Stage(Writes(("Unavailable", True)))
    for wait in range(3):
        result = await stage.reconciler.reconcile(WEB_SERVICE, NOW + wait * SECOND / 4)
        assert result.error is not None


async def test_one_that_takes_long_to_count_rests_longer() -> None:
    stage = Stage(Writes(("Forbidden", False)), cost=1.0)
    await stage.reconciler.reconcile(WEB_SERVICE, NOW)
    paused = await stage.reconciler.reconcile(WEB_SERVICE, NOW + SECOND)
    assert paused.next_at == NOW + 10 * SECOND


async def test_customers_are_counted_seldom_and_an_end_is_seen_at_once() -> None:
    stage = Stage()
    stage.keep(holders.assignment(), holders.grant("evry", spec={"agent": {"assignment": "evry"}}))
    assert (await stage.reconciler.reconcile(ASSIGNMENT, NOW)).next_at != NOW + PAUSE
    assert len(stage.writes.statuses) == 1
    paused = await stage.reconciler.reconcile(ASSIGNMENT, NOW + SECOND)
    assert (paused.next_at, len(stage.writes.statuses)) == (NOW + PAUSE, 1)
    newer = {"metadata": {"resourceVersion": "2", "generation": 2}, "spec": {"validUntil": "2026-10-01"}}
    stage.keep(merged(holders.grant("evry", spec={"agent": {"assignment": "evry"}}), newer))
    await stage.reconciler.reconcile(ASSIGNMENT, NOW + SECOND)
    assert len(stage.writes.statuses) == 2, "the agent's connection ends"
    stage.keep(holders.assignment(spec={"customers": []}, metadata=newer["metadata"]))
    await stage.reconciler.reconcile(ASSIGNMENT, NOW + SECOND)
    assert len(stage.writes.statuses) == 3, "another spec"


@pytest.mark.parametrize("cost, rest", [(0.0, PAUSE), (60.0, LONGEST)], ids=["few", "very many"])
async def test_a_customer_who_leaves_by_itself_is_one_until_they_are_counted_anew(
    cost: float, rest: timedelta
) -> None:
    """What docs/authorizer.md says of it: the authorizer goes by this status."""
    stage = Stage(cost=cost)
    ogre, registration = asking.customer()
    stage.keep(*asking.agent_in_order(), ogre, registration)
    await stage.reconciler.reconcile(ASSIGNMENT, NOW)
    assert stage.writes.statuses[-1]["activeCustomers"] == [asking.OGRE]
    stage.keep(merged(ogre, {"metadata": {"resourceVersion": "2"}, "spec": {"uses": []}}))
    paused = await stage.reconciler.reconcile(ASSIGNMENT, NOW + SECOND)
    assert (paused.next_at, len(stage.writes.statuses)) == (NOW + rest, 1)
    await stage.reconciler.reconcile(ASSIGNMENT, NOW + rest)
    assert not stage.writes.statuses[-1].get("activeCustomers")


async def test_a_grant_that_cannot_be_read_is_stalled_and_closes_nothing() -> None:
    stage = Stage()
    stage.keep(merged(holders.grant(), {"metadata": {"resourceVersion": "2"}, "spec": {"webService": 7}}))
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is None
    (status,) = stage.writes.asked
    assert isinstance(status, SetStatus)
    assert {one["type"] for one in status.status["conditions"]} >= {"Stalled"}


LATER = {"metadata": {"resourceVersion": "9"}}
UNSEEN: dict[str, Manifest | None] = {
    "refused": merged(holders.grant(spec={"refused": {"reason": "no legal ground"}}), LATER),
    "deleted": None,
    "handed over": merged(holders.namespace(), {"metadata": {"labels": {"eservice.dev/institution": "1"}}}),
    "retired": merged(
        holders.web_service(spec={"contracts": [{"version": "v5", "endOfLife": "2026-01-31"}]}), LATER
    ),
    "revoked": merged(holders.connection_test(revoked={"at": "2026-10-01", "reason": "a mistake"}), LATER),
}
"""What the watch has not told yet."""


def in_production(stage: Stage) -> None:
    """Nothing but a ConnectionTest shows that the connection was tested."""
    known = stage.store.get("WebServiceGrant", holders.HOLDER_TEST, "address")
    assert known is not None
    stage.store.delete(merged(known, LATER))
    stage.keep(holders.connection_test())


@pytest.mark.parametrize("what", UNSEEN)
async def test_what_the_store_has_not_heard_of_opens_nothing(what: str) -> None:
    stage, unseen = Stage(), UNSEEN[what]
    in_production(stage)
    changed = holders.grant() if unseen is None else merged(unseen, LATER)
    stage.server.ahead[changed["kind"], changed["metadata"]["name"]] = None if unseen is None else changed
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is None
    assert not [one for one in stage.writes.asked if not isinstance(one, SetStatus)]


async def test_what_is_as_it_was_decided_on_opens_after_one_look_at_each() -> None:
    stage = Stage(Writes(("NameCollision", False)))
    in_production(stage)
    await stage.reconciler.reconcile(GRANT, NOW)
    assert [one for one in stage.writes.asked if not isinstance(one, SetStatus)]
    kinds = [ref.kind for ref in stage.server.asked]
    assert sorted(kinds) == ["ConnectionTest", "Namespace", "WebService", "WebServiceGrant"]


NOT_THE_HOLDERS = {"metadata": {"labels": {"eservice.dev/institution": "1"}}}
WITHDRAWN: dict[str, Manifest | None] = {
    "gone": None,
    "handed over": merged(merged(holders.namespace(holders.HOLDER_TEST, "test"), NOT_THE_HOLDERS), LATER),
}
"""What the watch has not told yet of the namespace where it was tested."""


@pytest.mark.parametrize("what", WITHDRAWN)
async def test_a_test_counts_where_it_was_passed_as_that_is_now(what: str) -> None:
    stage = Stage()
    stage.server.ahead["Namespace", holders.HOLDER_TEST] = WITHDRAWN[what]
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is None
    assert not [one for one in stage.writes.asked if not isinstance(one, SetStatus)]


async def test_the_web_service_where_it_was_tested_is_looked_at_too() -> None:
    stage = Stage(Writes(("NameCollision", False)))
    await stage.reconciler.reconcile(GRANT, NOW)
    asked = [(ref.kind, ref.namespace or ref.name) for ref in stage.server.asked]
    of_each = ("WebService", "Namespace", "WebServiceGrant")
    assert sorted(asked) == sorted((kind, at) for kind in of_each for at in (HOLDER, holders.HOLDER_TEST))


async def test_when_it_cannot_be_asked_nothing_opens_and_it_is_tried_again() -> None:
    stage = Stage()
    stage.server.error = Transient(503, "Unavailable", "no")
    result = await stage.reconciler.reconcile(GRANT, NOW)
    assert result.error is not None
    assert "cannot confirm" in result.error
    assert not stage.writes.asked


async def test_what_only_closes_waits_for_no_look() -> None:
    stage = Stage()
    stage.server.error = Transient(503, "Unavailable", "no")
    metadata = holders.grant()["metadata"]
    owner = Owner(HOLDER, "address", metadata["uid"], "WebServiceGrant")
    role = owner.child("rbac.authorization.k8s.io/v1", "Role", "grant.address", {"rules": []})
    stage.keep(merged(role, {"metadata": {"uid": "uid-role", "resourceVersion": "5"}}))
    stage.keep(merged(holders.grant(spec={"refused": {"reason": "no"}}), LATER))
    await stage.reconciler.reconcile(GRANT, NOW)
    assert [target_of(one).kind for one in stage.writes.asked if isinstance(one, Delete)][:1] == ["Role"]
    assert not stage.server.asked
