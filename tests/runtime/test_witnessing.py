# SPDX-License-Identifier: Apache-2.0
"""The look from outside beside the reconciles: about what is on the route, counted, and off by default."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from eservice_operator.api.seen import Answered
from eservice_operator.core.address import Address
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.sightings import Answer, Question, Witnessed
from eservice_operator.outside.book import Book
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.witnessing import ProbeFigures, Witnessing, book_of
from tests.runtime.clocks import MovedClock, breathe
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.waiting import eventually
from tests.support.worlds import HOST, NOTICED, NOW, SECOND

KEY = ObjectKey("EService", worlds.NAMESPACE, worlds.NAME)
PROBED = replace(NOTICED, probed=True, marked=True)
MARK = f"{worlds.NAMESPACE}.{worlds.NAME}"


@dataclass
class Host:
    """Answers with the mark that it has now."""

    clock: MovedClock
    mark: str = MARK
    failure: Answered | None = None
    why: str = ""
    asked: list[str] = field(default_factory=list)

    async def ask(self, host: str, path: str) -> Answer:
        self.asked.append(f"{host}{path}")
        return Answer(self.clock.now(), 0.25, 0 if self.failure else 200, self.mark, self.failure, self.why)


class Lookout:
    """A book that is led as the reconciler leads it, over an e-service in memory."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.host = Host(self.clock)
        self.metrics = Metrics()
        self.woken: list[ObjectKey] = []
        self.book = Book(
            self.host,
            self.woken.append,
            ProbeFigures(self.metrics),
            clock=self.clock,
            interval=timedelta(minutes=5),
        )
        self.witnessing = Witnessing(self.book, self.clock.monotonic)
        self.cluster = PureCluster(policy=PROBED)
        self.cluster.put(
            worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
        )

    def decision(self) -> Decision:
        return decide(self.cluster.world(), NOW, PROBED)

    def follow(self) -> None:
        self.witnessing.follow(KEY, self.decision())

    def figure(self, series: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(series, labels)


@pytest.fixture
def lookout() -> Lookout:
    return Lookout()


async def test_it_asks_once_the_route_shows_what_was_decided_and_counts_how_long_that_took() -> None:
    at = Lookout()
    at.cluster.settle(NOW)
    at.follow()
    await breathe()
    assert (at.host.asked, at.woken) == ([f"{HOST}/"], [KEY])
    seen = at.witnessing.seen(KEY)
    assert seen is not None
    assert (seen.face, seen.hosts[HOST].answered) == (Face.LIVE, Answered.E_SERVICE)
    at.cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    at.follow()  # decided, and not on the route yet
    await at.clock.advance(0.5)
    assert len(at.host.asked) == 1
    at.cluster.settle(NOW + SECOND)
    at.host.mark = "notice"
    at.follow()
    at.follow()
    await breathe()
    assert len(at.host.asked) == 2
    assert at.figure("eservice_publication_lag_seconds_count", kind="unpublish") == 1
    assert at.figure("eservice_publication_lag_seconds_sum", kind="unpublish") == 0.5
    assert at.figure("eservice_probe_duration_seconds_count", result="answered") == 2
    last = {"namespace": KEY.namespace, "name": KEY.name, "host": HOST}
    assert at.figure("eservice_probe_last_timestamp_seconds", **last) == at.clock.now().timestamp()
    at.witnessing.forget(KEY)
    assert at.figure("eservice_probe_last_timestamp_seconds", **last) is None
    assert at.witnessing.seen(KEY) is None
    await at.book.close()


async def test_what_is_being_deleted_is_asked_no_more() -> None:
    at = Lookout()
    at.cluster.settle(NOW)
    at.follow()
    await breathe()
    at.cluster.remove(at.cluster.service_place)
    at.follow()
    await at.clock.advance(1000)
    assert len(at.host.asked) == 1
    await at.book.close()


async def test_an_answer_that_tells_nothing_is_counted_as_none_and_a_refused_address_by_its_kind() -> None:
    at = Lookout()
    at.host.failure, at.host.why = Answered.NOT_ALLOWED, "private"
    at.cluster.settle(NOW)
    at.follow()
    await breathe()
    assert at.figure("eservice_probe_duration_seconds_count", result="unanswered") == 1
    assert at.figure("eservice_probe_duration_seconds_count", result="answered") == 0
    assert at.figure("eservice_probe_refused_total", why="private") == 1
    assert at.figure("eservice_probe_refused_total", why="metadata") == 0
    at.witnessing.forget(KEY)  # of what never answered there is no instant to take back
    await at.book.close()


def test_without_a_probe_nobody_looks(lookout: Lookout) -> None:
    lookout.cluster.settle(NOW)
    blind = Witnessing()
    blind.follow(KEY, lookout.decision())
    blind.forget(KEY)
    assert blind.seen(KEY) is None
    assert book_of(Settings(), lookout.clock, lookout.metrics, lookout.woken.append) is None


async def test_the_settings_say_where_it_connects(unused_tcp_port: int) -> None:
    at = Lookout()
    given = Settings(probe="http", probe_address=Address("127.0.0.1", unused_tcp_port))
    made = book_of(given, at.clock, at.metrics, at.woken.append)
    assert made is not None
    book, look_up = made
    book.watch(KEY, Question(Face.LIVE, 1, (HOST,), "/", MARK, marked=True), None)

    def answered() -> Witnessed | None:
        seen = book.seen(KEY)
        return seen if seen is not None and seen.hosts else None

    seen = await eventually(answered, "an answer")
    assert seen is not None
    assert seen.hosts[HOST].answered is Answered.NOT_ALLOWED, "it is private, and not allowed"
    await book.close()
    look_up.close()
