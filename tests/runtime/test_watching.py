# SPDX-License-Identifier: Apache-2.0
"""What is left of kopf: events of our kinds and a login, and nothing on any object."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

import aiohttp
import kopf
import pytest
import yaml
from typing_extensions import override

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.configuration import Configuration, always, from_file
from eservice_operator.cluster.resources import OWN
from eservice_operator.core.actions import Manifest, ref_of
from eservice_operator.runtime import streams
from eservice_operator.runtime import watching as watching_module
from eservice_operator.runtime.answers import News, everything
from eservice_operator.runtime.handlers import connection_info, registry_for
from eservice_operator.runtime.watching import AGAIN, IDLE, TRIPWIRE, kopf_settings, passes, watch
from tests.runtime.objects import verification
from tests.support.fault_proxy import Fault, proxied
from tests.support.faults.fault import gone
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster


KIND = "ProductionVerification"
MANY = 30
AGENT = "eservice-operator/test (pod-a)"
"""Objects to begin with: listing them, kopf is still handing them on when the first has been handled."""


class Seen:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, bool]] = []
        self.tasks: set[asyncio.Task[Any] | None] = set()
        """Those of kopf that wait for another event of an object, and have its last one meanwhile."""

    def __call__(self, obj: Manifest, *, deleted: bool) -> None:
        self.events.append((obj["kind"], obj["metadata"]["name"], deleted))
        self.tasks.add(asyncio.current_task())


class Refused(Exception):
    """As kopf says it."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


async def nothing() -> Any:
    return Configuration(host="https://api.example:6443")


def test_every_kind_of_ours_has_one_event_handler_and_no_other() -> None:
    registry = registry_for(Seen(), nothing, lambda _: None, AGENT)
    handlers = registry._watching.get_all_handlers()
    assert sorted(handler.id for handler in handlers) == sorted(
        f"{resource.kind}-changed" for resource in OWN
    )
    others = (registry._changing, registry._spawning, registry._indexing, registry._webhooks)
    assert not [handler for other in others for handler in other.get_all_handlers()]
    assert [handler.id for handler in registry._activities.get_all_handlers()] == ["credentials"]


def test_an_api_server_may_be_away_for_some_minutes() -> None:
    backoffs: Any = kopf_settings().networking.error_backoffs
    pauses = list(backoffs)
    assert len(pauses) == len(backoffs)
    assert 160 < sum(pauses) < 310
    assert pauses != list(backoffs), "drawn anew for each request"


def test_kopf_has_nowhere_to_write_to() -> None:
    settings = kopf_settings()
    nowhere: Any = {"body": kopf.Body({}), "patch": {}}
    assert settings.persistence.diffbase_storage.build(body=kopf.Body({"spec": {"a": 1}})) == {}
    with pytest.raises(TypeError, match="nothing is written on objects"):
        settings.persistence.diffbase_storage.store(essence={}, **nowhere)
    with pytest.raises(TypeError, match="nothing is written on objects"):
        settings.persistence.progress_storage.store(key=kopf.HandlerId("x"), record={}, **nowhere)
    assert settings.persistence.finalizer == TRIPWIRE
    assert not settings.posting.enabled
    assert settings.peering.standalone


async def test_the_login_says_what_our_own_client_says(tmp_path: Path) -> None:
    configuration = Configuration(host="https://api.example:6443")
    configuration.ssl_ca_cert = str(tmp_path / "ca.crt")
    configuration.authorization = always("Bearer secret")
    configuration.proxy = "http://proxy.example:3128"
    info = await connection_info(configuration)
    assert (info.server, info.ca_path) == ("https://api.example:6443", str(tmp_path / "ca.crt"))
    assert info.as_http_headers() == {"Authorization": "Bearer secret"}
    assert info.proxy_url == "http://proxy.example:3128"
    assert not info.insecure


async def test_the_login_renews_what_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    configuration = Configuration(host="https://api.example:6443", authorization=from_file(file, 0.0))
    file.write_text("second")
    assert (await connection_info(configuration)).token == "second"  # noqa: S105 - not one


