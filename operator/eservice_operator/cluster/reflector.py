# SPDX-License-Identifier: Apache-2.0
"""Keeps one kind of the store like the cluster: LIST, WATCH, and LIST again, after a gap and regularly."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Final

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Expired, Transient
from eservice_operator.cluster.resources import Resource
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest, Ref

logger = logging.getLogger(__name__)

BACKOFF: Final = (0.5, 30.0)
"""Seconds: the first and the longest pause after a failure; each is drawn between zero and its bound."""
BETWEEN_LISTS: Final = 1.0
"""Seconds at least from a list to one that is asked for."""
SHORTEST_WATCH: Final = 1.0
"""Seconds: a watch that ends sooner, and in silence, counts as a failure, or it would be opened in a loop."""
SILENT: Final = "Timeout"
"""The reason of a watch that brought nothing, not even bookmarks; a second one leads to a LIST."""
FETCH_AT_MOST: Final = 50
"""Differences that a resync fetches one by one; more of them are cheaper to list in full."""


class Reflector:
    """One resource, in all namespaces or in those given, each with a list and a watch of its own.

    ``on_change`` is told of every change to the store, except those that our own writes made first; it must
    not block. ``resync`` and ``longest_pause`` (after failures) are in seconds; the former is varied by
    ±10 %, so that kinds do not list together. With ``watch=False`` somebody else watches (kopf), and only
    LISTs are made.
    """

    def __init__(  # noqa: PLR0913 - the last five are settings
        self,
        api: KubeApi,
        resource: Resource,
        store: Store,
        on_change: Callable[[Change], None],
        *,
        label_selector: str = "",
        namespaces: Sequence[str] = (),
        resync: float = 1200.0,
        watch: bool = True,
        longest_pause: float = BACKOFF[1],
    ) -> None:
        self.resource = resource
        self._api = api
        self._store = store
        self._on_change = on_change
        self._selector = label_selector
        self._resync = resync
        self._watch = watch
        self._longest_pause = longest_pause
        scopes = namespaces if namespaces and resource.namespaced else ("",)
        self._versions: dict[str, str] = dict.fromkeys(scopes, "")
        self._latest: dict[str, int] = dict.fromkeys(scopes, 0)
        self._listed: dict[str, float] = {}
        self._first = {scope: asyncio.Event() for scope in scopes}
        self._asked = {scope: asyncio.Event() for scope in scopes}

    @property
    def listed_at(self) -> float | None:
        """When (monotonic seconds) the scope that waits longest was last listed; None: not all are yet."""
        if len(self._listed) < len(self._versions):
            return None
        return min(self._listed.values())

    def look_again(self) -> None:
        """List once more, soon: whoever watches in our place may have missed that something was deleted."""
        for asked in self._asked.values():
            asked.set()

    async def sync(self) -> None:
        """List everything into the store once.

        Raises:
            ApiError: the list could not be had; the store keeps what it had.
        """
        for scope in self._versions:
            await self._list(scope)

    async def refresh(self) -> None:
        """Bring the store up to what is there now, by a list of names and versions; raises as `sync`."""
        for scope in self._versions:
            await self._compare(scope)

    async def run(self) -> None:
        """Keep the store like the cluster until cancelled; no failure ends it."""
        async with asyncio.TaskGroup() as tasks:
            for scope in self._versions:
                tasks.create_task(self._keep_listing(scope))
                if self._watch:
                    tasks.create_task(self._keep_watching(scope))

    async def _keep_watching(self, scope: str) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                if not self._versions[scope]:
                    await self._list(scope)
                heard = await self._watch_once(scope)
                failures = 0 if heard or time.monotonic() - began > SHORTEST_WATCH else failures + 1
            except Expired as error:
                logger.info("%s: events were missed, listing again: %s", self._name(scope), error)
                self._versions[scope] = ""
                failures += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, the next LIST starts from the facts
                failures += 1
                self._report(scope, "watch", error)
                if not isinstance(error, Transient) or (failures > 1 and error.reason == SILENT):
                    self._versions[scope] = ""
            await self._pause(failures)

    async def _keep_listing(self, scope: str) -> None:
        if self._watch:
            await self._first[scope].wait()  # the watch begins with a LIST of its own
        failures = 0
        while True:
            if failures:
                await self._pause(failures)
            elif scope in self._listed:
                await self._until_due(scope)
            self._asked[scope].clear()
            try:
                await (self._compare(scope) if scope in self._listed else self._list(scope))
                failures = 0
            except Exception as error:  # noqa: BLE001 - as above
                failures += 1
                self._report(scope, "list", error)

    async def _until_due(self, scope: str) -> None:
        """Wait until the next regular list is due, or somebody asks for one: maybe again and again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._resync * random.uniform(0.9, 1.1)):  # noqa: S311
                await self._asked[scope].wait()
        if self._asked[scope].is_set():
            since = time.monotonic() - self._listed[scope]
            await asyncio.sleep(max(0.0, BETWEEN_LISTS - since))

    async def _list(self, scope: str) -> None:
        before = self._latest[scope]
        items, version = await self._api.list(
            self.resource, scope, self._selector, keep=lambda item: self._store.shared(slim(item))
        )
        self._versions[scope] = version
        if int(version) < before:
            logger.warning("%s: time went back from %d to %s", self._name(scope), before, version)
            self._latest[scope] = 0
            changes = self._store.rewind(self.resource.kind, items, scope)
        else:
            changes = self._store.replace(self.resource.kind, items, version, scope)
        self._announce(changes)
        self._seen(scope, version)

    async def _watch_once(self, scope: str) -> bool:
        """Follow one watch to its end; whether it brought anything."""
        heard = False
        events = self._api.watch(self.resource, self._versions[scope], scope, self._selector)
        async with aclosing(events):
            async for event, obj in events:
                heard = True
                if event != "BOOKMARK":
                    self._take(event, obj)
                self._heard(scope, obj["metadata"]["resourceVersion"])
        return heard

    def _heard(self, scope: str, version: str) -> None:
        self._versions[scope] = version
        self._latest[scope] = max(self._latest[scope], int(version))

    def _take(self, event: str, obj: Manifest) -> None:
        kept = slim(obj)
        change = self._store.delete(kept) if event == "DELETED" else self._store.upsert(kept)
        if change is not None:
            self._announce([change])

    async def _compare(self, scope: str) -> None:
        """Set what the store has against a LIST of names and versions, and fetch what differs."""
        kind = self.resource.kind
        before = self._latest[scope]
        items, version = await self._api.list(
            self.resource, scope, self._selector, metadata_only=True, keep=_identity
        )
        unknown = [item for item in items if not self._store.knows(kind, item)]
        if len(unknown) > FETCH_AT_MOST or int(version) < before:
            await self._list(scope)
            return
        present = {item["metadata"]["uid"] for item in items}
        for item in unknown:
            metadata = item["metadata"]
            self._store.exhume(kind, metadata["uid"], version)
            ref = Ref(self.resource.api_version, kind, metadata.get("namespace", ""), metadata["name"])
            live = await self._api.get(ref)
            if live is None or live["metadata"]["uid"] != metadata["uid"]:
                present.discard(metadata["uid"])
            if live is not None:
                change = self._store.upsert(slim(live))
                self._announce([change] if change else ())
        self._announce(self._store.prune(kind, present, version, scope))
        self._seen(scope, version)

    def _seen(self, scope: str, version: str) -> None:
        self._latest[scope] = max(self._latest[scope], int(version))
        self._listed[scope] = time.monotonic()
        self._first[scope].set()
        if len(self._listed) == len(self._versions):
            self._store.mark_synced(self.resource.kind)

    def _announce(self, changes: Iterable[Change]) -> None:
        for change in changes:
            try:
                self._on_change(change)
            except Exception:
                logger.exception("%s: nobody could be told of the change", change.key)

    async def _pause(self, failures: int) -> None:
        if failures:
            bound = min(BACKOFF[0] * 2.0 ** min(failures, 32), self._longest_pause)
            await asyncio.sleep(random.uniform(0, bound))  # noqa: S311

    def _name(self, scope: str) -> str:
        return f"{self.resource.plural} in {scope}" if scope else self.resource.plural

    def _report(self, scope: str, what: str, error: Exception) -> None:
        expected = isinstance(error, ApiError)
        logger.log(
            logging.WARNING if expected else logging.ERROR,
            "%s: cannot %s, trying again: %s",
            self._name(scope),
            what,
            error,
            exc_info=None if expected else error,
        )


def _identity(item: Manifest) -> Manifest:
    metadata = item["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion")
    return {"metadata": {field: metadata[field] for field in kept if field in metadata}}
