# SPDX-License-Identifier: Apache-2.0
"""What is waited for, what is not, and what must not end unnoticed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Forbidden, Invalid, NotFound, Transient
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.cluster.transport import Transport
from eservice_operator.core.gateway_driver import GATEWAY_GROUP, ROUTE_API
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import PublishBy
from eservice_operator.runtime.clock import SYSTEM
from eservice_operator.runtime.essentials import Essentials
from eservice_operator.runtime.intake import Intake
from eservice_operator.runtime.lists import LOOK_AGAIN, Lists
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.startup import (
    CannotStart,
    NotYetServed,
    persist,
    warn_of_unknown_networks,
    without,
)
from tests.runtime.clocks import MovedClock
from tests.support import access
from tests.support.fault_proxy import proxied
from tests.support.faults.fault import refused, without_group, without_resource
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

GATEWAY_KINDS = {"HTTPRoute", "ReferenceGrant", "Gateway", "GatewayClass"}


class Attempts:
    """Fails with each of the errors, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)


def away() -> Transient:
    return Transient(0, "Unreachable", "no route to host")


@pytest.mark.parametrize(
    "networks,told,warned",
    [
        (["198.51.100.0/28"], (), "WebService ur-production/population-register names networks outside"),
        (["198.51.100.0/28"], (ip_network("10.96.0.0/12"),), ""),
        ([], (), ""),
    ],
)
def test_networks_that_nobody_compares_with_the_clusters_own_are_warned_of(
    networks: list[str], told: tuple[IPv4Network, ...], warned: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(INDEXES)
    backend = {"service": None, "url": "https://api.ur.example", "networks": networks}
    store.upsert(slim(access.web_service(spec={"backend": backend})))
    warn_of_unknown_networks(store, Settings(cluster_networks=told))
    assert [record.levelname for record in caplog.records] == (["WARNING"] if warned else [])
    assert warned in caplog.text


async def test_it_waits_longer_and_longer_for_what_can_still_come(caplog: pytest.LogCaptureFixture) -> None:
    clock = MovedClock()
    attempt = Attempts(
        away(), NotYetServed("not served: eservices"), NotFound(404, "NotFound", "no such kind")
    )
    task = asyncio.create_task(persist(attempt, "the kinds", clock))
    await clock.advance(0.3)
    assert attempt.count == 1
    await clock.advance(0.4)
    assert attempt.count == 2
    await clock.advance(1.4)
    assert attempt.count == 3
    await clock.advance(3)
    assert task.done()
    assert attempt.count == 4
    assert "waiting for the kinds: not served: eservices" in caplog.text


async def test_it_never_waits_longer_than_ten_seconds_or_so() -> None:
    clock = MovedClock()
    attempt = Attempts(*(away() for _ in range(100)))
    task = asyncio.create_task(persist(attempt, "the kinds", clock))
    await clock.advance(300)
    assert max(clock.sleeps()) <= 13
    task.cancel()


@pytest.mark.parametrize(
    "error", [Forbidden(403, "Forbidden", "not allowed"), Invalid(400, "BadRequest", "no")]
)
async def test_a_refusal_ends_the_start(error: ApiError) -> None:
    with pytest.raises(CannotStart, match="the list of services: 40"):
        await persist(Attempts(error), "the list of services", MovedClock())


async def forever() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    await asyncio.sleep(0)
    raise ConnectionError("the stream is gone")


async def finishing() -> None:
    await asyncio.sleep(0)


async def test_essential_tasks_last_until_the_stop() -> None:
    essentials, stop = Essentials(), asyncio.Event()
    essentials.start("the watch", forever())
    asyncio.get_running_loop().call_soon(stop.set)
    assert await essentials.last_until(stop)
    await essentials.cancel(1)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    "work,reason", [(failing, "ConnectionError: the stream is gone"), (finishing, "it returned")]
)
async def test_one_that_ends_is_named_with_its_reason(
    work: object, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(work)
    essentials = Essentials()
    essentials.start("the watch", forever())
    essentials.start("the queue", work())
    assert not await essentials.last_until(asyncio.Event())
    assert f"the queue ended, so nothing would go on: {reason}" in caplog.text
    await essentials.cancel(1)


async def test_one_that_does_not_end_is_named_too(caplog: pytest.LogCaptureFixture) -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    essentials = Essentials()
    essentials.start("the watch", stubborn())
    await asyncio.sleep(0)
    await essentials.cancel(0.01)
    assert "the watch does not end" in caplog.text
    release.set()


@pytest.mark.cluster
async def test_the_gateway_api_is_missed_where_it_is_not_served_and_not_where_it_is_not_listed_yet(
    cluster: Cluster, tmp_path: Path
) -> None:
    settings = Settings(publish_by=PublishBy.INGRESS, ingress_class="outside", traffic_from=("traefik",))
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        transport = Transport(await credentials.load(str(kubeconfig), None))
        try:
            proxy.faults = [without_group(GATEWAY_GROUP)]
            assert await without(transport, settings, MovedClock()) == frozenset()
            proxy.faults = [refused(f"/apis/{GATEWAY_GROUP}", 404)]
            assert await without(transport, settings, MovedClock()) == GATEWAY_KINDS
            proxy.faults = [refused(f"/apis/{GATEWAY_GROUP}/v1beta1", 404)]
            assert await without(transport, settings, MovedClock()) == {"ReferenceGrant"}
            proxy.faults = [without_resource("httproutes")]
            assert await without(transport, settings, MovedClock()) == {"HTTPRoute"}
        finally:
            await transport.close()


@pytest.mark.cluster
async def test_what_is_installed_later_is_looked_at_from_then_on(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(publish_by=PublishBy.INGRESS, ingress_class="outside", traffic_from=("traefik",))
    clock, store, essentials, woken = MovedClock(), Store(INDEXES), Essentials(), Woken()
    lists, intake = Lists(store, settings, clock), Intake(store, woken, woken.keys.append, Metrics())
    intake.open()
    caplog.set_level(logging.INFO)
    async with proxied(cluster.kubeconfig, tmp_path) as (proxy, kubeconfig):
        configuration = await credentials.load(str(kubeconfig), None)
        transport = Transport(configuration)
        try:
            async with KubeApi(configuration) as api:
                proxy.faults = [refused(f"/apis/{GATEWAY_GROUP}", 404)]
                await lists.fill(api, transport, intake)
                assert store.synced("Gateway"), "that there is none is known"
                lists.watch(transport, essentials)
                await eventually(clock.sleeps, "the first question")
                assert "Gateway" not in lists.ages()
                proxy.faults = [refused(f"/apis/{GATEWAY_GROUP}", 503)]
                await clock.advance(LOOK_AGAIN)
                await eventually(lambda: "503" in caplog.text or "by the test" in caplog.text, "no answer")
                proxy.faults = [refused(f"/apis/{GATEWAY_GROUP}/v1beta1", 404)]
                await clock.advance(LOOK_AGAIN)
                await eventually(lambda: store.get("Gateway", "gateway-system", "public"), "the Gateway")
                await eventually(lambda: proxy.watches("httproutes"), "the watch of the routes")
                assert {"Gateway", "GatewayClass"} <= {change.key.kind for change in woken.changes}
                assert "Gateway" in lists.ages()
                assert f"looked at from now on: httproutes of {ROUTE_API}, gateways of" in caplog.text
                assert "ReferenceGrant" not in lists.ages(), "an older Gateway API has some, not all"
                proxy.faults.clear()
                await clock.advance(LOOK_AGAIN)
                await eventually(lambda: proxy.watches("referencegrants"), "the watch of the grants")
                assert "ReferenceGrant" in lists.ages()
                await essentials.cancel(5)
        finally:
            await transport.close()


@pytest.mark.cluster
async def test_a_kind_that_was_never_listed_grows_old_from_the_start(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Else a list that goes on failing at the start were no reason to start again."""
    store = Store(INDEXES)
    lists = Lists(store, Settings(), SYSTEM)
    async with AsyncExitStack() as stack:
        proxy, kubeconfig = await stack.enter_async_context(proxied(cluster.kubeconfig, tmp_path))
        configuration = await credentials.load(str(kubeconfig), None)
        transport = Transport(configuration)
        stack.push_async_callback(transport.close)
        api = await stack.enter_async_context(KubeApi(configuration))
        proxy.faults = [refused("/configmaps?", 503)]
        intake = Intake(store, Woken(), lambda _: None, Metrics())
        filling = asyncio.create_task(lists.fill(api, transport, intake))
        await eventually(lambda: store.synced("EService") and lists.ages().get("ConfigMap", 0) > 0.5)
        assert not store.synced("ConfigMap")
        ages = lists.ages()
        assert ages["ConfigMap"] == max(ages.values())
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


class Woken:
    """What the intake is told."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.keys: list[ObjectKey] = []

    def __call__(self, change: Change, store: Store) -> list[ObjectKey]:
        del store
        self.changes.append(change)
        return []
