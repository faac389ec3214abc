# SPDX-License-Identifier: Apache-2.0
"""One operator from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from eservice_operator import __version__
from eservice_operator.cluster import credentials
from eservice_operator.cluster.attempts import Attempt
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.credentials import CredentialsError
from eservice_operator.cluster.store import Store
from eservice_operator.cluster.transport import Request, Transport, agent_of
from eservice_operator.runtime import logs
from eservice_operator.runtime.buffers import buffer_less
from eservice_operator.runtime.checks import in_touch, lists_fresh, loop_in_time, queue_moves
from eservice_operator.runtime.clock import SYSTEM, Clock
from eservice_operator.runtime.clockguard import ClockGuard
from eservice_operator.runtime.collecting import collect_seldom, freeze_what_is_there
from eservice_operator.runtime.essentials import Essentials
from eservice_operator.runtime.handlers import registry_for
from eservice_operator.runtime.health import HealthServer
from eservice_operator.runtime.leadership import connection_of_lease, leadership_of
from eservice_operator.runtime.lease_options import terms_of
from eservice_operator.runtime.lists import Lists
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Surroundings, Wiring
from eservice_operator.runtime.pulse import Pulse, unless_cut_off
from eservice_operator.runtime.rounds import Rounds
from eservice_operator.runtime.routes_home import WrongHome, stay_with_routes
from eservice_operator.runtime.settings import Settings, unknown_variables
from eservice_operator.runtime.signals import StopSignals, leave_within
from eservice_operator.runtime.startup import CannotStart, until_served, warn_of_unknown_networks
from eservice_operator.runtime.watchdog import Watchdog
from eservice_operator.runtime.watching import watch

log = logging.getLogger(__name__)

ASK = Request("get", "GET", "/version")
"""What is asked while there is doubt about the clock; also a refusal carries a date."""
CLOSING = 12.0
"""Seconds for watches and connections to close, once the last key is done."""
LAST_SECONDS = 5.0
"""Seconds from the end of the operator to the end of the process, whatever still runs in it."""


class Operator:
    """Credentials, one full list of every kind, watches, a place in the election; as the leader also workers.

    And all of that back again.
    """

    def __init__(self, settings: Settings, wiring: Wiring, clock: Clock = SYSTEM) -> None:
        self._settings = settings
        self._wiring = wiring
        self._clock = clock
        self._metrics = Metrics()
        self._pulse = Pulse(self._metrics, clock)
        self._store = Store(wiring.indexes)
        self._rounds = Rounds(self._store, settings, wiring, self._metrics, clock)
        self._leadership = leadership_of(settings, self._metrics, clock)
        self._guard = ClockGuard(self._metrics, self._rounds.look_at_all, clock)
        self._watchdog = Watchdog(self._metrics, self._clock_moved, clock)
        self._lists = Lists(self._store, settings, clock)
        self._signals = StopSignals()
        self._essentials = Essentials()
        self._stop_kopf = asyncio.Event()
        self._at_end: list[Callable[[], Awaitable[None]]] = []
        self._waiting_for: str | None = "its credentials"

    async def run(self) -> int:
        """Serve until told to stop; the exit code: 0 after a signal, 1 if it cannot go on, 2 by settings."""
        self._signals.install()
        try:
            async with AsyncExitStack() as stack:
                try:
                    return await self._serve(stack)
                finally:
                    await self._essentials.cancel(CLOSING)
                    await self._leadership.release()  # once nothing of ours is on its way any more
        except (CredentialsError, CannotStart, OSError) as error:
            log.error("cannot start: %s", error)  # noqa: TRY400 - the sentence is for a person, and says all
            return 2 if isinstance(error, WrongHome) else 1
        finally:
            self._signals.remove()

    async def _serve(self, stack: AsyncExitStack) -> int:
        await stack.enter_async_context(self._health().serving(self._settings.metrics_address))
        self._essentials.start("the watchdog", self._watchdog.run())
        starting = asyncio.create_task(self._start(stack), name="start")
        stopped = asyncio.create_task(self._signals.stop.wait(), name="stop waiter")
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return 0
        stopped.cancel()
        work = await starting
        wanted = await self._essentials.last_until(self._signals.stop)
        await self._stop(work)
        return 0 if wanted else 1

    async def _start(self, stack: AsyncExitStack) -> asyncio.Task[None]:
        """Everything in its order; answers the task of the work that a leader does."""
        configuration = await self._credentials()
        leadership = self._leadership
        identity = leadership.identity
        api = KubeApi(configuration, guard=leadership, agent=identity, on_request=self._requested)
        await stack.enter_async_context(api)
        self._waiting_for = "its kinds to be served"
        transport = Transport(configuration, agent=identity, on_request=self._requested)
        stack.push_async_callback(transport.close)
        await until_served(transport, self._clock)
        self._essentials.start("the clock guard", self._guard.run(lambda: transport.send(ASK)))
        self._waiting_for = "its lease"
        await self._look_at_lease(stack, configuration)
        self._waiting_for = "the first list of every kind"
        await self._lists.fill(api, transport, self._rounds.intake)
        freeze_what_is_there()
        stay_with_routes(self._store, self._settings)
        warn_of_unknown_networks(self._store, self._settings)
        self._waiting_for = "its watches"
        self._lists.watch(transport, self._essentials)
        await self._watch_ours()
        self._waiting_for = "its lease"
        await leadership.stand()  # only now: who leads has read everything
        self._essentials.start("the election", leadership.run())
        work = asyncio.create_task(self._work(api), name="work")
        self._essentials.add("the work", work)
        return work

    async def _look_at_lease(self, stack: AsyncExitStack, configuration: Any) -> None:
        """Who leads, before anything is read: so that it is known whether that was of another one's time."""
        terms, identity = terms_of(self._settings), self._leadership.identity
        transport = connection_of_lease(configuration, terms, identity, self._requested)
        stack.push_async_callback(transport.close)
        await self._leadership.look(transport)

    async def _work(self, api: KubeApi) -> None:
        """Wait for the lease, bring the store up to date, and reconcile until told to stop."""
        if not self._leadership.leading:
            self._waiting_for = None  # who stands by is ready: it could lead at any moment
        await self._leadership.won()
        if not self._leadership.undisturbed:
            await self._lists.refresh()
        reconciler = self._wiring.make_reconciler(
            Surroundings(
                api=api,
                store=self._store,
                settings=self._settings,
                clock=self._clock,
                metrics=self._metrics,
                wake=self._rounds.intake.wake,
                clock_trusted=self._guard.trusted,
                add=self._rounds.add,
                at_end=self._at_end.append,
                leading=lambda: self._leadership.leading,
            )
        )
        self._essentials.start("the resync", self._rounds.look_again())
        self._rounds.begin()
        self._waiting_for = None
        log.info("eservice-operator %s serves %d objects", __version__, self._rounds.queue.depth)
        await self._rounds.queue.run(reconciler)

    async def _credentials(self) -> Any:
        return await credentials.load(self._settings.kubeconfig, self._settings.context)

    async def _watch_ours(self) -> None:
        """Start kopf, and wait until it has started."""
        ready = asyncio.Event()
        watching = watch(
            registry_for(
                self._rounds.intake.observed,
                self._credentials,
                self._lists.listed_by_kopf,
                agent_of(self._leadership.identity),
                self._rounds.intake.news,
            ),
            self._settings.namespaces,
            ready=ready,
            stop=self._stop_kopf,
            spawned=self._signals.install,
        )
        kopf = asyncio.create_task(watching, name="kopf")
        self._essentials.add("kopf", kopf)
        waiting = asyncio.create_task(ready.wait(), name="kopf waiter")
        await asyncio.wait({kopf, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def _stop(self, work: asyncio.Task[None]) -> None:
        """No new work, what runs is finished, another one may lead, then the watches end.

        Connections are closed by the caller.
        """
        self._waiting_for = "its end"
        for step in self._at_end:
            await step()
        self._rounds.queue.stop()
        if self._leadership.leading:
            await asyncio.wait({work}, timeout=self._rounds.limits.drain + 1)
        await self._leadership.release()
        self._stop_kopf.set()
        await self._essentials.cancel(CLOSING)
        log.info("stopped")

    def _requested(self, attempt: Attempt) -> None:
        self._pulse.requested(attempt)
        self._guard.answered(attempt)

    def _clock_moved(self) -> None:
        self._guard.moved()
        self._rounds.look_at_all()

    def _health(self) -> HealthServer:
        self._metrics.collect_list_ages(self._lists.ages)
        self._metrics.too_deep.set_function(lambda: len(self._store.too_deep))
        collector = self._wiring.collector
        if collector is not None:
            collect = unless_cut_off(self._pulse, lambda: collector.collect(self._store, self._clock.now()))
            self._metrics.collect_state(collect)
        live = {
            "loop": loop_in_time(self._watchdog),
            "queue": queue_moves(self._rounds.queue),
            "lists": lists_fresh(self._lists.ages, self._pulse, self._settings.resync.total_seconds()),
        }
        ready = {"started": self._unready, "touch": in_touch(self._pulse)}
        return HealthServer(self._metrics, live, ready)

    def _unready(self) -> str | None:
        return f"waiting for {self._waiting_for}" if self._waiting_for is not None else None


def serve(settings: Settings, wiring: Wiring, clock: Clock = SYSTEM) -> int:
    """Run one operator in this process and answer its exit code."""
    collect_seldom()
    buffer_less()
    logs.configure(settings.log_level, settings.log_format)
    for sentence in unknown_variables(os.environ):
        log.warning(sentence)
    try:
        return asyncio.run(_to_the_end(Operator(settings, wiring, clock)))
    except Exception:
        log.exception("the operator failed")
        return 1


async def _to_the_end(operator: Operator) -> int:
    try:
        return await operator.run()
    finally:
        leave_within(LAST_SECONDS)
