# SPDX-License-Identifier: Apache-2.0
"""The oracles at work: a thread follows a cluster and its operators, and asks each judge at each event."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.support.audit import OPERATOR, AuditLog
from tests.support.operator import OperatorProcess, record_of
from tests.support.oracles.access import GrantsBehindAccess
from tests.support.oracles.following import Follower
from tests.support.oracles.quiet import assert_quiet
from tests.support.oracles.routes import NothingPublicPastItsInstant
from tests.support.oracles.seen import Cluster, Judge, Seen
from tests.support.oracles.statuses import SoundStatuses
from tests.support.oracles.words import NothingOfASecret, NothingOfKopf, mishaps
from tests.support.oracles.writes import OnlyItsOwn

if TYPE_CHECKING:
    from controlplane import Cluster as ControlPlane

TICK = 0.25
SCRAPE = 20
"""Every how many ticks the metrics are read."""
STARTED = 60.0
HUNG_UP = 20.0
ANSWERED = 90.0
"""Seconds; far longer than anything takes that does not hang."""


@dataclass
class Log:
    """What an operator's log has told since it was opened on."""

    operator: OperatorProcess
    offset: int = 0
    rest: bytes = b""

    def fresh(self) -> list[str]:
        """The lines that came since the last look, each of them whole."""
        if not self.operator.log.exists():
            return []
        with self.operator.log.open("rb") as log:
            log.seek(self.offset)
            came = log.read()
        self.offset += len(came)
        *lines, self.rest = (self.rest + came).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


