# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is to be reviewed: tokens that anybody can make up keep nobody waiting who is known."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from eservice_operator.authorizer import reviews as reviews_module
from eservice_operator.authorizer.asked import Place
from eservice_operator.authorizer.figures import Figures
from eservice_operator.authorizer.reviews import AT_ONCE, TOKEN_SECONDS, UNKNOWN_AT_ONCE, Reviews
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import ACCESS_REVIEWS, TOKEN_REVIEWS, Resource
from tests.support.waiting import eventually

PLACE = Place("ur-production", "people", "v5")
EXPIRES = 10**6
FLOOD = 4 * AT_ONCE


def token(signature: str) -> str:
    """A token for the web service; nobody has signed it."""
    claims = {
        "aud": [PLACE.audience],
        "exp": EXPIRES,
        "sub": "system:serviceaccount:pmlp-production:declaration",
    }
    payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.{signature}"


HONEST = token("honest")


@dataclass
class Busy:
    """An API server that answers about the honest, and takes for ever over everybody else."""

    seconds: float = 0.0
    forged: int = 0
    asked: list[str] = field(default_factory=list)

    async def review(self, resource: Resource, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(resource.kind)
        if resource is ACCESS_REVIEWS:
            return {"allowed": True}
        if spec["token"] != HONEST:
            self.forged += 1
            await asyncio.Event().wait()
        user = {"username": "system:serviceaccount:pmlp-production:declaration"}
        return {"authenticated": True, "audiences": [PLACE.audience], "user": user}

    def clock(self) -> float:
        return self.seconds


@pytest.fixture
async def flooded(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Busy, Reviews]]:
    """One caller is known; then many made-up tokens come, each another one. None of them is given up."""
    monkeypatch.setattr(reviews_module, "REVIEW_SECONDS", 60.0)
    api = Busy()
    reviews = Reviews(cast("KubeApi", api), Figures(), api.clock, api.clock)
    assert await reviews.caller(HONEST, PLACE.audience) is not None
    flood = [asyncio.create_task(reviews.caller(token(f"forged{at}"), PLACE.audience)) for at in range(FLOOD)]

    async def under_way() -> bool:
        return api.forged > 0

    await eventually(under_way)
    api.asked.clear()
    yield api, reviews
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)


async def test_made_up_tokens_keep_no_known_caller_waiting(flooded: tuple[Busy, Reviews]) -> None:
    api, reviews = flooded
    assert api.forged == UNKNOWN_AT_ONCE < AT_ONCE
    api.seconds += TOKEN_SECONDS + 1
    caller = await reviews.caller(HONEST, PLACE.audience)
    assert caller is not None, "known, and renewed past the flood"
    assert await reviews.may_invoke(caller, PLACE, PLACE.version)
    assert api.asked == [TOKEN_REVIEWS.kind, ACCESS_REVIEWS.kind]
    assert api.forged == UNKNOWN_AT_ONCE
