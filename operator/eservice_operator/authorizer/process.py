# SPDX-License-Identifier: Apache-2.0
"""One authorizer from its start to its end."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from eservice_operator import __version__
from eservice_operator.authorizer.answer import ALWAYS
from eservice_operator.authorizer.decision import Authorizer
from eservice_operator.authorizer.figures import Figures
from eservice_operator.authorizer.hearing import HearingApi
from eservice_operator.authorizer.known import KINDS, Known
from eservice_operator.authorizer.reviews import Reviews
from eservice_operator.authorizer.server import AuthorizerServer
from eservice_operator.authorizer.tls import Certificate, CertificateError, Files
from eservice_operator.cluster import credentials
from eservice_operator.cluster.credentials import CredentialsError
from eservice_operator.cluster.reflector import Reflector
from eservice_operator.cluster.resources import resource_of
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.address import Address
from eservice_operator.serving.bounded import listening
from eservice_operator.serving.health import HealthApp
from eservice_operator.serving.process import stop_signals

log = logging.getLogger(__name__)

Work = tuple[str, Coroutine[Any, Any, None]]
"""What goes on beside the answers, with its name."""
LONGEST_PAUSE: Final = 2.0
"""Seconds between two tries to watch: while it cannot, nobody is let in."""
LEAVING_SECONDS: Final = 0.75
"""From SIGTERM until it no longer listens: who still comes is answered, and told to come to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one authorizer is told; ``tls`` None: it speaks plain HTTP."""

    address: Address
    health_address: Address
    kubeconfig: str | None
    context: str | None
    tls: Files | None
    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Clocks:
    """The wall clock, and one that never goes back."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


async def serve(settings: Settings, clocks: Clocks) -> int:
    """Serve until told to stop; the exit code: 0 after a signal, 1 when it cannot start or go on."""
    stop = stop_signals()
    figures = Figures()
    try:
        async with AsyncExitStack() as stack:
            certificate = Certificate(settings.tls) if settings.tls is not None else None
            configuration = await credentials.load(settings.kubeconfig, settings.context)
            api = await stack.enter_async_context(HearingApi(configuration, clocks.monotonic))
            store = Store()
            known = Known(store)
            figures.collect_silence(lambda: api.silence(KINDS))
            reviews = Reviews(api, figures, clocks.monotonic, lambda: clocks.now().timestamp())
            authorizer = Authorizer(
                known, reviews, lambda: api.silence(KINDS), clocks.now, settings.time_zone
            )
            server = AuthorizerServer(authorizer, figures, clocks.monotonic)
            health = HealthApp(figures.render, ALWAYS, lambda: _unready(known))
            probes = await stack.enter_async_context(listening(health.runner, settings.health_address))
            log.info("answering probes and scrapes on %s", probes)
            failed = await stack.enter_async_context(_beside(_works(api, store, certificate), stop))
            tls = certificate.context if certificate is not None else None
            bound = await stack.enter_async_context(listening(server.runner, settings.address, tls))
            log.info("eservice-operator %s authorizes on %s", __version__, bound)
            health.open = True
            await stop.wait()
            health.open = False
            server.leave()
            await asyncio.sleep(LEAVING_SECONDS)
    except (CertificateError, CredentialsError, OSError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the sentence is for a person, and says all
        return 1
    log.info("stopped")
    return 1 if failed else 0


def _unready(known: Known) -> str | None:
    unlisted = known.unlisted()
    return f"waiting for the first list of {', '.join(unlisted)}" if unlisted else None


def _works(api: HearingApi, store: Store, certificate: Certificate | None) -> Iterator[Work]:
    """What goes on beside the answers."""
    for kind in KINDS:
        reflector = Reflector(api, resource_of(kind), store, _unneeded, longest_pause=LONGEST_PAUSE)
        yield f"the watch of {kind}", reflector.run()
    yield "the first list", _settle(store)
    if certificate is not None:
        yield "the look at the certificate", certificate.renew()


@asynccontextmanager
async def _beside(works: Iterable[Work], stop: asyncio.Event) -> AsyncIterator[list[str]]:
    """Go on with ``works`` in the block; one that fails sets ``stop``, and is named in what is yielded."""
    failed: list[str] = []

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s failed, so nothing would go on", task.get_name(), exc_info=error)
            failed.append(task.get_name())
            stop.set()

    tasks = [asyncio.create_task(work, name=name) for name, work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield failed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _settle(store: Store) -> None:
    """Once all is listed, keep what was read out of the garbage collector's rounds: each is a pause."""
    while not all(store.synced(kind) for kind in KINDS):  # noqa: ASYNC110 - the store tells nobody
        await asyncio.sleep(0.1)
    gc.collect()
    gc.freeze()
    log.info("every kind is listed")


def _unneeded(_change: Change) -> None:
    """Who follows the store is told already."""
