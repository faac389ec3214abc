# SPDX-License-Identifier: Apache-2.0
"""What is asked when, what is kept of it, and that nothing of it grows without bounds."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from eservice_operator.api.seen import Answered
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.sightings import Answer, Question, Sighting, Witnessed
from eservice_operator.core.witness import Finding, findings, overdue
from eservice_operator.outside.book import Book
from tests.runtime.clocks import MovedClock, breathe

KEY = ObjectKey("EService", "pmlp-production", "address")
OTHER = ObjectKey("EService", "pmlp-production", "parking")
HOST = "address.latvija.example"
MINE = "pmlp-production.address"
LIVE = Question(Face.LIVE, 1, (HOST,), "/", MINE, marked=True)
NOTICE = replace(LIVE, face=Face.NOTICE, generation=2)
INTERVAL = 300.0


@dataclass
class Street:
    """The hosts as the test has them; a question takes no time unless ``slow``."""

    clock: MovedClock
    answers: dict[str, tuple[int, str, Answered | None]] = field(default_factory=dict)
    slow: bool = False
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def ask(self, host: str, path: str) -> Answer:
        self.asked.append((self.clock.monotonic(), host, path))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.slow:
                await self.gate.wait()
            if self.broken:
                raise RuntimeError("a bug")
        finally:
            self.under_way -= 1
        return Answer(self.clock.now(), 0.01, *self.answers.get(host, (404, "", None)))

    def shows(self, mark: str, host: str = HOST, code: int = 200) -> None:
        self.answers[host] = (code, mark, None)

    def at(self, host: str = HOST) -> list[float]:
        return [at for at, asked, _ in self.asked if asked == host]


@dataclass
class Tally:
    """What the book tells the figures."""

    answers: Counter[str] = field(default_factory=Counter)
    lags: list[tuple[Face, float]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def answered(self, key: ObjectKey, host: str, answer: Answer) -> None:  # noqa: ARG002
        self.answers[host] += 1

    def agreed(self, question: Question, seconds: float) -> None:
        self.lags.append((question.face, round(seconds, 3)))

    def forgotten(self, key: ObjectKey, host: str) -> None:  # noqa: ARG002
        self.dropped.append(host)


class Desk:
    """A book with its street, its clock, and whom it wakes."""

    def __init__(self, interval: float = INTERVAL, abreast: int = 16) -> None:
        self.clock = MovedClock()
        self.street = Street(self.clock)
        self.told = Tally()
        self.woken: list[ObjectKey] = []
        self.book = Book(
            self.street,
            self.woken.append,
            self.told,
            clock=self.clock,
            interval=timedelta(seconds=interval),
            abreast=abreast,
        )
        self.began = self.clock.monotonic()

    def seen(self, host: str = HOST, key: ObjectKey = KEY) -> Answered | None:
        known = self.book.seen(key)
        sighting = None if known is None else known.hosts.get(host)
        return None if sighting is None else sighting.answered

    def after(self, host: str = HOST) -> list[float]:
        """When a host was asked, in seconds from the beginning."""
        return [round(at - self.began, 2) for at in self.street.at(host)]


async def desk(**options: float) -> Desk:
    return Desk(**options)  # type: ignore[arg-type]  # the options of a Desk


async def test_after_a_change_a_host_is_asked_quickly_and_then_ever_more_rarely() -> None:
    at = await desk()
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(120)
    assert at.after() == [0, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 50, 90]
    assert at.street.asked[0][2] == "/"
    await at.book.close()


async def test_an_answer_that_changes_wakes_and_one_that_does_not_lets_rest() -> None:
    at = await desk()
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(0.3)
    assert (at.seen(), at.woken) == (Answered.NOTHING, [KEY])
    at.street.shows(MINE)
    await at.clock.advance(0.3)
    assert (at.seen(), at.woken) == (Answered.E_SERVICE, [KEY, KEY])
    asked = len(at.street.asked)
    await at.clock.advance(4000)
    assert at.woken == [KEY, KEY]
    assert len(at.street.asked) - asked in range(12, 17), "a second look, and then once in an interval"
    await at.book.close()


async def test_one_odd_answer_is_no_news_and_two_are() -> None:
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(3)
    at.woken.clear()
    at.street.answers[HOST] = (0, "", Answered.TIMED_OUT)
    await until_asked(at)
    assert (at.seen(), at.woken) == (Answered.E_SERVICE, [])
    at.street.shows(MINE)
    await at.clock.advance(5)
    assert (at.seen(), at.woken) == (Answered.E_SERVICE, [])
    at.street.answers[HOST] = (0, "", Answered.TIMED_OUT)
    await until_asked(at)
    first = at.clock.now()
    await at.clock.advance(2)
    assert (at.seen(), at.woken) == (Answered.TIMED_OUT, [KEY])
    seen = at.book.seen(KEY)
    assert seen is not None
    assert first - timedelta(seconds=2) <= seen.hosts[HOST].since <= first, "since the first of the two"
    at.street.shows(MINE)
    await at.clock.advance(1)
    assert (at.seen(), at.woken) == (Answered.E_SERVICE, [KEY, KEY]), "what fits counts at once"
    await at.book.close()


async def until_asked(at: Desk) -> None:
    """Let time pass until the next question was answered."""
    before = len(at.street.asked)
    while len(at.street.asked) == before:
        await at.clock.advance(1)


async def test_the_end_of_the_patience_wakes_who_has_not_seen_all() -> None:
    at = await desk()
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(29.9)
    at.woken.clear()
    await at.clock.advance(1)
    assert at.woken == [KEY]
    at.street.shows(MINE)
    at.book.watch(OTHER, LIVE, None)
    await at.clock.advance(60)
    assert at.woken.count(OTHER) == 1, "its answer, and nothing at the end of the patience"
    await at.book.close()


async def test_another_face_is_asked_about_anew_and_its_lag_is_measured() -> None:
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, LIVE, None, at.clock.monotonic())
    await at.clock.advance(100)
    assert at.told.lags == [(Face.LIVE, 0)]
    at.book.watch(KEY, NOTICE, None, at.clock.monotonic() - 0.4)
    seen = at.book.seen(KEY)
    assert seen is not None
    assert (seen.face, seen.generation, seen.hosts, seen.since) == (Face.NOTICE, 2, {}, at.clock.now())
    await at.clock.advance(0.25)
    assert at.seen() is Answered.E_SERVICE
    at.street.shows("notice", code=503)
    await at.clock.advance(0.5)
    assert at.seen() is Answered.NOTICE
    assert at.told.lags[1:] == [(Face.NOTICE, 0.9)]
    await at.book.close()


async def test_another_generation_of_the_same_face_keeps_what_was_seen_until_asked() -> None:
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(60)
    at.street.slow = True
    at.book.watch(KEY, replace(LIVE, generation=5, hosts=(HOST, "new.example"), path="/x"), None)
    await breathe()
    seen = at.book.seen(KEY)
    assert seen is not None
    assert (seen.generation, set(seen.hosts)) == (1, {HOST})
    at.street.gate.set()
    await breathe()
    seen = at.book.seen(KEY)
    assert seen is not None
    assert (seen.generation, set(seen.hosts)) == (5, {HOST, "new.example"})
    assert at.street.asked[-1][2] == "/x"
    await at.book.close()


async def test_the_patience_with_a_face_is_not_had_anew_with_each_generation() -> None:
    """A title is part of the notice route; whoever changes it every 25 s would be looked at for ever."""
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, NOTICE, None)
    began = at.clock.now()
    for generation in range(3, 6):
        await at.clock.advance(12)
        at.book.watch(KEY, replace(NOTICE, generation=generation), None)
    seen = at.book.seen(KEY)
    assert seen is not None
    assert (seen.since, seen.began(HOST), seen.generation) == (began, began, 4)
    await breathe()
    assert overdue(at.book.seen(KEY), HOST, at.clock.now())
    await at.book.close()


async def test_a_host_that_comes_on_later_has_a_patience_of_its_own() -> None:
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, LIVE, None)
    await at.clock.advance(60)
    came = at.clock.now()
    both = replace(LIVE, generation=2, hosts=(HOST, "new.example"))
    at.book.watch(KEY, both, None)
    await at.clock.advance(20)
    at.book.watch(KEY, replace(both, generation=3), None)
    seen = at.book.seen(KEY)
    assert seen is not None
    assert (seen.began(HOST), seen.began("new.example")) == (came - timedelta(seconds=60), came)
    found = findings(replace(both, generation=3), seen, at.clock.now())
    assert set(found.values()) == {Finding.AGREES, Finding.NOT_YET}
    at.woken.clear()
    await at.clock.advance(11)
    assert at.woken == [KEY], "the end of its patience"
    assert overdue(at.book.seen(KEY), "new.example", at.clock.now())
    await at.book.close()


async def test_the_same_question_changes_nothing() -> None:
    at = await desk()
    at.street.shows(MINE)
    for _ in range(5):
        at.book.watch(KEY, LIVE, None)
        await at.clock.advance(0.01)
    assert at.after() == [0]
    await at.book.close()


def recalled(answered: Answered, generation: int, at: Desk) -> Witnessed:
    since = at.clock.now() - timedelta(days=1)
    return Witnessed(Face.LIVE, generation, since, {HOST: Sighting(answered, 200, since)})


async def test_after_a_restart_what_was_written_down_counts_and_is_asked_anew_in_its_time() -> None:
    at = await desk()
    at.street.shows(MINE)
    at.book.watch(KEY, LIVE, recalled(Answered.E_SERVICE, 1, at))
    assert at.seen() is Answered.E_SERVICE
    await breathe()
    assert at.street.asked == [], "thousands are not asked at once"
    await at.clock.advance(INTERVAL)
    assert len(at.street.asked) in {1, 2}, "the second may be early by the jitter"
    assert at.woken == []
    await at.book.close()


@pytest.mark.parametrize("answered, generation", [(Answered.NOTHING, 1), (Answered.E_SERVICE, 7)])
async def test_after_a_restart_what_does_not_fit_or_is_of_another_route_is_asked_at_once(
    answered: Answered, generation: int
) -> None:
    at = await desk()
    at.book.watch(KEY, LIVE, recalled(answered, generation, at))
    assert at.seen() is answered
    await breathe()
    assert at.after() == [0]
    await at.book.close()


async def test_what_was_written_down_about_another_face_does_not_count() -> None:
    at = await desk()
    at.book.watch(KEY, NOTICE, recalled(Answered.E_SERVICE, 1, at))
    assert at.seen() is None
    await at.book.close()


async def test_what_is_forgotten_is_asked_no_more_and_its_answers_are_not_heard() -> None:
    at = await desk()
    at.street.slow = True
    at.book.watch(KEY, LIVE, None)
    await breathe()
    at.book.forget(KEY)
    at.street.gate.set()
    await at.clock.advance(1000)
    assert (len(at.street.asked), at.woken, at.book.seen(KEY)) == (1, [], None)
    assert at.told.dropped == [HOST]
    assert not at.told.answers
    at.book.forget(KEY)
    await at.book.close()


async def test_a_host_that_left_the_route_is_asked_no_more() -> None:
    at = await desk()
    at.book.watch(KEY, replace(LIVE, hosts=(HOST, "old.example")), None)
    await at.clock.advance(0.1)
    at.book.watch(KEY, replace(LIVE, generation=2), None)
    asked = len(at.street.at("old.example"))
    await at.clock.advance(50)
    assert len(at.street.at("old.example")) == asked
    assert at.told.dropped == ["old.example"]
    await at.book.close()


async def test_only_so_many_are_asked_at_once_and_all_have_their_turn() -> None:
    at = await desk(abreast=3)
    at.street.slow = True
    keys = [ObjectKey("EService", "a", f"s{number}") for number in range(20)]
    for number, key in enumerate(keys):
        at.book.watch(key, replace(LIVE, hosts=(f"h{number}.example",)), None)
    await at.clock.advance(100)
    assert (len(at.street.asked), at.book.under_way) == (3, 3)
    at.street.gate.set()
    await at.clock.advance(1)
    assert {host for _, host, _ in at.street.asked} == {f"h{number}.example" for number in range(20)}
    assert at.street.most == 3
    await at.book.close()


async def test_the_hosts_of_one_e_service_do_not_take_every_turn() -> None:
    at = await desk()
    at.street.slow = True
    many = tuple(f"h{number}.example" for number in range(16))
    at.book.watch(OTHER, replace(LIVE, hosts=many), None)
    await breathe()
    assert (at.book.under_way, at.street.most) == (2, 2)
    at.book.watch(KEY, LIVE, None)
    await breathe()
    assert at.street.at(), "it does not wait for the other's"
    assert at.book.planned > 14, "those wait, and are not lost"
    at.street.gate.set()
    await breathe()
    assert {host for _, host, _ in at.street.asked} == {HOST, *many}
    await at.book.close()


async def test_what_has_just_changed_goes_before_what_is_only_looked_at_again() -> None:
    at = await desk(abreast=1)
    at.street.shows(MINE)
    for number in range(30):
        key = ObjectKey("EService", "a", f"s{number}")
        at.street.shows(MINE, f"h{number}.example")
        at.book.watch(
            key,
            replace(LIVE, hosts=(f"h{number}.example",)),
            replace(recalled(Answered.E_SERVICE, 1, at), hosts=_same(f"h{number}.example", at)),
        )
    at.street.slow = True
    await at.clock.advance(INTERVAL)
    assert len(at.street.asked) == 1, "the rest waits behind it"
    at.book.watch(KEY, LIVE, None)
    at.street.gate.set()
    await breathe()
    assert at.street.asked[1][1] == HOST
    await at.book.close()


def _same(host: str, at: Desk) -> dict[str, Sighting]:
    return {host: Sighting(Answered.E_SERVICE, 200, at.clock.now() - timedelta(days=1))}


async def test_at_rest_the_questions_of_many_are_spread_over_the_interval() -> None:
    at = await desk()
    names = [f"h{number}.example" for number in range(500)]
    for number, name in enumerate(names):
        at.street.shows(MINE, name)
        at.book.watch(
            ObjectKey("EService", "a", f"s{number}"),
            replace(LIVE, hosts=(name,)),
            replace(recalled(Answered.E_SERVICE, 1, at), hosts=_same(name, at)),
        )
    await at.clock.advance(INTERVAL * 4)
    tenths = Counter(int((at_ - at.began) / 30) for at_, _, _ in at.street.asked)
    assert max(tenths.values()) < 120, "of 50 on average"
    assert all(len(at.street.at(name)) in range(3, 6) for name in names)
    assert at.woken == []
    await at.book.close()


async def test_nothing_that_was_planned_is_kept_for_ever() -> None:
    at = await desk()
    at.street.shows(MINE)
    for number in range(200):
        at.book.watch(KEY, replace(LIVE, generation=number), None)
        await at.clock.advance(1)
    await at.clock.advance(INTERVAL * 1.2)
    assert at.book.planned == 1
    await at.book.close()


async def test_the_end_cancels_what_is_under_way_and_starts_nothing_more() -> None:
    at = await desk()
    at.street.slow = True
    at.book.watch(KEY, LIVE, None)
    await breathe()
    assert at.book.under_way == 1
    await at.book.close()
    assert at.book.under_way == 0
    at.book.watch(OTHER, LIVE, None)
    await at.clock.advance(100)
    assert len(at.street.asked) == 1
    assert at.woken == []


async def test_a_question_that_raises_is_logged_and_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at = await desk(abreast=1)
    at.street.broken = True
    at.book.watch(KEY, LIVE, None)
    await breathe()
    at.street.broken = False
    at.street.shows(MINE, "other.example")
    at.book.watch(OTHER, replace(LIVE, hosts=("other.example",)), None)
    await breathe()
    assert at.seen("other.example", OTHER) is Answered.E_SERVICE
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]
    await at.clock.advance(INTERVAL * 1.2)
    assert len(at.street.at()) > 1, "it is asked again in an interval"
    await at.book.close()
