# SPDX-License-Identifier: Apache-2.0
"""What the authorizer answers, with real tokens, real RBAC and grants as the operator leaves them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest

from tests.authorizer.register import Register, active, role, web_service
from tests.authorizer.running import AuthorizerProcess, Questions
from tests.support.figures import Figures
from tests.support.waiting import eventually, promptly

pytestmark = pytest.mark.cluster

REVOKED_WITHIN = 2.0
"""Seconds, as promised."""


def check(register: Register, version: str = "v5", name: str = "people", rest: str = "/search?q=1") -> str:
    return f"/v1/check/{register.holder}/{name}/{version}{rest}"


@pytest.fixture
async def token(register: Register) -> str:
    """Of an e-service with an active grant of v5 of the web service ``people``."""
    consumer = await register.account("declaration")
    await register.make(web_service(register.holder, "people"))
    await register.opened("declaration", "people", consumer, "v5")
    return await register.token("declaration", "people")


async def allowed(ask: Questions, path: str, token: str) -> None:
    """Wait until the watch has brought it."""

    async def passes() -> bool:
        return (await ask(path, token)).status == 200

    await eventually(passes, "an open grant")


async def test_a_call_passes_with_a_grant_and_only_to_what_is_granted(
    register: Register, running: AuthorizerProcess, token: str
) -> None:
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        said = await ask(check(register), token)
        assert said.told == (200, "Granted")
        assert said.headers["X-EService-Consumer"] == f"{register.consumers}/declaration"
        assert "X-EService-On-Behalf-Of" not in said.headers
        assert (await ask(check(register, "v6"), token)).told == (403, "VersionNotGranted")
        assert (await ask(check(register, "v4"), token)).told == (403, "ContractRetired")
        assert (await ask(check(register, "-"), token)).told == (403, "ContractUnknown")
        other = await ask(check(register), token, X_On_Behalf_Of="90000054163")
        assert other.told == (403, "CustomerNotListed")


async def test_without_a_token_or_with_a_bad_one_or_one_for_another_nobody_passes(
    register: Register, running: AuthorizerProcess, token: str
) -> None:
    for_api = await register.token("declaration", "people", "https://kubernetes.default.svc")
    for_other = await register.token("declaration", "address")
    head, claims, signature = token.split(".")
    forged = ".".join((head, claims, signature[::-1]))
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        without = await ask(check(register))
        assert without.told == (401, "TokenMissing")
        audience = register.audience("people")
        assert without.headers["WWW-Authenticate"] == f'Bearer realm="{audience}"'
        assert (await ask(check(register), Authorization=f"Basic {token}")).told == (401, "TokenMissing")
        for bad in (forged, for_api, for_other):
            assert (await ask(check(register), bad)).told == (401, "TokenRefused")


async def test_who_has_no_grant_cannot_tell_a_web_service_from_none(
    register: Register, running: AuthorizerProcess, token: str
) -> None:
    await register.account("stranger")
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        there = await ask(check(register), await register.token("stranger", "people"))
        none = await ask(check(register, name="nothing"), await register.token("stranger", "nothing"))
        assert there.told == none.told == (403, "NoGrant")
        assert set(there.headers) == set(none.headers)


async def test_neither_a_role_nor_a_grant_alone_is_enough(
    register: Register, running: AuthorizerProcess, token: str
) -> None:
    stranger = await register.account("stranger")
    await register.make(*role(register.holder, "minted", "people", stranger, "v5"))
    pending = await register.account("pending")
    await register.opened("pending", "people", pending, "v5")
    await register.change("WebServiceGrant", "pending", "status", status=active("v5", state="Pending"))
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        minted = await ask(check(register), await register.token("stranger", "people"))
        assert minted.told == (403, "NoGrant")
        held = await register.token("pending", "people")

        async def refused() -> bool:
            return (await ask(check(register), held)).told == (403, "AccessNotGranted")

        await eventually(refused)
        await register.drop("Role", "grant.declaration")

        async def without_right() -> bool:
            return (await ask(check(register), token)).told == (403, "RightMissing")

        await eventually(without_right)


async def test_rest_is_granted_in_all_versions_until_one_ends(
    register: Register, running: AuthorizerProcess
) -> None:
    consumer = await register.account("declaration")
    contracts = [{"version": "1", "endOfLife": "2025-10-31"}, {"version": "2"}]
    await register.make(
        web_service(register.holder, "address", protocol="REST", contracts=contracts),
    )
    await register.opened("declaration", "address", consumer)
    token = await register.token("declaration", "address")
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register, "-", "address"), token)
        assert (await ask(check(register, "2", "address"), token)).status == 200
        assert (await ask(check(register, "1", "address"), token)).told == (403, "ContractRetired")
        assert (await ask(check(register, "3", "address"), token)).told == (403, "ContractUnknown")


End = Callable[[Register], Awaitable[None]]


async def deleted(register: Register) -> None:
    await register.drop("WebServiceGrant", "declaration")


async def refused(register: Register) -> None:
    spec = {
        "refused": {"reason": "the purpose has ended"},
        **register.made["WebServiceGrant/declaration"]["spec"],
    }
    await register.change("WebServiceGrant", "declaration", spec=spec)


async def without_role(register: Register) -> None:
    await register.drop("Role", "grant.declaration")


async def revoking(register: Register) -> None:
    await register.change("WebServiceGrant", "declaration", "status", status=active("v5", state="Revoking"))


@pytest.mark.parametrize("end", [deleted, refused, without_role, revoking])
async def test_an_end_takes_effect_within_two_seconds_also_while_it_is_being_used(
    register: Register, running: AuthorizerProcess, token: str, figures: Figures, end: End
) -> None:
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        await end(register)
        began = time.monotonic()

        async def closed() -> bool:
            said = await ask(check(register), token)
            assert said.status in {200, 403}, said
            return said.status == 403

        await promptly(closed, "the end of it", within=REVOKED_WITHIN)
        figures.add(
            f"Authorizer: 403 after the grant was {end.__name__}", f"{time.monotonic() - began:.2f} s"
        )


async def test_an_agent_calls_for_its_active_customers_and_for_nobody_else(
    register: Register, running: AuthorizerProcess
) -> None:
    agent = await register.account("evry")
    await register.make(web_service(register.holder, "people"), assignment(register.holder))
    await register.opened("evry", "people", agent, "v5", agent={"assignment": "evry"})
    codes = ["90000000001", "90000000002", "90000000003"]
    await register.change(
        "AgentAssignment", "evry", "status", status={"state": "Active", "activeCustomers": codes[:2]}
    )
    token = await register.token("evry", "people")
    async with running.asked(until_decided=True) as ask:

        async def passes() -> bool:
            return (await ask(check(register), token, X_On_Behalf_Of=codes[0])).status == 200

        await eventually(passes)
        said = await ask(check(register), token, X_On_Behalf_Of=codes[1])
        assert said.headers["X-EService-On-Behalf-Of"] == codes[1]
        for code in (codes[2], "90000000009"):
            assert (await ask(check(register), token, X_On_Behalf_Of=code)).told == (403, "CustomerNotListed")
        assert (await ask(check(register), token)).told == (403, "CustomerNotListed")
        two = await ask(check(register), token, X_On_Behalf_Of=f"{codes[0]}, {codes[1]}")
        assert two.told == (403, "CustomerUnclear")
        await register.change(
            "AgentAssignment", "evry", "status", status={"state": "Active", "activeCustomers": codes[1:2]}
        )

        async def left() -> bool:
            return (await ask(check(register), token, X_On_Behalf_Of=codes[0])).status == 403

        await promptly(left, "the end of it for a customer", within=REVOKED_WITHIN)
        assert (await ask(check(register), token, X_On_Behalf_Of=codes[1])).status == 200


def assignment(namespace: str) -> dict[str, object]:
    """Signed, with two pilots and a third customer."""
    document = {"url": "https://documents.example/agreement", "sha256": "0" * 64}
    return {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "AgentAssignment",
        "metadata": {"name": "evry", "namespace": namespace},
        "spec": {
            "webService": "people",
            "agent": {"name": "Evry", "code": "40003000001"},
            "agreement": {"number": "1", "signedAt": "2026-01-10", "document": document},
            "pilotCustomers": [
                {"name": f"Pilot {number}", "code": f"9000000000{number}"} for number in (1, 2)
            ],
            "customers": [{"name": "Third", "code": "90000000003", "since": "2026-02-01"}],
        },
    }


async def test_observe_lets_everybody_pass_and_counts_whom_it_would_not(
    register: Register, running: AuthorizerProcess
) -> None:
    await register.account("stranger")
    await register.make(web_service(register.holder, "people", isolation="Observe"))
    token = await register.token("stranger", "people")
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        said = await ask(check(register), token)
        assert said.told == (200, "NoGrant")
        assert "X-EService-Consumer" not in said.headers
        assert (await ask(check(register))).told == (200, "TokenMissing")
    series = (
        'eservice_authorizer_decisions_total{{decision="observed",name="people",namespace="{}",reason="{}"}}'
    )
    counted = await running.metrics()
    assert counted[series.format(register.holder, "NoGrant")] >= 2
    assert counted[series.format(register.holder, "TokenMissing")] == 1
    line = running.answers()[-1]
    assert (line["level"], line["msg"]) == ("warning", "let through, and would be refused")


async def test_no_token_is_in_any_log_or_figure(
    register: Register, running: AuthorizerProcess, token: str
) -> None:
    async with running.asked(until_decided=True) as ask:
        await allowed(ask, check(register), token)
        for path in (check(register, rest=f"/?token={token}"), f"/v1/check/{token}", f"/{token}"):
            await ask(path, token)
            await ask(path, token[:-4], X_On_Behalf_Of=token)
    async with running.asked() as ask, ask.client.get(f"{running.health}/metrics") as answer:
        figures = await answer.text()
    written = running.log.read_text() + figures
    assert '"status": 200' in written
    for part in token.split("."):
        assert part not in written
        assert part[:20] not in written