@asynccontextmanager
async def watching(
    kubeconfig: Path,
    seen: Seen,
    spawned: Callable[[], None] = lambda: None,
    listed: Callable[[str], None] = lambda _: None,
    news: News = everything,
) -> AsyncIterator[tuple[asyncio.Task[None], asyncio.Event]]:
    async def load() -> Any:
        return await credentials.load(str(kubeconfig), None)

    ready, stop = asyncio.Event(), asyncio.Event()
    registry = registry_for(seen, load, listed, AGENT, news)
    task = asyncio.create_task(watch(registry, (), ready=ready, stop=stop, spawned=spawned))
    try:
        yield task, stop
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await asyncio.wait({task})


@pytest.mark.cluster
async def test_events_arrive_and_kopf_ends_when_asked_taking_nothing_of_ours_along(
    cluster: Cluster, api: KubeApi, namespace: str
) -> None:
    before = asyncio.all_tasks()
    seen = Seen()
    spawned: list[bool] = []
    async with watching(cluster.kubeconfig, seen, lambda: spawned.append(True)) as (task, stop):
        await eventually(lambda: bool(spawned))
        ours = asyncio.create_task(asyncio.Event().wait())
        created = await api.create(verification(namespace, "checked"))
        await eventually(lambda: ("ProductionVerification", "checked", False) in seen.events)
        stop.set()
        async with asyncio.timeout(30):
            await task
        assert asyncio.all_tasks() - before <= {ours}
        assert not ours.done()
        ours.cancel()
    live = await api.get(ref_of(created))
    assert live == created, "not even its resourceVersion has changed"


@pytest.mark.cluster
async def test_of_what_is_known_kopf_hears_once_it_changes_and_keeps_nothing_of_it_for_long(
    cluster: Cluster, api: KubeApi, namespace: str
) -> None:
    known = await api.create(verification(namespace, "known"))
    await api.create(verification(namespace, "unknown"))

    def news(kind: str, items: list[Manifest]) -> list[Manifest]:
        return [item for item in items if (kind, item["metadata"]["name"]) != (KIND, "known")]

    seen = Seen()
    async with watching(cluster.kubeconfig, seen, news=news):
        await eventually(lambda: (KIND, "unknown", False) in seen.events)
        assert (KIND, "known", False) not in seen.events
        changed = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
        version = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": known["metadata"]["resourceVersion"],
        }
        await api.json_patch(ref_of(known), [version, changed])
        await eventually(lambda: (KIND, "known", False) in seen.events)
        assert None not in seen.tasks
        await eventually(lambda: seen.tasks.isdisjoint(asyncio.all_tasks()), "their ends", within=IDLE + 15)


def open_streams() -> list[str]:
    """The asynchronous generators of kopf that are neither at their end nor closed."""
    found = [thing for thing in gc.get_objects() if isinstance(thing, AsyncGeneratorType)]
    frames = [stream.ag_frame for stream in found if stream.ag_frame is not None]
    return [frame.f_code.co_name for frame in frames if frame.f_globals["__name__"].startswith("kopf.")]


@pytest.mark.cluster
async def test_kopf_leaves_no_stream_open_when_it_ends_in_the_middle_of_a_list(
    cluster: Cluster, api: KubeApi, namespace: str
) -> None:
    for number in range(MANY):
        await api.create(verification(namespace, f"checked-{number}"))

    class Stopping(Seen):
        @override
        def __call__(self, obj: Manifest, *, deleted: bool) -> None:
            super().__call__(obj, deleted=deleted)
            stop.set()

    seen = Stopping()
    async with watching(cluster.kubeconfig, seen) as (task, stop):
        await asyncio.wait({task})
    assert len(seen.events) < MANY, "it was too late to end it in the middle"
    assert open_streams() == []


@pytest.mark.cluster
@pytest.mark.parametrize("name, believed", [("localhost", True), ("elsewhere.example", False)])
async def test_kopf_knows_the_server_by_the_name_that_the_kubeconfig_gives(
    cluster: Cluster, tmp_path: Path, name: str, believed: bool
) -> None:
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["tls-server-name"] = name
    given = tmp_path / "kubeconfig"
    given.write_text(yaml.safe_dump(document))
    registry = registry_for(Seen(), lambda: credentials.load(str(given), None), lambda _: None, AGENT)
    login: Any = next(iter(registry._activities.get_all_handlers())).fn
    session = await login()
    async with session.aiohttp_session as asked:
        if believed:
            async with asked.get(f"{session.server}/version") as answer:
                assert answer.status == 200
        else:
            with pytest.raises(aiohttp.ClientConnectorCertificateError, match=name):
                await asked.get(f"{session.server}/version")


