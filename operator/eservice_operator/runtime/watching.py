# SPDX-License-Identifier: Apache-2.0
"""How kopf is used: it watches our kinds and keeps its credentials fresh, and marks no object."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sized
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, NoReturn

import aiohttp
from typing_extensions import override

from eservice_operator.cluster import client
from eservice_operator.runtime.clock import SYSTEM, sleep_or
from eservice_operator.runtime.kopf_alone import kopf
from eservice_operator.runtime.streams import Streams

log = logging.getLogger(__name__)

TRIPWIRE = "eservice.dev/kopf-unused"
"""The finalizer that kopf would set if a handler were registered that needs one; a test looks for it."""

OUTAGE = (1, 1, 2, 3, 5, 8, 13, 21, 30, 30, 30, 30, 30, 30)
"""Seconds between the tries of a request: together about four minutes, so that an API server may restart."""

PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals that another list, or another moment, mends; as errors of the server do."""
ERROR_EVENT = "WatchingError"
"""What kopf raises for an error that comes as an event, other than 410."""
AGAIN = (1.0, 30.0)
"""Seconds until kopf is started again: the first pause, and the longest; drawn around that."""
LASTED = 60.0
"""Seconds after which a run of kopf counts as a good one."""

IDLE = 1.0
"""Seconds for which kopf keeps the last event of an object, and a task: 40 KB for an EService."""
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
    settings.watching.inactivity_timeout = client.INACTIVITY
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1
    settings.watching.chunk_size = client.PAGE
    settings.watching.initial_streaming = False  # loses objects when the stream breaks early
    settings.queueing.exit_timeout = 5
    settings.queueing.idle_timeout = IDLE
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

    An event that nobody can read, an error as an event, an outage longer than its patience: each of these
    ends kopf as a whole. It is started again after a pause, and lists everything anew.
    ``spawned`` is called when kopf has installed its signal handlers, to put the operator's own back: kopf
    has no setting for that.

    Raises:
        Exception: whatever ended kopf, if it was not asked to end and starting it again would not help.
    """
    upcoming, longest = AGAIN
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            async with _passed_on(stop) as stop_this:
                await _watch_once(registry, namespaces, ready, stop_this, spawned)
        except Exception as error:
            if stop.is_set() or not passes(error):
                raise
            pause = AGAIN[0] if clock() - began > LASTED else upcoming
            upcoming = min(longest, pause * 2)
            wait = pause * random.uniform(0.7, 1.3)  # noqa: S311 - jitter is no secret
            log.warning("kopf is started again in %.0f s: %s: %s", wait, type(error).__name__, error)
            await sleep_or(SYSTEM, wait, stop)
        if stop.is_set():
            return


def passes(error: Exception) -> bool:
    """Whether what ended kopf may be over when it starts again: what it was told, or was not.

    Its own classes for that have no public names: a refusal has a status.
    """
    if isinstance(error, ssl.CertificateError):
        return False  # kopf has tried for minutes; a new start reads anew whom to trust
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    told_badly = isinstance(error, aiohttp.ClientError | OSError | ValueError | RecursionError)
    return told_badly or type(error).__name__ == ERROR_EVENT


@asynccontextmanager
async def _passed_on(stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """An event that is set with ``stop``: kopf's own end sets it, and that must not end us."""
    this = asyncio.Event()

    async def pass_on() -> None:
        await stop.wait()
        this.set()

    task = asyncio.create_task(pass_on(), name="stop of kopf")
    try:
        yield this
    finally:
        task.cancel()


async def _watch_once(
    registry: kopf.OperatorRegistry,
    namespaces: Collection[str],
    ready: asyncio.Event,
    stop: asyncio.Event,
    spawned: Callable[[], None],
) -> None:
    """One run of kopf.

    Its tasks are waited for here rather than by `kopf.operator`, which at its end cancels every task of the
    event loop that is younger than itself, a worker in the middle of a write too.
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
