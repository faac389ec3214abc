# SPDX-License-Identifier: Apache-2.0
"""Holds a Lease, or waits for it.

Who has lost the lease, or could not renew it in time, ends the process at once: nothing that is under way
then has to find out by itself. The next operator, or the next start, begins from what is in the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final, NoReturn

from eservice_operator.cluster.errors import AlreadyExists, ApiError, Conflict, NotFound, Transient
from eservice_operator.cluster.lease import Candidate, Lease, Move
from eservice_operator.cluster.resources import path_of
from eservice_operator.cluster.transport import Request, Transport
from eservice_operator.core.actions import Manifest, Ref
from eservice_operator.runtime.clock import Clock, boottime
from eservice_operator.runtime.lease_news import LeaseNews
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.signals import leave_now
from eservice_operator.runtime.startup import NotYetServed, persist

log = logging.getLogger(__name__)

STEPS: Final = 4
"""Requests of one turn at most: who meets others at the lease again and again comes back at the next turn."""
LAST_WORD: Final = 3.0
"""Seconds for giving the lease back; without an answer by then the next operator waits for it to run out."""


class Elector:
    """Stands for one Lease, at ``where``, in the name of ``candidate``.

    ``now`` is a clock in seconds that runs on while the process is stopped or the machine asleep; ``leave``
    ends the process.
    """

    def __init__(
        self,
        where: Ref,
        candidate: Candidate,
        metrics: Metrics,
        clock: Clock,
        *,
        now: Callable[[], float] = boottime,
        leave: Callable[[int], NoReturn] = leave_now,
    ) -> None:
        self.identity = candidate.identity
        self._where = where
        self._name = f"{where.namespace}/{where.name}"
        self._candidate = candidate
        self._terms = candidate.terms
        self._clock = clock
        self._now = now
        self._leave = leave
        self._transport: Transport | None = None
        self._turning = asyncio.Lock()
        self._won = asyncio.Event()
        self._over = False
        self._news = LeaseNews(self._name, self.identity, metrics, lambda: self.leading)
        self._found: Lease | None = None
        """What it was when it was looked at first."""
        self.undisturbed = False
        """Whether nobody else can have led since then."""

    @property
    def leading(self) -> bool:
        """Whether it leads at this moment."""
        return self.time_left() > 0

    def time_left(self) -> float:
        """Seconds within which a write that begins now has to be over; 0 or less: it must not begin."""
        return self._candidate.time_left(self._now())

    async def look(self, transport: Transport) -> None:
        """Look at the lease for the first time: another one's begins to run out by this.

        Raises:
            CannotStart: the API server refuses.
        """
        self._transport = transport
        await persist(self._look, f"the lease {self._name}", self._clock)
        self._found = self._candidate.lease

    async def stand(self) -> None:
        """Take the lease if it is free; from here on it is to be kept, or waited for, by `run`.

        Raises:
            CannotStart: the API server refuses.
        """
        await persist(self._turn, f"the lease {self._name}", self._clock)
        if not self._candidate.holding:
            leader = self._news.leader or "nobody"
            log.info(
                "standing by for the lease %s, by which %s leads, as %s", self._name, leader, self.identity
            )

    async def run(self) -> None:
        """Look at it, or renew it, again and again, until cancelled."""
        while not self._over:
            await self._clock.sleep(self._pause())
            try:
                await self._turn()
            except (ApiError, NotYetServed) as error:
                self._news.failed(error, holding=self._candidate.holding)
            else:
                self._news.answered()

    async def won(self) -> None:
        """Wait until it leads."""
        await self._won.wait()

    async def release(self) -> None:
        """Write nothing any more, and give the lease back, so that another one leads at its next look."""
        self._over = True
        async with self._turning:
            held = self._candidate.holding
            self._candidate.resign()
            if not held:
                return
            try:
                await self._give_back(self._now() + LAST_WORD)
            except ApiError as error:
                log.warning(
                    "the lease %s could not be given back, so it has to run out: %s", self._name, error
                )
            else:
                log.info("the lease %s is given back", self._name)

    async def _give_back(self, at_latest: float) -> None:
        """Also after a renewal that was carried out and never answered: it is then of another version.

        Raises:
            ApiError: refused, no answer, or another one's by now.
        """
        try:
            await self._put("PUT", within=at_latest - self._now(), released=True)
        except Conflict:
            await self._look(within=at_latest - self._now())
            if self._news.leader != self.identity:
                raise
            await self._put("PUT", within=at_latest - self._now(), released=True)

    def _pause(self) -> float:
        """Seconds until the next turn, but never past the moment at which a leader has to be gone."""
        pause = self._terms.retry * random.uniform(0.5, 1)  # noqa: S311 - jitter is no secret
        return (
            min(pause, max(0.0, self._candidate.leave_at - self._now())) if self._candidate.holding else pause
        )

    async def _turn(self) -> None:
        """Look, and renew or take it if that is due.

        Raises:
            ApiError: refused for another reason than that somebody else was first, or no answer.
        """
        async with self._turning:
            if not self._candidate.holding:
                self._candidate.doubt()
            for _ in range(STEPS):
                if self._over or await self._step(self._candidate.move(self._now())):
                    return

    async def _step(self, move: Move) -> bool:
        """Make one move; whether the turn is over by it."""
        match move:
            case Move.LOOK:
                await self._look()
            case Move.CREATE | Move.UPDATE:
                return await self._write(move)
            case Move.LEAVE:
                self._lose()
            case Move.WAIT:
                return True
        return False

    async def _look(self, within: float | None = None) -> None:
        try:
            request = Request("get", "GET", path_of(self._where))
            found: Manifest | None = await self._send(request, self._patience() if within is None else within)
        except NotFound:
            found = None
        self._candidate.seen(found, self._now())
        self._news.seen(self._candidate.lease)

    async def _write(self, move: Move) -> bool:
        """Write this candidate into the lease; False: somebody else was first."""
        held, before = self._candidate.holding, self._candidate.lease
        sent = self._now()
        try:
            answer = await self._put("POST" if move is Move.CREATE else "PUT", within=self._patience())
        except (Conflict, AlreadyExists):
            self._candidate.doubt()
            return False
        except NotFound:
            self._candidate.doubt()
            if move is Move.CREATE:
                raise NotYetServed(
                    f"there is no namespace {self._where.namespace}; make it, name another one by"
                    " --lease-namespace, or do without an election by --leader-elect off"
                ) from None
            return False
        except ApiError:
            self._candidate.doubt()
            raise
        self._candidate.held(answer, sent)
        self._news.seen(self._candidate.lease)
        if not held:
            self.undisturbed = before == self._found and (before is None or not before.holder)
            log.info("leading by the lease %s, as %s", self._name, self.identity)
            self._won.set()
        return True

    async def _put(self, method: str, *, within: float, released: bool = False) -> Manifest:
        document = self._candidate.next_version(self._where, self._clock.now(), released=released)
        where = path_of(self._where)
        verb, where = ("update", where) if method == "PUT" else ("create", where.rpartition("/")[0])
        return await self._send(Request(verb, method, where, document, repeatable=False), within)

    async def _send(self, request: Request, within: float) -> Manifest:
        if self._transport is None:
            raise RuntimeError("it does not stand yet")
        try:
            async with asyncio.timeout(within):
                answer: Manifest = await self._transport.send(request)
        except TimeoutError:
            raise Transient(0, "Timeout", f"no answer in {within:.1f} s") from None
        return answer

    def _patience(self) -> float:
        """Seconds for one request: a leader that has to be gone by then does not wait for it."""
        most = self._terms.request_timeout
        return min(most, self._candidate.leave_at - self._now()) if self._candidate.holding else most

    def _lose(self) -> NoReturn:
        why = (
            f"{self._news.leader or 'nobody'} holds it"
            if self._news.leader != self.identity
            else f"it was not renewed for {self._terms.renew_deadline:g} s"
        )
        self._candidate.resign()
        log.error("the lease %s is lost, as %s: ending at once", self._name, why)
        self._leave(1)
