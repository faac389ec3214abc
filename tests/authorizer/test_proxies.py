# SPDX-License-Identifier: Apache-2.0
"""docs/authorizer.md with the real Envoy and the real nginx, before a real web service, with real tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.authorizer.proxies import (
    Backend,
    MakeProxy,
    Site,
    backend,
    envoy,
    free_port,
    nginx,
    proxy,
    raw,
    status,
)
from tests.authorizer.register import Register, web_service
from tests.authorizer.running import AuthorizerProcess, Tls
from tests.support.figures import Figures
from tests.support.waiting import eventually, promptly

pytestmark = pytest.mark.cluster

NAME = "population-register"
CONSUMER = "address-declaration"
REVOKED_WITHIN = 2.0
TROUBLE = 500
"""This status and those above it are of somebody who could not ask the next one."""


@dataclass
class Front:
    """A proxy before the web service, and an e-service with a grant of v5 and a token."""

    site: Site
    backend: Backend
    register: Register
    token: str
    log: Path

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token}"

    async def answer(self, target: str, *headers: str, body: bytes = b"", method: str = "GET") -> str:
        """The head and the body of the answer, once there is one by the authorizer.

        On a machine that is busy with other things it may be too late with it; nobody is let in then.
        """
        got: list[str] = []

        async def decided() -> bool:
            got[:] = [await raw(self.site, target, *headers, body=body, method=method)]
            return status(got[0]) < TROUBLE

        await eventually(decided, f"an answer about {target}")
        return got[0]

    async def call(self, target: str, *headers: str, body: bytes = b"", method: str = "GET") -> int:
        return status(await self.answer(target, *headers, body=body, method=method))

    async def open(self) -> None:
        """Wait until calls pass."""

        async def passes() -> bool:
            return await self.call("/", self.bearer) == 200

        await eventually(passes, "an open grant")
        self.backend.taken.clear()


@pytest.fixture(params=[envoy, nginx], ids=["envoy", "nginx"])
async def front(
    request: pytest.FixtureRequest, register: Register, running: AuthorizerProcess, tls: Tls, tmp_path: Path
) -> AsyncIterator[Front]:
    make: MakeProxy = request.param
    consumer = await register.account(CONSUMER)
    await register.make(web_service(register.holder, NAME))
    await register.opened(CONSUMER, NAME, consumer, "v5")
    async with backend() as behind:
        site = Site(running.port, behind.port, free_port(), tls, register.holder)
        with proxy(make, tmp_path, site) as log:
            yield Front(site, behind, register, await register.token(CONSUMER, NAME), log)


async def test_the_story_of_a_grant(front: Front, figures: Figures, request: pytest.FixtureRequest) -> None:
    stranger = await front.register.account("stranger")
    foreign = await front.register.token("stranger", NAME)
    await front.open()
    body = b"<soap:Envelope/>" * 4000
    assert await front.call("/people", front.bearer, body=body, method="POST") == 200
    ((target, headers, received),) = front.backend.taken
    assert (target, received) == ("/people", body)
    assert headers["X-EService-Consumer"] == f"{front.register.consumers}/{CONSUMER}"
    front.backend.taken.clear()

    without = await front.answer("/people")
    assert status(without) == 401
    assert 'www-authenticate: bearer realm="webservice.' in without.lower()
    other = await front.register.token(CONSUMER, NAME, "https://kubernetes.default.svc")
    assert await front.call("/people", f"Authorization: Bearer {other}") == 401
    refused = await front.answer("/people", f"Authorization: Bearer {foreign}")
    assert status(refused) == 403
    assert "x-eservice-reason: nogrant" in refused.lower()
    await front.register.opened("stranger", NAME, stranger, "v6")

    async def of_another_version() -> bool:
        answer = await front.answer("/people", f"Authorization: Bearer {foreign}")
        assert status(answer) == 403
        return "versionnotgranted" in answer.lower()

    await eventually(of_another_version)
    assert front.backend.taken == []

    await front.register.drop("WebServiceGrant", CONSUMER)
    began = time.monotonic()

    async def closed() -> bool:
        return await front.call("/people", front.bearer) == 403

    await promptly(closed, "the end of the grant", within=REVOKED_WITHIN)
    name = request.node.callspec.id
    figures.add(f"Authorizer behind {name}: 403 after a revocation", f"{time.monotonic() - began:.2f} s")


TARGETS = (
    "/../../population-register/v6/x",
    "/..%2f..%2fpopulation-register/v6",
    "//v6//v6",
    "/%2e%2e/%2e%2e/v6",
    "/?/../../v6",
    "/v6/../../../../v1/check/",
)


@pytest.mark.parametrize("version", ["v5", "v6"])
async def test_a_caller_cannot_choose_the_version(front: Front, version: str) -> None:
    """The proxy is configured with v5: whatever path is called, it is v5 that has to be granted."""
    await front.open()
    if version == "v6":
        await front.register.drop("WebServiceGrant", CONSUMER)
        consumer = f"{front.register.consumers}/{CONSUMER}"
        await front.register.opened("other", NAME, consumer, "v6")

        async def moved() -> bool:
            return await front.call("/", front.bearer) == 403

        await eventually(moved)
    front.backend.taken.clear()
    chosen = [
        f"{name}: {version}"
        for name in ("X-Contract-Version", "X-EService-Contract-Version", "Contract-Version")
    ]
    for target in TARGETS:
        got = await front.call(target, front.bearer, *chosen, "X-Original-URI: /v1/check/a/b/v6")
        assert got in ({200, 400} if version == "v5" else {403, 400}), target
    if version == "v5":
        assert front.backend.taken
    else:
        assert front.backend.taken == []


async def test_what_a_caller_says_of_itself_reaches_nobody(front: Front) -> None:
    await front.open()
    forged = ("X-EService-Consumer: ur/ceo", "x-eservice-on-behalf-of: 90000000009")
    assert await front.call("/", front.bearer, *forged) == 200
    ((_, headers, _),) = front.backend.taken
    assert headers["X-EService-Consumer"] == f"{front.register.consumers}/{CONSUMER}"
    assert "X-EService-On-Behalf-Of" not in headers


async def test_two_tokens_two_customers_and_huge_headers_are_refused(front: Front) -> None:
    stranger = await front.register.token(await _account(front), NAME)
    await front.open()
    mine, other = front.bearer, f"Authorization: Bearer {stranger}"
    assert await front.call("/", mine, other) in {400, 401}
    assert await front.call("/", other, mine) in {400, 401}
    assert await front.call("/", f"{mine}, Bearer {stranger}") == 401
    assert await front.call("/", mine, "X-On-Behalf-Of: 1", "X-On-Behalf-Of: 2") == 403
    assert await front.call("/", f"Authorization: Bearer {'a' * 20_000}") in {400, 401, 431}
    assert await front.call("/", mine, f"X-Filler: {'a' * 200_000}") in {0, 400, 431}
    assert await front.call("/", f"Authorization: Bearer {front.token[:-2]}") == 401
    assert front.backend.taken == []


async def _account(front: Front) -> str:
    await front.register.account("stranger")
    return "stranger"


async def test_without_the_authorizer_nothing_passes(
    front: Front, running: AuthorizerProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    make: MakeProxy = {"envoy": envoy, "nginx": nginx}[request.node.callspec.id]
    folder = tmp_path / "alone"
    folder.mkdir()
    nobody = front.site._replace(authorizer=free_port(), listener=free_port())
    stranger = front.site._replace(listener=free_port(), tls=Tls.make(folder))
    for site in (nobody, stranger):
        with proxy(make, folder, site):
            assert status(await raw(site, "/", front.bearer)) in {500, 503}
    assert running.process.poll() is None
    assert front.backend.taken == []
