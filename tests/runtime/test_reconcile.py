# SPDX-License-Identifier: Apache-2.0
"""What the shell makes of what is rare on a real API server: refusals, quarrels, unreadable objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

from typing_extensions import override

from eservice_operator.api.notices import Audience, Channel, NoticeKind
from eservice_operator.cluster.apply import OUTDATED, Applier
from eservice_operator.cluster.credentials_copy import CredentialsCopier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.freshness import Freshness
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.actions import (
    Action,
    Delete,
    Failure,
    Manifest,
    Outcome,
    Ref,
    SetFinalizer,
    SetStatus,
    target_of,
)
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.core.policy import Policy
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import Outbox
from eservice_operator.runtime.reconcile import ObjectReconciler
from eservice_operator.runtime.retries import ROUNDS
from eservice_operator.runtime.writing import PATIENCE
from tests.runtime.clocks import breathe
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.waiting import eventually

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
    async def confirm(self, _decision: object, _looks: object) -> bool:
        return True


class Post:
    """A channel that takes everything."""

    abreast = 4

    def __init__(self) -> None:
        self.sent: list[Letter] = []

    async def send(self, letter: Letter) -> Delivery:
        self.sent.append(letter)
        return Delivery(accepted=True, at=worlds.NOW)

    async def close(self) -> None:
        pass


def reconciler(
    writes: Writes,
    *objects: Manifest,
    outbox: Outbox | None = None,
    events: EventSink | None = None,
    policy: Policy = worlds.POLICY,
) -> ObjectReconciler:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(obj)
    return ObjectReconciler(
        observer=Observer(store, worlds.POLICY),
        applier=cast("Applier", writes),
        freshness=cast("Freshness", Sure()),
        events=cast("EventSink", events),
        outbox=outbox or Outbox({}, lambda _: None, Metrics()),
        policy_now=lambda: policy,
        settle=timedelta(seconds=1),
        monotonic=lambda: 0.0,
        copier=cast("CredentialsCopier", None),
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


class Corrected(Writes):
    """The first write is refused for good; by the time that it is said, somebody has corrected the spec."""

    def __init__(self, corrected: Manifest) -> None:
        super().__init__()
        self.store = Store(INDEXES)
        self._corrected = corrected

    @override
    async def run(self, actions: Sequence[Action]) -> Outcome:
        if not self.asked:
            self.asked += actions
            self.store.upsert(self._corrected)
            return Outcome((), Failure(actions[0], "Rejected", "not like this", transient=False))
        return await super().run(actions)


async def test_what_an_older_spec_was_refused_is_not_said_of_the_newer_one() -> None:
    cluster = PureCluster()
    cluster.put(worlds.template(), worlds.registration(), worlds.act(), worlds.verification())
    cluster.put(worlds.eservice())
    cluster.settle(worlds.NOW)
    objects = at_rest(cluster)
    good = next(obj for obj in objects if obj["kind"] == "EService")
    greedy = worlds.merged(
        good, {"metadata": {"generation": 2, "resourceVersion": "2"}, "spec": {"workload": {"replicas": 5}}}
    )
    corrected = worlds.merged(good, {"metadata": {"generation": 3, "resourceVersion": "3"}})
    writes = Corrected(corrected)
    service = reconciler(writes, *(obj for obj in objects if obj is not good), greedy)
    writes.store = service.observer._store
    result = await service.reconcile(SERVICE, worlds.NOW)
    assert result.error is None
    (status,) = (one.status for one in writes.asked if isinstance(one, SetStatus))
    assert status["observedGeneration"] == 3
    assert "Stalled" not in {one["type"] for one in status["conditions"]}


async def test_an_eservice_of_which_nothing_can_be_read_can_be_deleted() -> None:
    going = worlds.eservice(
        metadata={"deletionTimestamp": "2026-10-13T08:00:00Z", "finalizers": ["eservice.dev/route"]},
        spec={"registration": "No Name"},
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


def at_rest(cluster: PureCluster) -> list[Manifest]:
    """Everything in a cluster, as a store has it."""
    return [worlds.merged(body, {"metadata": {"resourceVersion": "1"}}) for body in cluster.objects.values()]


async def test_an_eservice_that_cannot_be_read_leaves_the_public_route_at_its_instant() -> None:
    cluster, known, due = PureCluster(), worlds.at("2027-02-01"), worlds.at("2027-06-01", "00:00")
    versions = (*worlds.VERSIONS, worlds.NEXT_VERSION)
    cluster.put(worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice())
    cluster.put(worlds.template())
    cluster.settle(worlds.NOW)
    cluster.put(worlds.template(versions))
    cluster.edit_service(workload={"port": 99_999})
    cluster.settle(known)
    quiet = Writes()
    result = await reconciler(quiet, *at_rest(cluster)).reconcile(SERVICE, known)
    assert not quiet.asked, "the status says it all already"
    decision = cluster.settle(known)
    assert decision is not None
    assert (result.error, result.next_at) == (None, decision.next_at)

    cluster.advance(known, due - timedelta(seconds=1))
    writes, told = Writes(), cast("EventSink", Told())
    await reconciler(writes, *at_rest(cluster), events=told).reconcile(SERVICE, due)
    decided, taken = writes.asked[:2]
    assert isinstance(decided, SetStatus)
    assert decided.status["state"] == "Effective"
    assert isinstance(taken, Delete)
    assert taken.ref.kind == "HTTPRoute"
    assert all(isinstance(action, SetStatus | Delete) for action in writes.asked)
    assert {str(target_of(action).kind) for action in writes.asked} == {
        "UnpublishDecision",
        "HTTPRoute",
        "EService",
    }


async def test_a_status_that_is_refused_delays_no_deadline() -> None:
    """The key comes back after its backoff, which may be minutes, and at the instant, whichever is first."""
    cluster, known = PureCluster(), worlds.at("2027-02-01")
    cluster.put(worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice())
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    decision = cluster.settle(known)
    assert decision is not None
    assert decision.next_at is not None
    objects = at_rest(cluster)
    (service,) = (obj for obj in objects if obj["kind"] == "EService")
    service["status"].pop("history", None)
    service["status"]["observedGeneration"] = 0
    writes = Writes(statuses=False)
    result = await reconciler(writes, *objects).reconcile(SERVICE, known)
    assert [type(action) for action in writes.asked] == [SetStatus]
    assert (result.error, result.next_at) == (FORBIDDEN, decision.next_at)


class Interfered(Writes):
    """Somebody writes each status just before it is written here."""

    @override
    async def run(self, actions: Sequence[Action]) -> Outcome:
        self.asked += actions
        if isinstance(actions[0], SetStatus) and actions[0].basis is not None:
            return Outcome((), Failure(actions[0], OUTDATED, "was written to meanwhile", transient=True))
        return Outcome(tuple(actions))


async def test_who_writes_a_status_without_end_keeps_nobody_from_being_told() -> None:
    key = ObjectKey("EServiceRegistration", "", worlds.NAME)
    post, channels = Post(), replace(worlds.POLICY, channels=((Channel.EMAIL, ""),))
    outbox = Outbox({Channel.EMAIL: post}, lambda _: None, Metrics())
    writes, told = Interfered(), cast("EventSink", Told())
    ours = reconciler(writes, *just_registered(), outbox=outbox, events=told, policy=channels)
    for _ in range(PATIENCE):
        result = await ours.reconcile(key, worlds.NOW)
        assert result.error is not None
        await breathe()
        assert post.sent == [], "what was written meanwhile is decided on first"
    assert (await ours.reconcile(key, worlds.NOW)).error is None
    again = await ours.reconcile(key, worlds.NOW)
    assert again.error is not None, "and then it is given way to again"
    await breathe()
    assert len(post.sent) == 2


async def test_of_what_is_gone_no_refused_writes_are_remembered() -> None:
    registration = just_registered()[0]
    going = (registration, worlds.template(), worlds.eservice(), worlds.act())
    ours = reconciler(Interfered(), *going)
    keys = [key_of(body) for body in going]
    for key in keys:
        await ours.reconcile(key, worlds.NOW)
    assert len(ours._writer._outdated) == len(going)
    for body in going:
        ours.observer._store.delete(body | {"metadata": body["metadata"] | {"resourceVersion": "9"}})
    for key in keys:
        await ours.reconcile(key, worlds.NOW)
    assert not ours._writer._outdated


class Told:
    """Takes every Event."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def publish(self, _ref: Ref, _uid: str, _type: str, reason: str, *_rest: str) -> None:
        self.reasons.append(reason)


