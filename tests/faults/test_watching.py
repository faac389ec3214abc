# SPDX-License-Identifier: Apache-2.0
"""What a test follows to the end of a block it follows to its end, or the block fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Expired
from eservice_operator.core.actions import Manifest, Ref
from tests.support.site import Site

REF = Ref("v1", "ConfigMap", "somewhere", "one")


class Broken:
    """A client whose watches end after one event: for no reason, or with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.ended = asyncio.Event()

    async def get(self, ref: Ref) -> Manifest:
        return {"kind": ref.kind, "metadata": {"name": ref.name, "resourceVersion": "1"}}

    async def watch(self, *_: object) -> AsyncIterator[tuple[str, Manifest]]:
        yield "MODIFIED", await self.get(REF)
        self.ended.set()
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [None, Expired(410, "Expired", "too old")], ids=["runs out", "expires"])
async def test_a_watch_that_ends_before_its_block_fails_it(error: Exception | None) -> None:
    api = Broken(error)

    async def follow() -> None:
        async with Site(cast("KubeApi", api)).watching(REF) as versions:
            await api.ended.wait()
            await asyncio.sleep(0)
            assert len(versions) == 1, "what came is there"

    with pytest.raises(AssertionError, match="ended in the block"):
        await follow()
