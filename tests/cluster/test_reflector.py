# SPDX-License-Identifier: Apache-2.0
"""The store stays like the cluster through everything that happens to lists and watches."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from eservice_operator.api.names import MANAGED_BY_LABEL, MANAGER
from eservice_operator.cluster import reflector as reflecting
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Forbidden
from eservice_operator.cluster.reflector import Reflector
from eservice_operator.cluster.resources import resource_of
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest, ref_of
from tests.support.fault_proxy import Fault, FaultProxy, FrameFault, Seen
from tests.support.objects import deployment, service_account
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

OURS = f"{MANAGED_BY_LABEL}={MANAGER}"
GONE: Manifest = {
    "type": "ERROR",
    "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflecting, "BACKOFF", (0.01, 0.1))


@asynccontextmanager
async def running(reflector: Reflector) -> AsyncIterator[None]:
    task = asyncio.create_task(reflector.run())
    try:
        yield
    finally:
        assert not task.done(), "nothing ends a reflector"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def reflector_of(
    api: KubeApi, store: Store, namespace: str, on_change: Callable[[Change], None], **more: Any
) -> Reflector:
    resource = resource_of("ServiceAccount")
    return Reflector(api, resource, store, on_change, label_selector=OURS, namespaces=[namespace], **more)


def names(store: Store, kind: str = "ServiceAccount") -> set[str]:
    return {obj["metadata"]["name"] for obj in store.all(kind)}


def lists(proxy: FaultProxy) -> list[Seen]:
    return [one for one in proxy.seen if one.method == "GET" and not one.watch]


async def test_it_lists_then_watches(
    api: KubeApi, store: Store, changes: list[Change], namespace: str
) -> None:
    await api.create(service_account(namespace, "before"))
    await api.create(
        {**service_account(namespace, "foreign"), "metadata": {"name": "foreign", "namespace": namespace}}
    )
    reflector = reflector_of(api, store, namespace, changes.append)
    assert reflector.listed_at is None
    assert not store.synced("ServiceAccount")
    async with running(reflector):
        await eventually(lambda: store.synced("ServiceAccount"))
        assert names(store) == {"before"}
        made = await api.create(service_account(namespace, "after"))
        await eventually(lambda: names(store) == {"before", "after"})
        await api.apply(
            service_account(namespace, "after") | {"automountServiceAccountToken": True},
            field_manager=MANAGER,
            force=True,
        )
        await eventually(
            lambda: any(obj.get("automountServiceAccountToken") for obj in store.all("ServiceAccount"))
        )
        await api.delete(ref_of(made), uid=made["metadata"]["uid"])
        await eventually(lambda: names(store) == {"before"})
    assert [(change.key.name, change.before is None, change.after is None) for change in changes] == [
        ("before", True, False),
        ("after", True, False),
        ("after", False, False),
        ("after", False, True),
    ]
    assert reflector.listed_at is not None


async def test_start_up_lists_once_and_run_goes_on_from_there(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, changes: list[Change], namespace: str
) -> None:
    reflector = reflector_of(faulty_api, store, namespace, changes.append)
    await reflector.sync()
    assert store.synced("ServiceAccount")
    async with running(reflector):
        await eventually(lambda: proxy.watching == 1)
        await faulty_api.create(service_account(namespace))
        await eventually(lambda: names(store) == {"web"})
    assert len(lists(proxy)) == 1


async def test_start_up_hears_that_the_list_cannot_be_had(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, changes: list[Change], namespace: str
) -> None:
    refused = json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"})
    proxy.faults.append(Fault(lambda _: True, answer=(403, {}, refused)))
    with pytest.raises(Forbidden):
        await reflector_of(faulty_api, store, namespace, changes.append).sync()
    assert not store.synced("ServiceAccount")


async def test_deletions_in_a_gap_are_found_after_410(
    api: KubeApi,
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    changes: list[Change],
    namespace: str,
) -> None:
    """What kopf's indexes keep for good: an object deleted while the watch could not tell."""
    kept = await api.create(service_account(namespace, "kept"))
    lost = await api.create(service_account(namespace, "lost"))
    async with running(reflector_of(faulty_api, store, namespace, changes.append)):
        await eventually(lambda: proxy.watching == 1)
        proxy.hidden = {"lost", "made"}
        await api.delete(ref_of(lost), uid=lost["metadata"]["uid"])
        await api.create(service_account(namespace, "made"))
        marker = await api.create(service_account(namespace, "marker"))
        await eventually(lambda: "marker" in names(store))
        assert names(store) == {"kept", "lost", "marker"}
        await proxy.end_watches(GONE)
        await eventually(lambda: names(store) == {"kept", "made", "marker"})
        await eventually(lambda: proxy.watching == 1)
        proxy.hidden = set()
        await api.delete(ref_of(marker), uid=marker["metadata"]["uid"])
        await eventually(lambda: names(store) == {"kept", "made"})
    assert [change.key.name for change in changes if change.after is None] == ["lost", "marker"]
    known = store.get("ServiceAccount", namespace, "kept")
    assert known is not None
    assert known["metadata"]["uid"] == kept["metadata"]["uid"]
    assert len(lists(proxy)) == 2


