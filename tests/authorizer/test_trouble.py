# SPDX-License-Identifier: Apache-2.0
"""When the API server, or a part of the way to it, is away: what cannot be decided is not allowed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.authorizer.hearing import SILENT_SECONDS
from eservice_operator.cluster import credentials
from tests.authorizer.register import Register, active, grant, web_service
from tests.authorizer.running import AuthorizerProcess, Said, authorizing, kubeconfig_through
from tests.support.deep import create_deep, with_deep_fields
from tests.support.fault_proxy import Fault, FaultProxy, Seen, fault_proxy
from tests.support.figures import Figures
from tests.support.operator import assert_log_clean
from tests.support.waiting import eventually, promptly

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster
FOR_EVER = 10**9
CLOSED_WITHIN = 10.0
"""Seconds: one for which a right holds, two for a review that nobody answers, and a busy machine."""
BACK_WITHIN = 10.0
"""Seconds after the API server is back: a pause between two tries, and a busy machine."""


@pytest.fixture
async def way(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    """The way to the API server, on which things go wrong."""
    async with fault_proxy(await credentials.load(str(cluster.kubeconfig), None)) as running:
        yield running


@pytest.fixture
async def remote(way: FaultProxy, tmp_path: Path) -> AsyncIterator[AuthorizerProcess]:
    """An authorizer at the other end of it."""
    starting = authorizing(tmp_path, kubeconfig_through(way.url, tmp_path / "kubeconfig"))
    running = await asyncio.to_thread(starting.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


@pytest.fixture
async def token(register: Register) -> str:
    consumer = await register.account("declaration")
    await register.make(web_service(register.holder, "people"))
    await register.make(web_service(register.holder, "watched", isolation="Observe"))
    await register.opened("declaration", "people", consumer, "v5")
    return await register.token("declaration", "people")


def cut(way: FaultProxy, *parts: str) -> Fault:
    """From now on requests whose path has one of ``parts`` get no answer."""

    def hit(seen: Seen) -> bool:
        return any(part in seen.path for part in parts)

    fault = Fault(hit, times=FOR_EVER, drop=True)
    way.faults.append(fault)
    return fault


async def test_without_the_api_server_it_fails_closed_and_comes_back(
    way: FaultProxy, remote: AuthorizerProcess, register: Register, token: str, figures: Figures
) -> None:
    path = f"/v1/check/{register.holder}/people/v5/"
    async with remote.asked() as ask:

        async def status(of: int) -> bool:
            return (await ask(path, token)).status == of

        await eventually(lambda: status(200))
        fault = cut(way, "/")
        way.cut_watches()
        began = time.monotonic()
        await eventually(lambda: status(503), within=CLOSED_WITHIN)
        figures.add("Authorizer: 503 after the API server is gone", f"{time.monotonic() - began:.2f} s")
        assert (await ask(path, token)).told == (503, "ReviewFailed")
        assert (await ask(path)).told == (401, "TokenMissing")
        observing = f"/v1/check/{register.holder}/watched/v5/"
        assert (await ask(observing, token)).status == 200
        assert await remote.ready()
        fault.times = 0
        await eventually(lambda: status(200), within=BACK_WITHIN)
    assert_log_clean([record for record in remote.records() if record["level"] != "warning"])


async def test_watches_that_say_nothing_close_what_reviews_would_still_allow(
    way: FaultProxy, remote: AuthorizerProcess, register: Register, token: str, figures: Figures
) -> None:
    path = f"/v1/check/{register.holder}/people/v5/"
    async with remote.asked() as ask:

        async def told(status: int, reason: str) -> bool:
            return (await ask(path, token)).told == (status, reason)

        await eventually(lambda: told(200, "Granted"))
        fault = cut(way, "/webservicegrants")
        way.cut_watches()
        began = time.monotonic()
        await eventually(lambda: told(503, "WatchSilent"), within=2 * SILENT_SECONDS)
        figures.add("Authorizer: 503 after a watch has died", f"{time.monotonic() - began:.2f} s")
        silence = (await remote.metrics())["eservice_authorizer_watch_silence_seconds"]
        assert silence >= SILENT_SECONDS, "not before"
        fault.times = 0
        await eventually(lambda: told(200, "Granted"), within=BACK_WITHIN)


async def test_at_rest_the_watches_are_heard_of_all_the_time(
    remote: AuthorizerProcess, register: Register, token: str
) -> None:
    """So long that each silence would show; a machine that stood still meanwhile is looked at anew."""
    path = f"/v1/check/{register.holder}/people/v5/"
    async with remote.asked() as ask:
        await eventually(lambda: _allowed(ask(path, token)))
        since = time.monotonic()

        async def lasted() -> bool:
            nonlocal since
            if (await ask(path, token)).told != (200, "Granted"):
                since = time.monotonic()
            return time.monotonic() - since > 2 * SILENT_SECONDS

        await eventually(lasted, "two silences without one", within=10 * SILENT_SECONDS)

    async def shown() -> bool:
        return 0 <= (await remote.metrics())["eservice_authorizer_watch_silence_seconds"] < SILENT_SECONDS

    await eventually(shown, "the figure says so")


async def test_an_end_that_no_watch_has_brought_is_seen_by_rbac(
    way: FaultProxy, remote: AuthorizerProcess, register: Register, token: str
) -> None:
    path = f"/v1/check/{register.holder}/people/v5/"
    async with remote.asked() as ask:
        await eventually(lambda: _allowed(ask(path, token)))
        way.hidden.add("declaration")
        await register.drop("WebServiceGrant", "declaration")
        await register.drop("RoleBinding", "grant.declaration")

        async def closed() -> bool:
            return (await ask(path, token)).told == (403, "RightMissing")

        await promptly(closed, "what RBAC says", within=2)


async def test_a_grant_that_nobody_can_read_hides_no_other(
    running: AuthorizerProcess, register: Register, token: str, cluster: Cluster, tmp_path: Path
) -> None:
    """Who may write a grant writes, in a place without a schema, more levels than Python reads."""
    path = f"/v1/check/{register.holder}/people/v5/"
    odd = grant(register.holder, "deep", "people", f"{register.consumers}/declaration", "v5")
    async with running.asked() as ask:
        await eventually(lambda: _allowed(ask(path, token)))
        await create_deep(cluster.kubeconfig, with_deep_fields(odd), tmp_path)
        await register.change(
            "WebServiceGrant", "declaration", "status", status=active("v5", state="Expired")
        )

        async def closed() -> bool:
            return (await ask(path, token)).status == 403

        await eventually(closed, "what comes after it is seen")
    with authorizing(tmp_path, cluster.kubeconfig) as another:
        assert await another.ready(), "and lists them all"


async def _allowed(asked: Awaitable[Said]) -> bool:
    return (await asked).status == 200