def just_registered() -> tuple[Manifest, Manifest]:
    """A registration whose number was allocated, and says so nowhere yet."""
    registration = worlds.registration(status=None, spec={"namespaces": None})
    labels = {"eservice.dev/owner-uid": registration["metadata"]["uid"]}
    number = worlds.merged(
        worlds.act(), {"kind": "EServiceIdentifier", "metadata": {"name": "ep-000007", "labels": labels}}
    )
    return registration, number | {"spec": {"identifier": "EP-000007", "registration": worlds.NAME}}


async def test_nothing_is_sent_before_its_ledger_was_written() -> None:
    key = ObjectKey("EServiceRegistration", "", worlds.NAME)
    channels = replace(worlds.POLICY, channels=((Channel.EMAIL, ""),))
    for written in (False, True):
        post, told, woken = Post(), Told(), list[ObjectKey]()
        outbox = Outbox({Channel.EMAIL: post}, woken.append, Metrics())
        writes = Writes(statuses=written)
        result = await reconciler(
            writes, *just_registered(), outbox=outbox, events=cast("EventSink", told), policy=channels
        ).reconcile(key, worlds.NOW)
        assert (result.error is None) is written
        status = next(action.status for action in writes.asked if isinstance(action, SetStatus))
        assert [entry["state"] for entry in status["notices"]] == ["Sending"] * 2
        assert told.reasons == (["IdentifierAssigned"] if written else [])
        if written:
            await eventually(lambda: woken == [key], "the answers")  # noqa: B023 - at once
        await breathe()
        assert [letter.recipient for letter in post.sent] == (
            ["a@pmlp.example", "j@agency.example"] if written else []
        )
        assert [letter.id for letter in post.sent] == [entry["id"] for entry in status["notices"] if written]


async def test_answers_about_what_is_gone_are_forgotten() -> None:
    for kind, namespace in (
        ("EService", worlds.NAMESPACE),
        ("EServiceTemplate", ""),
        ("EServiceRegistration", ""),
    ):
        key, woken = ObjectKey(kind, namespace, "gone"), list[ObjectKey]()
        outbox = Outbox({Channel.EMAIL: Post()}, woken.append, Metrics())
        outbox.post(key, [letter_about("one")])
        await eventually(lambda: woken == [key], "the answer")  # noqa: B023 - at once
        await reconciler(Writes(), outbox=outbox).reconcile(key, worlds.NOW)
        await outbox.close()
        assert woken == [key], "nothing left to show"


def letter_about(id: str) -> Letter:  # noqa: A002 - what it is called
    return Letter(
        id=id,
        kind=NoticeKind.UNPUBLISHED,
        channel=Channel.EMAIL,
        recipient="a@pmlp.example",
        audience=Audience.INSTITUTION,
        at=worlds.NOW,
        source="EService pmlp-production/gone",
        uid="uid",
    )
