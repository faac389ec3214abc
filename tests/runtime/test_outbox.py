# SPDX-License-Identifier: Apache-2.0
"""Letters leave beside the reconciles: bounded, never twice, and answered until the ledger shows it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from eservice_operator.api.notices import Audience, Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import Notices, fold
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.outbox import Outbox, Pace
from tests.runtime.clocks import breathe
from tests.support.waiting import eventually

KEY = ObjectKey("EService", "pmlp-production", "address")
OTHER = ObjectKey("EService", "pmlp-production", "parking")
NOW = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)
ACCEPTED = Delivery(accepted=True, at=NOW)


def letter(id: str, channel: Channel = Channel.EMAIL) -> Letter:  # noqa: A002 - what it is called
    return Letter(
        id=id,
        kind=NoticeKind.UNPUBLISHED,
        channel=channel,
        recipient=f"{id}@pmlp.example",
        audience=Audience.INSTITUTION,
        at=NOW,
        source="EService pmlp-production/address",
        uid="uid",
    )


def ledger(*ids: str, state: NoticeState = NoticeState.SENDING) -> Notices:
    return tuple(
        Notice(
            id=id,
            kind=NoticeKind.UNPUBLISHED,
            channel=Channel.EMAIL,
            recipient=f"{id}@pmlp.example",
            state=state,
            entered=NOW,
            at=NOW,
        )
        for id in ids  # noqa: A001
    )


@dataclass
class Post:
    """A channel that answers when the test says so, unless it answers at once."""

    abreast: int = 4
    at_once: bool = True
    answer: Delivery | Exception = ACCEPTED
    sent: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    closed: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, letter: Letter) -> Delivery:
        self.sent.append(letter.id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if not self.at_once:
                await self.gate.wait()
        finally:
            self.under_way -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        self.closed = True


@dataclass
class Desk:
    """An outbox, whom it wakes, and its figures."""

    posts: dict[Channel, Post]
    pace: Pace = field(default_factory=lambda: Pace(drain=0.2, gather=0.02))
    woken: list[ObjectKey] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.leads = True
        self.outbox = Outbox(
            self.posts, self.woken.append, self.metrics, pace=self.pace, leading=lambda: self.leads
        )

    def figure(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


def desk(pace: Pace | None = None, **fields: object) -> tuple[Desk, Post]:
    post = Post(**fields)  # type: ignore[arg-type]  # the fields of a Post
    made = Desk({Channel.EMAIL: post}) if pace is None else Desk({Channel.EMAIL: post}, pace)
    return made, post


def letters(ids: Iterable[str]) -> list[Letter]:
    return [letter(id) for id in ids]  # noqa: A001


async def test_a_letter_goes_out_once_and_its_answer_is_kept_until_the_ledger_shows_it() -> None:
    at, post = desk(Pace(drain=0.2, gather=60.0), at_once=False)  # a slow machine is woken for each answer
    at.outbox.post(KEY, letters("ab"))
    await eventually(lambda: len(post.sent) == 2)
    assert at.outbox.under_way(ledger("a", "b", "c")) == {"a", "b"}
    at.outbox.post(KEY, letters("ab"))
    post.gate.set()
    await eventually(lambda: at.woken)
    at.outbox.post(KEY, letters("ab"))
    assert at.outbox.under_way(ledger("a", "b", "c")) == frozenset(), "answered"
    await eventually(lambda: at.figure("eservice_operator_notices_in_flight") == 0)
    assert at.woken == [KEY]
    notices = ledger("a", "b")
    answers = at.outbox.answers(KEY, notices)
    assert answers == {"a": ACCEPTED, "b": ACCEPTED}
    assert at.outbox.answers(KEY, notices) == answers, "the write may have failed"
    assert at.outbox.answers(OTHER, notices) == {}
    assert at.outbox.answers(KEY, fold(notices, answers)) == {}
    assert at.outbox.answers(KEY, notices) == {}, "forgotten"
    await at.outbox.close()
    assert sorted(post.sent) == ["a", "b"]


async def test_an_answer_whose_entry_is_gone_is_forgotten() -> None:
    at, _ = desk()
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: at.woken)
    assert at.outbox.answers(KEY, ()) == {}
    assert at.outbox.answers(KEY, ledger("a")) == {}


async def test_at_most_so_many_at_once_for_each_channel() -> None:
    slow, fast = Post(abreast=3, at_once=False), Post()
    at = Desk({Channel.EMAIL: slow, Channel.CLOUD_EVENTS: fast})
    at.outbox.post(KEY, letters(map(str, range(10))))
    at.outbox.post(OTHER, [letter("event", Channel.CLOUD_EVENTS)])
    await eventually(lambda: at.woken == [OTHER])
    assert len(slow.sent) == 3, "the first ones wait for their answers"
    assert at.figure("eservice_operator_notices_in_flight") == 10
    slow.gate.set()
    await eventually(lambda: KEY in at.woken and len(slow.sent) == 10)
    assert slow.most == 3
    await eventually(lambda: at.figure("eservice_operator_notices_in_flight") == 0)


async def test_answers_to_one_object_are_gathered() -> None:
    at, post = desk(Pace(gather=60), abreast=1)
    at.outbox.post(KEY, letters("abc"))
    await eventually(lambda: len(at.outbox.answers(KEY, ledger("a", "b", "c"))) == 3)
    assert at.woken == [KEY]
    assert post.sent == ["a", "b", "c"], "in their order"


async def test_what_is_slow_does_not_keep_back_the_answers_that_are_there() -> None:
    slow, fast = Post(at_once=False), Post()
    at = Desk({Channel.EMAIL: slow, Channel.CLOUD_EVENTS: fast}, Pace(gather=0.01, drain=0.01))
    at.outbox.post(KEY, [letter("slow"), letter("fast", Channel.CLOUD_EVENTS)])
    await eventually(lambda: at.woken == [KEY])
    assert list(at.outbox.answers(KEY, ledger("slow", "fast"))) == ["fast"]
    await at.outbox.close()


@pytest.mark.parametrize(
    "answer, result",
    [
        (Delivery(accepted=False, at=NOW, error="450 later"), "retry"),
        (Delivery(accepted=False, at=NOW, error="550 nobody", permanent=True), "refused"),
        (Delivery(accepted=False, at=NOW, error="no login", channel_failed=True), "broken"),
        (RuntimeError("a bug, with what is nobody's business"), "raised"),
    ],
)
async def test_failures_are_counted_and_answered(
    answer: Delivery | Exception, result: str, caplog: pytest.LogCaptureFixture
) -> None:
    at, _ = desk(answer=answer)
    about = {"channel": "Email", "kind": "Unpublished"}
    assert at.figure("eservice_notice_failures_total", **about) == 0, "there before the first failure"
    assert at.figure("eservice_operator_notices_total", **about, result=result) == 0
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: at.woken)
    assert at.figure("eservice_notice_failures_total", **about) == 1
    assert at.figure("eservice_operator_notices_total", **about, result=result) == 1
    (delivery,) = at.outbox.answers(KEY, ledger("a")).values()
    assert not delivery.accepted
    assert delivery.permanent is (result == "refused")
    assert "nobody's business" not in delivery.error, "a status is read by many"
    assert [record.levelno for record in caplog.records][-1] == logging.WARNING


async def test_a_channel_fails_by_what_is_to_blame_on_it_and_until_it_answers() -> None:
    def failing() -> float | None:
        return at.figure("eservice_operator_notice_channel_failing", channel="Email")

    async def answered(id: str, answer: Delivery | Exception) -> float | None:  # noqa: A002
        post.answer = answer
        at.outbox.post(KEY, letters(id))
        await eventually(lambda: at.figure("eservice_operator_notices_in_flight") == 0)
        return failing()

    at, post = desk()
    over_quota = Delivery(accepted=False, at=NOW, error="452 4.2.2")
    broken = Delivery(accepted=False, at=NOW, error="no login", channel_failed=True)
    assert failing() == 0
    assert await answered("a", over_quota) == 0, "one recipient is no channel"
    assert await answered("b", broken) == 1
    assert await answered("c", RuntimeError("a bug")) == 1, "says nothing of the channel"
    assert await answered("d", ACCEPTED) == 0
    assert await answered("e", broken) == 1
    assert await answered("f", over_quota) == 0, "the server is there and talks to us"


async def test_people_are_not_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    at, post = desk()
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: at.figure("eservice_operator_notices_in_flight") == 0)
    post.answer = Delivery(accepted=False, at=NOW, error="450 later")
    at.outbox.post(KEY, letters("b"))
    await eventually(lambda: at.figure("eservice_operator_notices_in_flight") == 0)
    assert "Unpublished a accepted" in caplog.text
    assert "Unpublished b not accepted" in caplog.text
    assert "pmlp.example" not in caplog.text


async def test_a_sender_that_never_answers_is_cut_off() -> None:
    at, _ = desk(Pace(longest_send=0.01), at_once=False)
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: at.woken)
    (delivery,) = at.outbox.answers(KEY, ledger("a")).values()
    assert (delivery.accepted, delivery.permanent, delivery.channel_failed) == (False, False, True)
    assert delivery.error.startswith("no answer within")


async def test_who_leads_no_longer_sends_nothing_that_has_not_begun() -> None:
    at, post = desk(at_once=False, abreast=1)
    at.outbox.post(KEY, letters("ab"))
    await eventually(lambda: post.sent == ["a"])
    at.leads = False
    post.gate.set()
    await eventually(lambda: at.woken)
    answers = at.outbox.answers(KEY, ledger("a", "b"))
    assert post.sent == ["a"]
    assert (answers["a"].accepted, answers["b"].accepted, answers["b"].permanent) == (True, False, False)
    assert "another operator may lead" in answers["b"].error


async def test_a_channel_that_asks_to_wait_is_left_alone_so_long() -> None:
    at, post = desk(answer=Delivery(accepted=False, at=NOW, error="429", retry_after=1.0))
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: at.woken == [KEY])
    notices = fold(ledger("a"), at.outbox.answers(KEY, ledger("a")))
    assert at.outbox.answers(KEY, notices) == {}
    at.outbox.post(KEY, letters("a"))
    await breathe()
    assert post.sent == ["a"]
    await eventually(lambda: at.woken == [KEY, KEY])
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: post.sent == ["a", "a"])


async def test_a_channel_that_nobody_set_up_keeps_its_letters_in_the_ledger() -> None:
    at, post = desk()
    at.outbox.post(KEY, [letter("a", Channel.CLOUD_EVENTS), letter("b")])
    await eventually(lambda: at.woken)
    assert post.sent == ["b"]


async def test_at_the_end_answers_are_waited_for_and_shown() -> None:
    at, post = desk(Pace(drain=5), abreast=1, at_once=False)
    at.outbox.post(KEY, letters("ab"))
    await eventually(lambda: post.sent == ["a"])
    closing = asyncio.create_task(at.outbox.close())
    post.gate.set()
    await eventually(lambda: at.woken)
    await breathe()
    assert not post.closed, "the ledger does not show it yet"
    at.outbox.post(KEY, letters("c"))
    notices = ledger("a", "b")
    at.outbox.answers(KEY, fold(notices, at.outbox.answers(KEY, notices)))
    await closing
    assert post.sent == ["a"], "what waits is sent after the restart"
    assert post.closed


async def test_the_end_does_not_wait_for_ever() -> None:
    at, post = desk(at_once=False)
    at.outbox.post(KEY, letters("a"))
    await eventually(lambda: post.sent)
    await at.outbox.close()
    assert (post.under_way, post.closed) == (0, True)
    assert at.outbox.answers(KEY, ledger("a")) == {}


async def test_the_end_waits_for_the_ledger_of_every_object_and_no_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at, post = desk(Pace(drain=60))

    def shown(key: ObjectKey, id: str) -> None:  # noqa: A002
        notices = ledger(id)
        at.outbox.answers(key, fold(notices, at.outbox.answers(key, notices)))

    at.outbox.post(KEY, letters("a"))
    at.outbox.post(OTHER, letters("b"))
    await eventually(lambda: {*at.woken} == {KEY, OTHER})
    closing = asyncio.create_task(at.outbox.close())
    await breathe()
    shown(KEY, "a")
    await breathe()
    assert not post.closed, "the other's ledger does not show it yet"
    shown(OTHER, "b")
    await asyncio.wait_for(closing, 15)
    assert "not answered in time" not in caplog.text
    assert post.closed
