# SPDX-License-Identifier: Apache-2.0
"""The proxy on which all the faults are played: what each of them looks like to a plain client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientConnectorError, ClientPayloadError, ClientSession, ServerDisconnectedError

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, Ref
from tests.support.fault_proxy import Fault, FaultProxy, FrameFault, Seen, Treatment, fault_proxy
from tests.support.faults.asked import Target, target_of
from tests.support.faults.fault import Frame, emptied, gone, named, refused
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

MAPS = "/api/v1/namespaces/{}/configmaps"
ANSWERED = {"Content-Type": "application/json"}


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(await credentials.load(str(cluster.kubeconfig), None)) as running:
        yield running


@pytest.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[ClientSession]:
    async with ClientSession(proxy.url, headers={"User-Agent": "plain/1"}) as session:
        yield session


def config_map(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def writing(seen: Seen) -> bool:
    return seen.writes


def listing(seen: Seen) -> bool:
    return (seen.verb, seen.resource) == ("list", "configmaps")


def watching(seen: Seen) -> bool:
    return seen.watch


async def names(client: ClientSession, path: str) -> list[str]:
    async with client.get(path) as answer:
        return [item["metadata"]["name"] for item in (await answer.json())["items"]]


@asynccontextmanager
async def watched(client: ClientSession, path: str) -> AsyncIterator[list[Frame]]:
    """The events that come from now on, in their order."""
    async with client.get(path) as answer:
        since = (await answer.json())["metadata"]["resourceVersion"]
    events: list[Frame] = []

    async def follow() -> None:
        async with client.get(path, params={"watch": "true", "resourceVersion": since}) as stream:
            async for line in stream.content:
                events.append(json.loads(line))  # noqa: PERF401 - each as soon as it comes

    task = asyncio.create_task(follow())
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.wait({task})


def told(events: list[Frame]) -> list[tuple[str, str]]:
    """Types and names, but for the ConfigMap that every namespace is given at some time."""
    found = [(event["type"], event["object"].get("metadata", {}).get("name", "")) for event in events]
    return [one for one in found if one[1] != "kube-root-ca.crt"]


@pytest.mark.parametrize(
    "path, target",
    [
        ("/api/v1/namespaces/here/configmaps/one", Target("", "configmaps", "", "here", "one")),
        ("/api/v1/namespaces/here", Target("", "namespaces", "", "", "here")),
        ("/api/v1/namespaces/here/finalize", Target("", "namespaces", "finalize", "", "here")),
        ("/api/v1/namespaces", Target("", "namespaces")),
        ("/apis/g.example/v1/things/one/status", Target("g.example", "things", "status", "", "one")),
        ("/apis/g.example/v1/namespaces/here/things", Target("g.example", "things", "", "here")),
        ("/apis/g.example/v1", Target()),
        ("/apis", Target()),
        ("/version", Target()),
    ],
)
def test_a_path_says_what_a_request_is_about(path: str, target: Target) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize(
    "method, path, query, what",
    [
        ("GET", "/api/v1/pods", {}, "list pods"),
        ("GET", "/api/v1/pods", {"watch": "1"}, "watch pods"),
        ("GET", "/api/v1/namespaces/here/pods/one", {}, "get pods"),
        ("PATCH", "/api/v1/namespaces/here/pods/one/status", {}, "patch pods/status"),
        ("DELETE", "/api/v1/namespaces/here/pods", {}, "deletecollection pods"),
        ("GET", "/readyz", {}, "get /readyz"),
    ],
)
def test_a_request_is_called_what_the_audit_log_calls_it(
    method: str, path: str, query: dict[str, str], what: str
) -> None:
    assert Seen(method, path, query, {}).what == what


def test_a_fault_meets_as_many_as_it_says_after_as_many_as_it_spares() -> None:
    fault = Fault(writing, times=2, skip=1, drop=True)
    reads, writes = Seen("GET", "/api", {}, {}), Seen("POST", "/api", {}, {})
    assert [fault.meets(one) for one in (writes, reads, writes, writes, writes)] == [
        False,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.cluster
class TestRequests:
    async def test_every_request_is_on_the_record(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.faults = [Fault(writing, skip=1, lose_reply=True)]
        async with client.post(path, json=config_map("first")) as answer:
            assert answer.status == 201
        with pytest.raises(ServerDisconnectedError):
            await client.post(path, json=config_map("second"))
        async with client.get(f"{path}/missing"):
            pass
        first, second, third = proxy.log
        assert (first.seen.agent, first.seen.name, first.done, first.outcome) == (
            "plain/1",
            "first",
            "passed",
            "201",
        )
        assert (second.seen.what, second.done, second.outcome) == ("create configmaps", "reply lost", "none")
        assert (first.committed, second.committed, third.committed) == (True, True, False)
        assert third.outcome == "404"
        assert proxy.injected() == {"reply lost": 1}
        header, *lines = proxy.table().splitlines()
        assert header.split() == ["at", "actor", "what", "namespace/name", "done", "outcome", "seconds"]
        assert f"{namespace}/second" in lines[1]
        assert "none (201)" in lines[1]

    async def test_a_dropped_request_is_never_heard_of(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.faults = [Fault(writing, drop=True)]
        with pytest.raises(ServerDisconnectedError):
            await client.post(path, json=config_map("one"))
        assert "one" not in await names(client, path)

    async def test_a_reply_that_is_lost_was_given(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.faults = [Fault(writing, lose_reply=True)]
        with pytest.raises(ServerDisconnectedError):
            await client.post(path, json=config_map("one"))
        assert "one" in await names(client, path)

    async def test_an_answer_in_place_of_the_servers(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.faults = [Fault(writing, answer=(429, {"Retry-After": "7"}, "{}"))]
        async with client.post(path, json=config_map("one")) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert "one" not in await names(client, path)
        proxy.faults = [refused("/configmaps?limit=5", 503)]
        async with client.get(path, params={"limit": "5"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, 503)
        async with client.get(path) as answer:
            assert answer.status == 200

    async def test_somebody_else_writes_first(
        self, proxy: FaultProxy, client: ClientSession, api: KubeApi, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        rival = config_map("one", by="rival")
        rival["metadata"]["namespace"] = namespace
        proxy.faults = [Fault(writing, first=lambda _: api.create(rival))]
        async with client.post(path, json=config_map("one", by="us")) as answer:
            assert (answer.status, (await answer.json())["reason"]) == (409, "AlreadyExists")
        live = await api.get(Ref("v1", "ConfigMap", namespace, "one"))
        assert live is not None
        assert live["data"] == {"by": "rival"}

    async def test_what_comes_after_the_write_finds_it_done(
        self, proxy: FaultProxy, client: ClientSession, api: KubeApi, namespace: str
    ) -> None:
        found: list[Manifest | None] = []

        async def look(seen: Seen) -> None:
            found.append(await api.get(Ref("v1", "ConfigMap", seen.namespace, seen.name)))

        proxy.faults = [Fault(writing, first=look, then=look)]
        await client.post(MAPS.format(namespace), json=config_map("one"))
        assert [one is not None for one in found] == [False, True]

    async def test_a_delay_and_one_without_end(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path, may_go = MAPS.format(namespace), asyncio.Event()
        proxy.faults = [Fault(listing, delay=0.3), Fault(writing, until=may_go)]
        began = time.monotonic()
        await names(client, path)
        assert time.monotonic() - began >= 0.3
        write = asyncio.create_task(_status(client, path, config_map("one")))
        await eventually(lambda: proxy.seen[-1].writes, "it has arrived")
        assert "one" not in await names(client, path)
        may_go.set()
        assert await write == 201

    async def test_who_goes_away_has_written_nevertheless(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path, may_go = MAPS.format(namespace), asyncio.Event()
        proxy.faults = [Fault(writing, until=may_go)]
        write = asyncio.create_task(_status(client, path, config_map("one")))
        await eventually(lambda: any(one.writes for one in proxy.seen), "it has arrived")
        write.cancel()
        await asyncio.wait({write})
        may_go.set()

        async def there() -> bool:
            return "one" in await names(client, path)

        await eventually(there, "the write of nobody")

    async def test_a_list_that_breaks_off_one_that_is_slow_one_that_is_garbled_and_one_that_is_empty(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        await _status(client, path, config_map("one"))
        proxy.faults = [Fault(listing, cut=0.5)]
        with pytest.raises(ClientPayloadError):
            await names(client, path)
        assert proxy.log[-1].outcome == "none"
        proxy.faults = [Fault(listing, slow=0.3)]
        began = time.monotonic()
        assert "one" in await names(client, path)
        assert time.monotonic() - began >= 0.2, "in as many parts as the body has room for"
        proxy.faults = [Fault(listing, edit=lambda body: body[:-2])]
        with pytest.raises(ValueError, match="Expecting"):
            await names(client, path)
        proxy.faults = [Fault(listing, edit=emptied)]
        assert await names(client, path) == []
        assert "one" in await names(client, path)

    async def test_an_earlier_list_again(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        await _status(client, path, config_map("one"))
        proxy.recording = True
        before = await _version(client, path)
        proxy.recording = False
        await client.delete(f"{path}/one")
        await _status(client, path, config_map("two"))
        proxy.faults = [Fault(listing, times=2, replay=True)]
        assert "one" in await names(client, path)
        assert await _version(client, path) == before
        assert "two" in await names(client, path), "and then the truth"
        proxy.faults = [Fault(listing, replay=True)]
        assert "two" in await names(client, f"{path}?limit=500"), "this one was never recorded"

    async def test_the_date_moves(self, proxy: FaultProxy, client: ClientSession) -> None:
        async with client.get("/version") as answer:
            now = parsedate_to_datetime(answer.headers["Date"])
        proxy.ahead = timedelta(days=1)
        async with client.get("/version") as answer:
            assert parsedate_to_datetime(answer.headers["Date"]) >= now + timedelta(days=1)

    async def test_nobody_answers_for_a_while(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        await _status(client, path, config_map("one"))
        async with watched(client, path):
            await eventually(lambda: proxy.watching == 1)
            async with proxy.down():
                with pytest.raises(ClientConnectorError):
                    await names(client, path)
                await eventually(lambda: proxy.watching == 0)
            assert "one" in await names(client, path)


@pytest.mark.cluster
class TestWatches:
    async def test_what_is_hidden_dropped_or_told_twice(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.hidden = {"hidden"}
        proxy.frames = [FrameFault(named("dropped"), times=1), FrameFault(named("twice"), Treatment.TWICE)]
        async with watched(client, path) as events:
            await eventually(lambda: proxy.watching == 1)
            for name in ("hidden", "dropped", "twice", "last"):
                await _status(client, path, config_map(name))
            await client.delete(f"{path}/dropped")
            await eventually(lambda: ("DELETED", "dropped") in told(events))
            assert told(events)[:3] == [("ADDED", "twice"), ("ADDED", "twice"), ("ADDED", "last")]
        assert proxy.injected() == {"event dropped": 1, "event sent twice": 1}

    async def test_what_is_held_back_comes_in_its_order(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.frames = [FrameFault(named("held"), Treatment.HELD, times=1)]
        async with watched(client, path) as events:
            await eventually(lambda: proxy.watching == 1)
            for name in ("held", "other"):
                await _status(client, path, config_map(name))
            await client.delete(f"{path}/held")
            await _status(client, path, config_map("last"))
            await eventually(lambda: ("ADDED", "last") in told(events))
            assert told(events) == [("ADDED", "other"), ("ADDED", "last")]
            await proxy.release()
            await eventually(lambda: len(told(events)) == 4)
            assert told(events)[2:] == [("ADDED", "held"), ("DELETED", "held")]

    async def test_a_watch_that_stalls_goes_on_later(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.frames = [FrameFault(named("late"), Treatment.STALLED)]
        async with watched(client, path) as events:
            await eventually(lambda: proxy.watching == 1)
            for name in ("early", "late", "last"):
                await _status(client, path, config_map(name))
            await eventually(lambda: proxy.met[Treatment.STALLED.value] == 1)
            await eventually(lambda: told(events), "the one before it")
            assert told(events) == [("ADDED", "early")]
            await proxy.release()
            await eventually(lambda: len(told(events)) == 3)
            assert told(events) == [("ADDED", "early"), ("ADDED", "late"), ("ADDED", "last")]

    async def test_a_watch_that_is_deaf_and_one_that_is_half_open(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        proxy.faults = [Fault(watching, half_open=True)]
        async with watched(client, path) as half_open:
            await eventually(lambda: proxy.watching == 1)
            async with watched(client, path) as events:
                await eventually(lambda: proxy.watching == 2)
                await _status(client, path, config_map("one"))
                await eventually(lambda: told(events) == [("ADDED", "one")])
                proxy.deaf = True
                await _status(client, path, config_map("two"))
                proxy.deaf = False
                await _status(client, path, config_map("three"))
                await eventually(lambda: ("ADDED", "three") in told(events))
            assert half_open == []
        await eventually(lambda: proxy.watching == 0, "nobody listens, nobody is asked")

    async def test_the_ends_of_watches(
        self, proxy: FaultProxy, client: ClientSession, namespace: str
    ) -> None:
        path = MAPS.format(namespace)
        async with watched(client, path) as events:
            await eventually(lambda: proxy.watches("/configmaps?watch=true"))
            await proxy.end_watches(gone(), lambda seen: seen.resource == "pods")
            assert proxy.watching == 1
            await proxy.end_watches(gone())
            await eventually(lambda: proxy.watching == 0)
            await eventually(lambda: events and events[-1]["type"] == "ERROR")
            assert events[-1]["object"]["code"] == 410
        async with client.get(path, params={"watch": "true"}) as stream:
            await eventually(lambda: proxy.watching == 1)
            proxy.cut_watches()
            with pytest.raises(ClientPayloadError):
                await _all(stream.content)


async def _all(content: Any) -> None:
    async for _ in content:
        pass


async def _status(client: ClientSession, path: str, body: Manifest) -> int:
    async with client.post(path, json=body) as answer:
        return answer.status


async def _version(client: ClientSession, path: str) -> str:
    async with client.get(path) as answer:
        return str((await answer.json())["metadata"]["resourceVersion"])


async def test_what_an_errand_finds_wrong_fails_the_test(cluster: Cluster) -> None:
    """Who asked is answered 500, may ask again, and nobody would ever know."""

    async def find(seen: Seen) -> None:
        assert seen.resource == "pods", f"of {seen.resource} it can make nothing"

    async def ask() -> None:
        async with fault_proxy(await credentials.load(str(cluster.kubeconfig), None)) as proxy:
            proxy.faults.append(Fault(listing, first=find))
            async with ClientSession(proxy.url) as session, session.get("/api/v1/configmaps") as answer:
                assert answer.status == 500

    with pytest.raises(AssertionError, match="of configmaps it can make nothing"):
        await ask()