async def test_a_version_from_before_the_memory_of_the_api_server(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    """The real answer to such a watch: a 410, or all events since where its cache still reaches that far.

    Which of them depends on how much was written since it started; nothing may be missed either way.
    """
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None)
    await reflector.sync()
    reflector._versions[namespace] = "1"
    await faulty_api.create(service_account(namespace))
    async with running(reflector):
        await eventually(lambda: names(store) == {"web"})
        await eventually(lambda: proxy.watching == 1)
    watches = [one.query["resourceVersion"] for one in proxy.seen if one.watch]
    assert watches[0] == "1"
    assert len(lists(proxy)) == len(watches), "each refused watch is followed by a list, and only those are"


@pytest.mark.parametrize("how", ["ended", "cut", "error frame"])
async def test_a_watch_goes_on_where_it_broke(
    api: KubeApi,
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    changes: list[Change],
    namespace: str,
    how: str,
) -> None:
    overload = {"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd is away"}}
    async with running(reflector_of(faulty_api, store, namespace, changes.append)):
        await eventually(lambda: proxy.watching == 1)
        await api.create(service_account(namespace, "first"))
        await eventually(lambda: names(store) == {"first"})
        match how:
            case "ended":
                await proxy.end_watches()
            case "cut":
                proxy.cut_watches()
            case _:
                await proxy.end_watches(overload)
        await eventually(lambda: len([one for one in proxy.seen if one.watch]) > 1)
        await api.create(service_account(namespace, "second"))
        await eventually(lambda: names(store) == {"first", "second"})
    assert len(lists(proxy)) == 1, "no event was missed, so nothing is listed again"


async def test_a_silent_watch_is_given_up(proxy: FaultProxy, store: Store, namespace: str) -> None:
    """A live one brings bookmarks. One silence may be the network's; after a second it lists again."""
    async with (
        KubeApi(proxy.configuration(), inactivity=0.2) as deaf,
        running(reflector_of(deaf, store, namespace, lambda _: None)),
    ):
        await eventually(lambda: len(lists(proxy)) >= 2)
    assert [one.watch for one in proxy.seen[:4]] == [False, True, True, False]


