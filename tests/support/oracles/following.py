# SPDX-License-Identifier: Apache-2.0
"""Follows all that the operator writes or could give away: each version of each object."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Expired
from eservice_operator.cluster.resources import CHILDREN, EVENTS, OWN, SECRETS, Resource, resource_of
from eservice_operator.core.actions import Manifest
from tests.support.oracles.seen import Cluster, Place, Seen, place_of

FOLLOWED = (*OWN, *CHILDREN, resource_of("Namespace"), SECRETS, EVENTS)
CAUGHT_UP = 90.0
"""Seconds for the watches to tell what is there already, on a machine that is busy with other things."""
AGAIN = 0.2


class Follower:
    """Tells ``take`` of each version; ``cluster`` is what is there by now."""

    def __init__(self, api: KubeApi, cluster: Cluster, take: Callable[[Seen], None]) -> None:
        self._api = api
        self._cluster = cluster
        self._take = take

    @asynccontextmanager
    async def following(self, resources: Sequence[Resource] = FOLLOWED) -> AsyncIterator[None]:
        """Inside the block every change is told; what was there at its beginning is told as the first."""
        started = await asyncio.gather(*(self._list(resource, first=True) for resource in resources))
        tasks = [
            asyncio.create_task(self._follow(resource, version))
            for resource, version in zip(resources, started, strict=True)
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for one in ended:
                if isinstance(one, BaseException) and not isinstance(one, asyncio.CancelledError):
                    raise one

    async def caught_up(self, resources: Sequence[Resource] = FOLLOWED) -> None:
        """Wait until everything that is there now was told, and everything that is not, too."""
        deadline = time.monotonic() + CAUGHT_UP
        await asyncio.gather(*(self._caught_up(resource, deadline) for resource in resources))

    async def _caught_up(self, resource: Resource, deadline: float) -> None:
        items, at = await self._api.list(resource, metadata_only=True)
        listed = {place_of(item): _version(item) for item in items}
        known = {place: _version(obj) for place, obj in self._cluster.present.items()}
        gone = {  # what is younger than the list may have been made since
            one: version
            for one, version in known.items()
            if one[0] == resource.kind and one not in listed and version <= int(at)
        }

        def behind() -> list[Place]:
            cluster = self._cluster
            told = {
                one: max(_version(cluster.present.get(one)), cluster.ended.get(one, -1)) for one in listed
            }
            late = [one for one, version in listed.items() if told[one] < version]
            return late + [
                one for one, version in gone.items() if _version(cluster.present.get(one)) == version
            ]

        while behind():
            assert time.monotonic() < deadline, f"the watch is behind at {behind()[:3]}"
            await asyncio.sleep(0.01)

    async def _follow(self, resource: Resource, version: str) -> None:
        while True:
            try:
                if not version:
                    version = await self._list(resource, first=False)
                version = await self._once(resource, version)
            except Expired:
                version = ""
            except (ApiError, TimeoutError):
                await asyncio.sleep(AGAIN)  # the API server is away: a test may have seen to that

    async def _once(self, resource: Resource, version: str) -> str:
        events = self._api.watch(resource, version)
        async with aclosing(events):
            try:
                async for event, obj in events:
                    version = obj["metadata"]["resourceVersion"]
                    if event != "BOOKMARK":
                        self._tell(obj, gone=event == "DELETED")
            except Expired:
                raise
            except ApiError:
                return version
        return version

    async def _list(self, resource: Resource, *, first: bool) -> str:
        """Everything of a kind; after a gap also the end of what is not there any more."""
        items, version = await self._api.list(resource)
        for item in items:
            if _version(self._cluster.present.get(place_of(item))) < _version(item):
                self._tell(item, first=first)
        there = {place_of(item) for item in items}
        for place in [one for one in self._cluster.present if one[0] == resource.kind and one not in there]:
            self._tell(self._cluster.present[place], gone=True)
        return version

    def _tell(self, obj: Manifest, *, gone: bool = False, first: bool = False) -> None:
        place = place_of(obj)
        before = self._cluster.present.get(place)
        if before is not None and before["metadata"]["uid"] != obj["metadata"]["uid"]:
            before = None
        if gone:
            self._cluster.present.pop(place, None)
            self._cluster.ended[place] = _version(obj)
        else:
            self._cluster.present[place] = obj
        self._take(Seen(obj, before, gone, first, time.monotonic()))


def _version(obj: Manifest | None) -> int:
    return -1 if obj is None else int(obj["metadata"]["resourceVersion"])