OURS = sorted(resource.plural for resource in OWN)


@pytest.mark.cluster
async def test_each_list_of_kopf_is_told_of_also_an_empty_one(cluster: Cluster, tmp_path: Path) -> None:
    listed: list[str] = []
    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        watching(kubeconfig, Seen(), listed=listed.append),
    ):
        await eventually(lambda: proxy.watches("/unpublishdeferrals?watch=true"))
        await eventually(lambda: sorted(set(listed) & set(OURS)) == OURS)
        listed.clear()
        await proxy.end_watches(gone(), lambda seen: seen.resource == "unpublishdeferrals")
        await eventually(lambda: listed == ["unpublishdeferrals"])


@pytest.mark.cluster
@pytest.mark.parametrize(
    "event",
    [
        b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcdserver: no leader"}}',
        b"this is no event",
        b'{"type":"ADDED","object":{"metadata":',
    ],
    ids=["an error", "no JSON", "half of one"],
)
async def test_after_an_event_that_kopf_cannot_take_it_begins_anew(
    cluster: Cluster, api: KubeApi, namespace: str, tmp_path: Path, event: bytes
) -> None:
    seen, spawned = Seen(), 0

    def count() -> None:
        nonlocal spawned
        spawned += 1

    async with (
        proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig),
        watching(kubeconfig, seen, count) as (task, stop),
    ):
        await eventually(lambda: proxy.watches("/productionverifications?watch=true"))
        body = event.decode() + "\n"
        proxy.faults.append(
            Fault(lambda one: one.watch and one.resource == "productionverifications", answer=(200, {}, body))
        )
        proxy.cut_watches(lambda one: one.resource == "productionverifications")
        await eventually(lambda: spawned == 2, "started again")
        await api.create(verification(namespace, namespace))
        await eventually(lambda: ("ProductionVerification", namespace, False) in seen.events)
        stop.set()
        async with asyncio.timeout(30):
            await task
    assert open_streams() == []


@pytest.mark.parametrize(
    "error, again",
    [
        (ValueError("no JSON"), True),
        (aiohttp.ClientPayloadError("cut"), True),
        (TimeoutError(), True),
        (ssl.CertificateError("self-signed"), False),
        (Refused(503), True),
        (Refused(410), True),
        (Refused(429), True),
        (Refused(404), False),
        (Refused(403), False),
        (kopf.LoginError("no credentials"), False),
        (RuntimeError("a framework bug"), False),
    ],
)
def test_only_what_may_be_over_the_next_time_is_tried_again(error: Exception, again: bool) -> None:
    assert passes(error) is again


async def test_kopf_is_started_again_after_pauses_that_grow_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, pauses = asyncio.Event(), list[float]()

    async def ends(*_: object) -> None:
        raise Refused(503)

    async def noted(_clock: object, seconds: float, _event: object) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            stop.set()

    monkeypatch.setattr(watching_module, "_watch_once", ends)
    monkeypatch.setattr(watching_module, "sleep_or", noted)
    registry = registry_for(Seen(), nothing, lambda _: None, AGENT)
    await watch(registry, (), ready=asyncio.Event(), stop=stop, spawned=lambda: None)
    first, longest = AGAIN
    for drawn, pause in zip(pauses, [first, 2, 4, 8, 16, longest, longest, longest], strict=True):
        assert 0.7 * pause <= drawn <= 1.3 * pause, pauses


async def test_a_stream_of_kopf_that_does_not_close_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    released = asyncio.Event()

    async def stuck() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await released.wait()

    monkeypatch.setattr(streams, "KOPF", __name__)
    monkeypatch.setattr(streams, "PATIENCE", 0.05)
    watched, stream = streams.Streams(), stuck()
    with watched.noticed():
        assert await anext(stream) == 1
    async with asyncio.timeout(5):
        async with watched.closed():
            pass
    assert "a stream of kopf does not close" in caplog.text