async def test_what_happens_while_a_watch_is_half_open_comes_with_the_next(
    api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    """Open, without an error, and nothing comes: after the silence the next one begins where it began."""
    proxy.faults.append(Fault(lambda request: request.watch, half_open=True))
    async with (
        KubeApi(proxy.configuration(), inactivity=0.3) as deaf,
        running(reflector_of(deaf, store, namespace, lambda _: None)),
    ):
        await eventually(lambda: proxy.watching == 1)
        await api.create(service_account(namespace))
        await eventually(lambda: names(store) == {"web"})
    assert [one.watch for one in proxy.seen[:3]] == [False, True, True], "it was a watch that told"


async def test_without_bookmarks_nothing_is_missed(
    api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    """They only say how far a watch has come: without them the next one begins earlier."""
    proxy.frames.append(FrameFault(lambda _, frame: frame["type"] == "BOOKMARK"))
    async with (
        KubeApi(proxy.configuration(), watch_seconds=(5, 5)) as short,
        running(reflector_of(short, store, namespace, lambda _: None)),
    ):
        await eventually(lambda: proxy.met["dropped"] and len([one for one in proxy.seen if one.watch]) > 1)
        began = {one.query["resourceVersion"] for one in proxy.seen if one.watch}
        assert len(began) == 1, "none of them got any further"
        await api.create(service_account(namespace))
        await eventually(lambda: names(store) == {"web"})
    assert len(lists(proxy)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (503, {"Retry-After": "0"}, "<html>a load balancer's page</html>"),
        (403, {}, json.dumps({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "not yet"})),
        (200, {}, "this is no JSON"),
        (200, {}, "{}"),
    ],
    ids=["503", "403", "garbage", "another document"],
)
async def test_it_outlives_a_start_with_errors(
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    namespace: str,
    answer: tuple[int, dict[str, str], str],
) -> None:
    proxy.faults.append(Fault(lambda request: not request.watch, times=5, answer=answer))
    async with running(reflector_of(faulty_api, store, namespace, lambda _: None)):
        await eventually(lambda: store.synced("ServiceAccount"))
        await faulty_api.create(service_account(namespace))
        await eventually(lambda: names(store) == {"web"})


async def test_no_number_of_failures_in_a_row_ends_it(api: KubeApi, store: Store) -> None:
    reflector = Reflector(api, resource_of("Namespace"), store, lambda _: None, longest_pause=0.0)
    for failures in (1, 33, 2_000):
        await reflector._pause(failures)


async def test_a_restored_database_is_believed(
    api: KubeApi, proxy: FaultProxy, store: Store, changes: list[Change], namespace: str
) -> None:
    """We know versions that the API server has not reached: a LIST shows that time went back."""
    ahead = 10**9
    await api.create(service_account(namespace, "older"))
    async with KubeApi(proxy.configuration(), inactivity=0.2) as client:
        reflector = reflector_of(client, store, namespace, changes.append)
        await reflector.sync()
        for name in ("older", "never-was"):
            obj = slim(service_account(namespace, name))
            obj["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(ahead)}
            store.upsert(obj)
        reflector._heard(namespace, str(ahead))
        changes.clear()
        async with running(reflector):
            await eventually(lambda: names(store) == {"older"})
            await api.create(service_account(namespace, "newer"))
            await eventually(lambda: names(store) == {"older", "newer"})
    assert {(change.key.name, change.after is None) for change in changes} == {
        ("never-was", True),
        ("older", False),
        ("newer", False),
    }


async def test_a_resync_repairs_what_no_event_told(
    api: KubeApi,
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    changes: list[Change],
    namespace: str,
) -> None:
    for name in ("removed", "stale", "ghost", "fine"):
        await api.create(service_account(namespace, name))
    reflector = reflector_of(faulty_api, store, namespace, changes.append, watch=False)
    await reflector.sync()
    fresh = {obj["metadata"]["name"]: obj for obj in store.all("ServiceAccount")}
    await api.apply(
        service_account(namespace, "stale") | {"automountServiceAccountToken": True},
        field_manager=MANAGER,
        force=True,
    )
    await api.delete(ref_of(fresh["ghost"]), uid=fresh["ghost"]["metadata"]["uid"])
    store._shelf("ServiceAccount").objects.clear()
    for name in ("stale", "ghost", "fine"):
        store.upsert(fresh[name])
    changes.clear()
    proxy.log.clear()
    await reflector._compare(namespace)
    assert names(store) == {"removed", "stale", "fine"}
    repaired = {change.key.name: change for change in changes}
    assert set(repaired) == {"removed", "stale", "ghost"}
    assert repaired["ghost"].after is None
    stale = store.get("ServiceAccount", namespace, "stale")
    assert stale is not None
    assert stale["automountServiceAccountToken"] is True
    assert [one.path.rpartition("/")[2] for one in proxy.seen] == ["serviceaccounts", "removed", "stale"]
    assert "PartialObjectMetadataList" in proxy.seen[0].headers["Accept"]


async def test_a_resync_with_many_differences_lists_in_full(
    api: KubeApi,
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reflecting, "FETCH_AT_MOST", 2)
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None, watch=False)
    await reflector.sync()
    for name in ("a", "b", "c"):
        await api.create(service_account(namespace, name))
    proxy.log.clear()
    await reflector._compare(namespace)
    assert names(store) == {"a", "b", "c"}
    assert len(proxy.seen) == 2


async def test_an_object_deleted_during_a_resync_is_gone(
    api: KubeApi, faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    made = await api.create(service_account(namespace))
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None, watch=False)
    await reflector.sync()
    await api.apply(
        service_account(namespace) | {"automountServiceAccountToken": True}, field_manager=MANAGER, force=True
    )
    missing = json.dumps({"kind": "Status", "code": 404, "reason": "NotFound", "message": "gone"})
    proxy.faults.append(Fault(lambda request: request.path.endswith("/web"), answer=(404, {}, missing)))
    await reflector._compare(namespace)
    assert names(store) == set()
    await api.delete(ref_of(made), uid=made["metadata"]["uid"])


async def test_the_resync_comes_by_itself(
    faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None, resync=0.05)
    async with running(reflector):
        await eventually(lambda: len(lists(proxy)) >= 4)
        await eventually(lambda: proxy.watching == 1)
        proxy.hidden = {"unseen"}
        await faulty_api.create(service_account(namespace, "unseen"))
        await eventually(lambda: names(store) == {"unseen"})


async def test_whoever_asks_for_a_list_gets_it_before_its_time(
    api: KubeApi, faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    made = await api.create(service_account(namespace))
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None, watch=False)
    await reflector.sync()
    async with running(reflector):
        await api.delete(ref_of(made), uid=made["metadata"]["uid"])
        reflector.look_again()
        await eventually(lambda: names(store) == set())
        assert len(lists(proxy)) == 2, "asked once, listed once"


async def test_who_asks_for_lists_without_end_waits_for_each_a_moment(
    faulty_api: KubeApi,
    proxy: FaultProxy,
    store: Store,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when an API server leaves out in each list what is seen elsewhere again and again."""
    pause = 0.5
    monkeypatch.setattr(reflecting, "BETWEEN_LISTS", pause)
    reflector = reflector_of(faulty_api, store, namespace, lambda _: None, watch=False, resync=3600)
    await reflector.sync()
    began = time.monotonic()

    def listed() -> bool:
        reflector.look_again()
        return len(lists(proxy)) >= 4

    async with running(reflector):
        await eventually(listed, "three lists that were asked for")
    assert time.monotonic() - began >= 3 * pause


async def test_who_does_not_listen_well_does_not_stop_it(
    api: KubeApi, store: Store, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def on_change(change: Change) -> None:
        told.append(change.key.name)
        raise RuntimeError("a mistake in whoever listens")

    for name in ("a", "b"):
        await api.create(service_account(namespace, name))
    async with running(reflector_of(api, store, namespace, on_change)):
        await eventually(lambda: len(told) == 2)
        await api.create(service_account(namespace, "c"))
        await eventually(lambda: len(told) == 3)
    assert sorted(told) == ["a", "b", "c"]
    assert caplog.text.count("a mistake in whoever listens") >= 3


async def test_our_own_write_is_not_announced_again(
    api: KubeApi, store: Store, changes: list[Change], namespace: str
) -> None:
    reflector = reflector_of(api, store, namespace, changes.append)
    await reflector.sync()
    assert store.upsert(slim(await api.create(service_account(namespace))))
    async with running(reflector):
        await api.create(service_account(namespace, "next"))
        await eventually(lambda: "next" in names(store))
    assert [change.key.name for change in changes] == ["next"]


async def test_foreign_writers_are_seen(
    api: KubeApi, store: Store, changes: list[Change], namespace: str
) -> None:
    resource = resource_of("Deployment")
    reflector = Reflector(api, resource, store, changes.append, label_selector=OURS, namespaces=[namespace])
    async with running(reflector):
        made = await api.create(deployment(namespace))
        await eventually(lambda: names(store, "Deployment") == {"web"})
        await api.json_patch(
            ref_of(made),
            [{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": True}],
            field_manager="kubectl-edit",
        )

        def foreign() -> Any:
            known = store.get("Deployment", namespace, "web")
            return known and known["foreignManagers"]

        assert await eventually(foreign) == ["kubectl-edit"]


async def test_several_namespaces_are_several_watches(
    api: KubeApi, faulty_api: KubeApi, proxy: FaultProxy, store: Store, namespace: str
) -> None:
    resource = resource_of("ServiceAccount")
    scopes = [namespace, "default"]
    reflector = Reflector(faulty_api, resource, store, lambda _: None, label_selector=OURS, namespaces=scopes)
    async with running(reflector):
        await eventually(lambda: proxy.watching == 2)
        await eventually(lambda: store.synced("ServiceAccount"))
        await api.create(service_account(namespace))
        await eventually(lambda: names(store) == {"web"})
    assert {one.path for one in lists(proxy)} == {
        f"/api/v1/namespaces/{scope}/serviceaccounts" for scope in scopes
    }


async def test_a_cluster_scoped_resource_knows_no_namespaces(
    api: KubeApi, store: Store, namespace: str
) -> None:
    reflector = Reflector(api, resource_of("Namespace"), store, lambda _: None, namespaces=[namespace])
    await reflector.sync()
    assert {namespace, "default"} <= names(store, "Namespace")


async def test_a_missing_kind_is_an_answer(api: KubeApi, store: Store) -> None:
    missing = resource_of("EService")._replace(plural="nonsenses")
    with pytest.raises(ApiError):
        await Reflector(api, missing, store, lambda _: None).sync()
