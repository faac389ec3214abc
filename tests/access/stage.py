# SPDX-License-Identifier: Apache-2.0
"""A register behind Envoy, which asks the authorizer, and calls to it with the tokens that Pods have."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from eservice_operator.api.uses import Use
from eservice_operator.core.access.binding import volume_name
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest, Ref
from tests.authorizer import proxies
from tests.authorizer.running import AuthorizerProcess, Tls
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import PODS, poll

REVOKED_WITHIN = 8.0
"""Seconds from an end to the first call that is refused, on a machine that is busy with other things.

A review of a token counts for ten: what is refused before was heard of. How soon that is the figures tell.
"""
OPENED_WITHIN = 30.0
UNANSWERED = (503, "")
"""So Envoy refuses by itself, where the authorizer stood still for longer than it waits."""
GRANTED = (200, "")
"""Envoy tells a caller that passes nothing of the authorizer's."""


@dataclass
class Front:
    """Envoy with the configuration of docs/authorizer.md: it asks about v5, whatever a caller says."""

    register: Register
    listener: proxies.Site
    backend: proxies.Backend
    authorizer: AuthorizerProcess
    kubectl: Kubectl

    async def call(self, token: str | None, *headers: str) -> tuple[int, str]:
        """Status and reason of a call, as the authorizer has it answered."""
        answer = UNANSWERED

        async def answered() -> bool:
            nonlocal answer
            answer = await self._called(token, *headers)
            return answer != UNANSWERED

        await poll(answered, lambda: "an answer of the authorizer")
        return answer

    async def _called(self, token: str | None, *headers: str) -> tuple[int, str]:
        own = () if token is None else (f"Authorization: Bearer {token}",)
        answer = await proxies.raw(self.listener, "/persons", *own, *headers)
        head, _, _ = answer.lower().partition("\r\n\r\n")
        named = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return proxies.status(answer), named.get("x-eservice-reason", "")

    async def until(
        self, wanted: tuple[int, str], token: str, *headers: str, within: float | None = None
    ) -> float:
        """Call until that is the answer; seconds that it took. A refusal may not be long in coming."""
        within = within or (OPENED_WITHIN if wanted == GRANTED else REVOKED_WITHIN)
        began, last = time.monotonic(), (0, "")

        async def answers() -> bool:
            nonlocal last
            last = await self.call(token, *headers)
            return last == wanted

        await poll(answers, lambda: f"{wanted}: {last}", within, longest=0.05)
        return time.monotonic() - began

    async def pods(self, planned: Planned) -> list[Manifest]:
        """The Pods of an e-service."""
        selector = f"eservice.dev/eservice={planned.name}"
        items, _ = await self.register.site.api.list(PODS, planned.namespace, selector)
        return items

    async def token(self, planned: Planned, use: Manifest, audience: str = "") -> str:
        """The token of a use, asked for as the kubelet does: for a Pod, as its volume says."""
        pod = (await self.pods(planned))[0]
        wanted = volume_name(Use.model_validate(use))
        (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == wanted]
        (source,) = [one for one in volume["projected"]["sources"] if "serviceAccountToken" in one]
        asked = source["serviceAccountToken"]
        bound = (
            "--bound-object-kind=Pod",
            f"--bound-object-name={pod['metadata']['name']}",
            f"--bound-object-uid={pod['metadata']['uid']}",
        )
        account = (pod["spec"]["serviceAccountName"], f"--namespace={planned.namespace}")
        terms = (f"--audience={audience or asked['audience']}", f"--duration={asked['expirationSeconds']}s")
        code, printed = await self.kubectl("create", "token", *account, *terms, *bound)
        assert code == 0, printed
        return printed.strip()


def binding_ref(planned: Planned, use: Manifest) -> Ref:
    """The ConfigMap of a use."""
    name = binding_of(planned.name, Use.model_validate(use))
    return Ref("v1", "ConfigMap", planned.namespace, name)


def requests(web_service: Manifest) -> dict[str, str]:
    """The state of each request that the holder reads, by the e-service that asks."""
    return {one["eService"]: one["state"] for one in web_service["status"].get("requests") or ()}


def identity(pods: list[Manifest]) -> dict[str, tuple[str, str]]:
    """By name: which Pod it is, and what it was made from."""
    return {
        pod["metadata"]["name"]: (pod["metadata"]["uid"], json.dumps(pod["spec"], sort_keys=True))
        for pod in pods
    }


@asynccontextmanager
async def before(
    register: Register, authorizer: AuthorizerProcess, tls: Tls, kubectl: Kubectl, folder: Path
) -> AsyncIterator[Front]:
    """The proxy and the register itself, while the block lasts."""
    async with proxies.backend() as behind:
        place = proxies.Site(authorizer.port, behind.port, proxies.free_port(), tls, register.namespace)
        with proxies.proxy(proxies.envoy, folder, place):
            yield Front(register, place, behind, authorizer, kubectl)