@dataclass
class Watch:
    """All oracles of one cluster; ``follow`` names the operators whose log, metrics and readiness count."""

    kubeconfig: Path
    audit: AuditLog
    secrecy: NothingOfASecret = field(default_factory=NothingOfASecret)
    routes: NothingPublicPastItsInstant = field(default_factory=NothingPublicPastItsInstant)
    cluster: Cluster = field(default_factory=Cluster)
    broken: list[str] = field(default_factory=list)
    """Every sentence that a judge said and nobody has heard yet."""
    foreseen: Sequence[str] = ()
    """Words of errors that the story brings about: the operator's log tells them, and rightly."""
    told: int = 0
    """How many versions of objects were judged."""
    _logs: list[Log] = field(default_factory=list)
    _judges: list[Judge] = field(default_factory=list)
    _was_ready: bool = False
    _loop: asyncio.AbstractEventLoop | None = None
    _follower: Follower | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _started: Future[None] = field(default_factory=Future)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._judges += [GrantsBehindAccess(), self.routes, OnlyItsOwn(), self.secrecy, NothingOfKopf()]
        self._judges += [SoundStatuses()]

    @classmethod
    def over(cls, cluster: ControlPlane) -> Watch:
        """The oracles of a cluster, not at work yet."""
        return cls(cluster.kubeconfig, AuditLog.from_now(cluster.audit_log))

    def follow(self, operator: OperatorProcess) -> None:
        """Judge what this operator says from now on, and hold it to time while it is ready."""
        if all(log.operator is not operator for log in self._logs):
            begins = operator.log.stat().st_size if operator.log.exists() else 0
            self._logs.append(Log(operator, begins))

    def plant(self, value: str, what: str) -> None:
        """Look for something confidential that is no Secret of the cluster."""
        self.secrecy.plant(value, what)

    async def kept(self, *, rest: bool = False) -> None:
        """Fails with what was broken since the last time; all that happened before the call is judged.

        At ``rest`` the operator has nothing to do any more: what should be gone by then is gone.
        """
        await asyncio.wrap_future(self._ask(self._judge_all(rest=rest)))
        self._raise()

    async def caught_up(self) -> None:
        """Wait until all that happened before the call was told, which is as much as an operator can know."""
        assert self._follower is not None, "it was not started"
        await asyncio.wrap_future(self._ask(self._follower.caught_up()))

    async def quiet(self, operator: OperatorProcess, periods: int = 2) -> None:
        """Fails if the operator, with nothing to do, writes anything in so many of its resync periods."""
        await assert_quiet(operator, AuditLog.from_now(self.audit.path), periods)

    def _raise(self) -> None:
        broken, self.broken = self.broken, []
        assert not broken, "\n".join(["what must always be so was not:", *broken[:20]])

    def start(self) -> None:
        """Follow from now on; what is there already is not judged."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._started.result(STARTED)

    def stop(self) -> None:
        """Follow no more."""
        if self._loop is not None and self._thread is not None:
            with contextlib.suppress(RuntimeError):  # it ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(ANSWERED)

    def _ask(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        assert self._loop is not None, "it was not started"
        assert self._thread is not None, "it was not started"
        assert self._thread.is_alive(), "the oracles have died"
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with KubeApi(await credentials.load(str(self.kubeconfig), None)) as api:
                self._follower = Follower(api, self.cluster, self._take)
                async with self._follower.following():
                    self._started.set_result(None)
                    await self._tick_on()
            await _hung_up()
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)
            raise

    async def _tick_on(self) -> None:
        ticks = 0
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), TICK)
            ticks += 1
            await self._tick(scrape=ticks % SCRAPE == 0, rest=False)

    async def _judge_all(self, *, rest: bool) -> None:
        assert self._follower is not None
        self._hear(self._asked())
        begun = time.monotonic()
        await self._follower.caught_up()
        self.cluster.complete = begun
        await self._tick(scrape=True, rest=rest)

    async def _tick(self, *, scrape: bool, rest: bool) -> None:
        ready = await asyncio.to_thread(lambda: any(log.operator.ready for log in self._logs))
        now = time.monotonic()
        if ready and self._was_ready:
            self.cluster.served += now - self.cluster.now
        self._was_ready, self.cluster.now = ready, now
        self._hear(self._asked())
        for log in self._logs:
            lines = log.fresh()
            self._hear(self._unforeseen(mishaps(map(record_of, lines))))
            for line in lines:
                self._hear(self.secrecy.told(line, "the operator's log"))
        if scrape and ready:
            self._hear(await asyncio.to_thread(lambda: list(self._scraped())))
        for judge in self._judges:
            self._hear(judge.tick(self.cluster, rest=rest))

    def _unforeseen(self, sentences: Iterable[str]) -> Iterable[str]:
        return (one for one in sentences if not any(words in one for words in self.foreseen))

    def _asked(self) -> Iterable[str]:
        requests = [request for request in self.audit.read() if request.user == OPERATOR]
        self.audit.requests = []
        for request in requests:
            for judge in self._judges:
                yield from judge.asked(request, self.cluster)

    def _scraped(self) -> Iterable[str]:
        for log in self._logs:
            yield from self.secrecy.told(log.operator.scraped(), "the operator's metrics")

    def _take(self, seen: Seen) -> None:
        self.told += not seen.first
        for judge in self._judges:
            self._hear(judge.take(seen, self.cluster))

    def _hear(self, sentences: Iterable[str]) -> None:
        self.broken += [sentence for sentence in sentences if sentence not in self.broken]


async def _hung_up() -> None:
    """Wait for the end of every connection: watches that were left in the middle end a moment later."""
    deadline = time.monotonic() + HUNG_UP
    while getattr(asyncio.get_running_loop(), "_transports", ()) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)


@asynccontextmanager
async def oracles(cluster: ControlPlane, *operators: OperatorProcess) -> AsyncIterator[Watch]:
    """The oracles of a cluster inside the block, at whose end all of them have to have been kept."""
    watch = Watch.over(cluster)
    for operator in operators:
        watch.follow(operator)
    await asyncio.to_thread(watch.start)
    try:
        yield watch
        await watch.kept()
    finally:
        await asyncio.to_thread(watch.stop)
