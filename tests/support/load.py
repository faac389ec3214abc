# SPDX-License-Identifier: Apache-2.0
"""Citizens: requests at a steady rate whatever the answers are, and what each of them got, with its instants.

The generator is an open loop: request ``i`` is sent ``i / rate`` seconds after the first one, also while
earlier ones wait. So a gateway that stalls is asked on, as people would. All instants are those of
``time.monotonic()``.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import aiohttp

from tests.support.upstreams import RELEASE_HEADER

MARK_HEADER = "EService-Route"
PATIENCE = 5.0
"""Seconds after which nobody waits for an answer any more."""
HONEST = 0.5
"""Seconds by which the latest request may start late; with more the run was not at its rate, and says so."""
OFTEN = 0.02
"""Seconds between two questions of somebody who waits for a change."""


@dataclass(frozen=True, order=True)
class Answer:
    """One request: when it was sent and answered, and what came. ``status`` 0 is no answer at all."""

    begins: float
    ends: float
    status: int
    release: str = ""
    """Of the server that answered; empty when it was none of an e-service's."""
    mark: str = ""
    """What the route, or the notice page, says of itself in the header ``EService-Route``."""
    error: str = ""
    late: float = 0.0
    """Seconds by which it was sent later than it was due."""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    text: str = field(default="", compare=False)

    @property
    def served(self) -> bool:
        """Whether an e-service has answered."""
        return self.status == 200 and self.release != ""

    @property
    def said(self) -> str:
        """In words: ``200 of a1b2c3``, ``503 (notice)``, ``ClientConnectorError``."""
        of = f" of {self.release}" if self.release else ""
        mark = f" ({self.mark})" if self.mark and not self.served else ""
        return self.error or f"{self.status}{of}{mark}"


@dataclass
class Answers:
    """What was answered so far; ``all`` is in the order of asking once the run is over."""

    rate: float
    all: list[Answer] = field(default_factory=list)

    def failed(self, allowed: Callable[[Answer], bool] = lambda answer: answer.served) -> list[Answer]:
        """Those that did not get what they may get: by default an answer of the e-service."""
        return [answer for answer in self.all if not allowed(answer)]

    def of(self, release: str) -> list[Answer]:
        """Those that a release answered."""
        return [answer for answer in self.all if answer.served and answer.release == release]

    def first(self, release: str, after: float = -math.inf) -> Answer:
        """The first that came of a release, of those that were sent after an instant."""
        return min((a for a in self.of(release) if a.begins >= after), key=lambda answer: answer.ends)

    def between(self, begins: float, ends: float = math.inf) -> list[Answer]:
        """Those that were sent from the one instant to the other."""
        return [answer for answer in self.all if begins <= answer.begins < ends]

    @property
    def latest_start(self) -> float:
        """Seconds by which the latest request was sent too late."""
        return max((answer.late for answer in self.all), default=0.0)

    def story(self) -> list[str]:
        """Each change of what was answered, in the order of asking: seconds from the first request, what."""
        began = self.all[0].begins
        last, told = "", []
        for answer in self.all:
            if answer.said != last:
                told.append(f"{answer.begins - began:.2f} s: {answer.said}")
            last = answer.said
        return told

    def summary(self) -> str:
        """How many were asked, what they got, how long it took, and whether the rate was kept."""
        said = ", ".join(
            f"{count} × {said}" for said, count in Counter(a.said for a in self.all).most_common()
        )
        took = sorted(answer.ends - answer.begins for answer in self.all)
        typical, tail = took[len(took) // 2], took[int(len(took) * 0.99)]
        late = self.latest_start
        honest = "" if late <= HONEST else f"; NOT AT ITS RATE: the latest was sent {late:.1f} s late"
        return (
            f"{len(self.all)} requests at {self.rate:.0f}/s: {said}; {typical * 1e3:.0f} ms in the middle,"
            f" {tail * 1e3:.0f} ms at p99{honest}"
        )


@dataclass
class Citizen:
    """Somebody who knows the address of a gateway; ``url`` is where it listens."""

    url: str
    _session: aiohttp.ClientSession

    async def ask(
        self,
        host: str,
        path: str = "/",
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        due: float | None = None,
    ) -> Answer:
        """One GET; no redirects are followed."""
        begins = time.monotonic()
        late = 0.0 if due is None else begins - due
        sent = {**headers, "Host": host}
        try:
            async with self._session.get(f"{self.url}{path}", headers=sent, allow_redirects=False) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(begins, time.monotonic(), 0, error=type(error).__name__, late=late)
        got = answer.headers
        return Answer(
            begins,
            time.monotonic(),
            answer.status,
            got.get(RELEASE_HEADER, ""),
            got.get(MARK_HEADER, ""),
            late=late,
            headers=dict(got),
            text=text,
        )

    async def until(
        self,
        host: str,
        check: Callable[[Answer], bool],
        what: str,
        within: float = 30.0,
        path: str = "/",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """The first answer that ``check`` holds for, asked again and again."""
        deadline = time.monotonic() + within
        while not check(answer := await self.ask(host, path, headers)):
            assert time.monotonic() < deadline, f"{host}{path}: not {what} in {within} s, but {answer.said}"
            await asyncio.sleep(OFTEN)
        return answer

    @asynccontextmanager
    async def load(self, host: str, rate: float) -> AsyncIterator[Answers]:
        """So many requests a second while the block runs; after it every one of them has its answer."""
        answers, stop = Answers(rate), asyncio.Event()
        task = asyncio.create_task(self._generate(host, answers, stop))
        try:
            yield answers
        finally:
            stop.set()
            await task
            answers.all.sort()

    async def _generate(self, host: str, answers: Answers, stop: asyncio.Event) -> None:
        began, sent = time.monotonic(), 0

        async def one(due: float) -> None:
            answers.all.append(await self.ask(host, due=due))

        async with asyncio.TaskGroup() as running:
            while not stop.is_set():
                due = began + sent / answers.rate
                await asyncio.sleep(due - time.monotonic())
                running.create_task(one(due))
                sent += 1


@asynccontextmanager
async def citizen(url: str) -> AsyncIterator[Citizen]:
    """With as many connections as it takes."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield Citizen(url, session)
