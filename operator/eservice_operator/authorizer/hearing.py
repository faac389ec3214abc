# SPDX-License-Identifier: Apache-2.0
"""Whether the watches are alive: when each kind was last heard of."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any, Final

from typing_extensions import override

from eservice_operator.cluster.client import KubeApi, Listing
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.resources import Resource
from eservice_operator.core.actions import Manifest

WATCH_SECONDS: Final = (2, 3)
"""How long one watch lasts: the next begins where it ended, and each end is a sign of life."""
INACTIVITY: Final = 4.0
"""Seconds of silence after which a watch is broken off; one that lives has ended by then."""
SILENT_SECONDS: Final = 5.0
"""After so much silence what was seen may be old: enough for a watch, a failure and a new one."""


class HearingApi(KubeApi):
    """The client, which notes when the last list, event, bookmark or orderly end of a watch came."""

    def __init__(self, configuration: Configuration, monotonic: Callable[[], float]) -> None:
        super().__init__(configuration, inactivity=INACTIVITY, watch_seconds=WATCH_SECONDS)
        self._monotonic = monotonic
        self._heard: dict[str, float] = {}

    def silence(self, kinds: Iterable[str]) -> float:
        """Seconds since the kind that has been silent the longest was heard of; infinite: never."""
        oldest = min(self._heard.get(kind, -math.inf) for kind in kinds)
        return self._monotonic() - oldest

    @override
    async def list(self, resource: Resource, *args: Any, **settings: Any) -> Listing:
        """As of the moment at which it was asked for."""
        asked = self._monotonic()
        listing = await super().list(resource, *args, **settings)
        self._heard[resource.kind] = asked
        return listing

    @override
    async def watch(
        self, resource: Resource, *args: Any, **settings: Any
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        events = super().watch(resource, *args, **settings)
        async with aclosing(events):
            async for event in events:
                self._heard[resource.kind] = self._monotonic()
                yield event
        self._heard[resource.kind] = self._monotonic()
