# SPDX-License-Identifier: Apache-2.0
"""How kopf is used: it watches our kinds and keeps its credentials fresh, and marks no object."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sized
from typing import Any, NoReturn

from typing_extensions import override

from eservice_operator.runtime.kopf_alone import kopf
from eservice_operator.runtime.streams import Streams

log = logging.getLogger(__name__)

TRIPWIRE = "eservice.dev/kopf-unused"
"""The finalizer that kopf would set if a handler were registered that needs one; a test looks for it."""

OUTAGE = (1, 1, 2, 3, 5, 8, 13, 21, 30, 30, 30, 30, 30, 30)
"""Seconds between the tries of a request: together about four minutes, so that an API server may restart."""

STOP_PATIENCE = 5.0
"""Seconds for kopf's own tasks to end."""

WATCHER = "watcher for "
"""How the tasks are called that kopf leaves behind when one of them fails. They have to be cancelled before
everything else is: cancelled together with its helper, a watcher takes no notice and goes on."""


class Backoffs(Iterable[float], Sized):
    """The pauses between tries, drawn anew each time so that many operators do not come back together."""

    @override
    def __iter__(self) -> Iterator[float]:
        return (pause * random.uniform(0.7, 1.3) for pause in OUTAGE)  # noqa: S311 - jitter is no secret

    @override
    def __len__(self) -> int:
        return len(OUTAGE)


class NoProgress(kopf.ProgressStorage):
    """Handlers that keep their progress on the object do not exist here, so there is nothing to keep."""

    @override
    def fetch(self, **_: Any) -> None:
        return None

    @override
    def store(self, **_: Any) -> NoReturn:
        raise TypeError("nothing is written on objects; register @kopf.on.event handlers only")

    @override
    def purge(self, **_: Any) -> None:
        return None

    @override
    def touch(self, **_: Any) -> None:
        return None

    @override
    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


class NoDiffBase(kopf.DiffBaseStorage):
    """No last handled configuration either; building one from every event would be most of kopf's work."""

    @override
    def build(self, **_: Any) -> kopf.BodyEssence:
        return {}

    @override
    def fetch(self, **_: Any) -> None:
        return None

    @override
    def store(self, **_: Any) -> NoReturn:
        raise TypeError("nothing is written on objects; register @kopf.on.event handlers only")


def kopf_settings() -> kopf.OperatorSettings:
    """The settings of kopf, where they differ from its defaults."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.posting.enabled = False  # events are published by the cluster layer, without repetition
    settings.scanning.disabled = (
        True  # the kinds are known and waited for before; no list of all CRDs is needed
    )
    settings.execution.default_backoff = 5
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = Backoffs()
    settings.networking.enforce_retry_after = True
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1
    settings.watching.chunk_size = 500
    settings.watching.initial_streaming = False  # loses objects when the stream breaks early
    settings.queueing.exit_timeout = 5
    settings.process.ultimate_exiting_timeout = 40
    settings.persistence.finalizer = TRIPWIRE
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.diffbase_storage = NoDiffBase()
    return settings


async def watch(
    registry: kopf.OperatorRegistry,
    namespaces: Collection[str],
    *,
    ready: asyncio.Event,
    stop: asyncio.Event,
    spawned: Callable[[], None],
) -> None:
    """Run kopf until ``stop`` is set; ``ready`` is set once it watches.

    ``spawned`` is called when kopf has installed its signal handlers, to put the operator's own back: kopf
    has no setting for that. Its tasks are waited for here rather than by `kopf.operator`, which at its end
    cancels every task of the event loop that is younger than itself, a worker in the middle of a write too.

    Raises:
        Exception: whatever ended kopf, if it was not asked to end.
    """
    streams = Streams()
    with streams.noticed():
        tasks = await _spawn(registry, namespaces, ready, stop)
        spawned()
        wanted = False
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            wanted = stop.is_set()
        finally:
            stop.set()  # otherwise kopf arms a SIGKILL for this process
            async with streams.closed():
                await _end(tasks)
                await _end([task for task in asyncio.all_tasks() if task.get_name().startswith(WATCHER)])
    for task in done:
        task.result()
    if not wanted:
        raise RuntimeError(f"kopf ended on its own: {', '.join(sorted(task.get_name() for task in done))}")


async def _spawn(
    registry: kopf.OperatorRegistry, namespaces: Collection[str], ready: asyncio.Event, stop: asyncio.Event
) -> Collection[asyncio.Task[None]]:
    return await kopf.spawn_tasks(
        registry=registry,
        settings=kopf_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        ready_flag=ready,
        stop_flag=stop,
    )


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=STOP_PATIENCE)
        for task in late:
            log.warning("a task of kopf does not end: %s", task.get_name())
