# SPDX-License-Identifier: Apache-2.0
"""Hands notices to their channels beside the reconciles, and keeps what became of them until a ledger has it.

A letter is handed over only after the entry in the ledger was written. What is not answered when the process
ends stays in the ledger as being sent, and goes out after the restart once more, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from eservice_operator.api.notices import Channel, Notice, NoticeKind
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.ledger import unfolded
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.notify.sender import Sender
from eservice_operator.runtime.clock import SYSTEM, Clock
from eservice_operator.runtime.logs import about
from eservice_operator.runtime.metrics import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """What the outbox keeps to, in seconds."""

    longest_send: float = 1800.0
    """A sender limits itself; this is for one that does not. It begins with the letter's turn."""
    gather: float = 2.0
    """Within this, several answers about one object wake it once."""
    longest_pause: float = 3600.0
    """The most of what a channel asks to wait."""
    drain: float = 40.0
    """Granted at the end to what is under way, and to the ledgers for showing it: what a server has taken and
    not answered by then is sent twice."""


DEFAULT_PACE = Pace()
ACCEPTED, RETRY, REFUSED, BROKEN, RAISED = "accepted", "retry", "refused", "broken", "raised"
RESULTS = (ACCEPTED, RETRY, REFUSED, BROKEN, RAISED)
"""How an attempt ends: this recipient later, or never; the channel itself; a bug of its sender."""


@dataclass(slots=True)
class _Lane:
    """One channel: what waits for it, and what is under way."""

    sender: Sender
    waiting: deque[Letter] = field(default_factory=deque)
    running: set[asyncio.Task[None]] = field(default_factory=set)


class Outbox:
    """Letters on their way. Everything here belongs to one event loop, and nothing blocks a reconcile.

    ``wake`` is called with the key of an object when there is an answer that its ledger does not show.
    ``leading`` is asked before each letter: another operator may be the one to send it by then.
    """

    def __init__(
        self,
        senders: Mapping[Channel, Sender],
        wake: Callable[[ObjectKey], None],
        metrics: Metrics,
        *,
        clock: Clock = SYSTEM,
        pace: Pace = DEFAULT_PACE,
        leading: Callable[[], bool] = lambda: True,
    ) -> None:
        self._lanes = {channel: _Lane(sender) for channel, sender in senders.items()}
        self._wake = wake
        self._metrics = metrics
        self._clock = clock
        self._pace = pace
        self._leading = leading
        self._owners: dict[str, ObjectKey] = {}
        """Whom to wake, by the id of each letter that waits or is under way."""
        self._open: Counter[ObjectKey] = Counter()
        """How many letters about an object wait or are under way."""
        self._answers: dict[ObjectKey, dict[str, Delivery]] = {}
        self._paused: set[str] = set()
        """Ids of letters with which a channel asked to wait."""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = False
        metrics.notices_in_flight.set_function(lambda: len(self._owners))
        for channel in senders:
            metrics.channel_failing.labels(channel.value).set(0)
            for kind in NoticeKind:  # the first one shows as an increase only if the series was there before
                metrics.notice_failures.labels(channel.value, kind.value)
                for result in RESULTS:
                    metrics.notices.labels(channel.value, kind.value, result)

    def post(self, key: ObjectKey, letters: Iterable[Letter]) -> None:
        """Hand over letters about an object; one that is under way, or answered, is not sent again."""
        for letter in letters:
            lane = self._lanes.get(letter.channel)
            if lane is None or self._closing or self._known(key, letter.id):
                continue
            self._owners[letter.id] = key
            self._open[key] += 1
            lane.waiting.append(letter)
            self._fill(lane)

    def answers(self, key: ObjectKey, ledger: Iterable[Notice]) -> Mapping[str, Delivery]:
        """What became of the object's letters and is not in its ledger yet; what is there is forgotten."""
        known = self._answers.get(key)
        if known is None:
            return {}
        entries = {notice.id: notice for notice in ledger}
        left = {
            letter: answer
            for letter, answer in known.items()
            if letter in entries and unfolded(entries[letter], answer)
        }
        if left:
            self._answers[key] = left
        else:
            del self._answers[key]
        if not self._answers:
            self._quiet.set()
        return left

    def under_way(self, ledger: Iterable[Notice]) -> frozenset[str]:
        """Ids of the notices in a ledger that wait here, or are in the hands of their channel."""
        return frozenset(notice.id for notice in ledger if notice.id in self._owners)

    async def close(self) -> None:
        """Start nothing more; wait a little for answers, and for ledgers to show them; end the senders."""
        self._closing = True
        running = {task for lane in self._lanes.values() for task in lane.running}
        try:
            async with asyncio.timeout(self._pace.drain):
                if running:
                    await asyncio.wait(running)
                for key in tuple(self._answers):
                    self._wake(key)
                await self._quiet.wait()
        except TimeoutError:
            log.warning("some notices were not answered in time: they are sent again at the next start")
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.sender.close()

    def _known(self, key: ObjectKey, letter: str) -> bool:
        return letter in self._owners or letter in self._paused or letter in self._answers.get(key, {})

    def _fill(self, lane: _Lane) -> None:
        """Start as many of the waiting letters as the channel takes at once."""
        while lane.waiting and len(lane.running) < lane.sender.abreast and not self._closing:
            letter = lane.waiting.popleft()
            task = asyncio.create_task(self._deliver(lane, letter), name=f"notice {letter.id}")
            lane.running.add(task)
            task.add_done_callback(lane.running.discard)
            task.add_done_callback(lambda _: self._fill(lane))

    async def _deliver(self, lane: _Lane, letter: Letter) -> None:
        with about(self._owners[letter.id]):
            result, answer = await self._attempt(lane.sender, letter)
            kind, channel = letter.kind.value, letter.channel.value
            self._metrics.notices.labels(channel, kind, result).inc()
            if result != RAISED:
                self._metrics.channel_failing.labels(channel).set(result == BROKEN)
            if answer.accepted:  # whom it is for is in the ledger: logs go further than that
                log.info("%s %s accepted (%s)", kind, letter.id, channel)
            else:
                self._metrics.notice_failures.labels(channel, kind).inc()
                log.warning("%s %s not accepted (%s): %s", kind, letter.id, channel, answer.error)
        self._answered(letter.id, answer)

    async def _attempt(self, sender: Sender, letter: Letter) -> tuple[str, Delivery]:
        """The result for the figures, and the answer: whatever a sender raises may be over next time."""
        if not self._leading():
            text = "not sent, since another operator may lead by now"
            return RETRY, Delivery(accepted=False, at=self._clock.now(), error=text)
        try:
            async with asyncio.timeout(self._pace.longest_send):
                answer = await sender.send(letter)
        except TimeoutError:
            text = f"no answer within {self._pace.longest_send:.0f} s"
            return BROKEN, Delivery(accepted=False, at=self._clock.now(), error=text, channel_failed=True)
        except Exception as error:
            log.exception("the sender of %s failed unexpectedly", letter.channel.value)
            text = f"the sender failed: {type(error).__name__}"
            return RAISED, Delivery(accepted=False, at=self._clock.now(), error=text)
        return _result(answer), answer

    def _answered(self, letter: str, answer: Delivery) -> None:
        key = self._owners.pop(letter)
        self._open[key] -= 1
        over = self._open[key] == 0
        if over:
            del self._open[key]
        self._quiet.clear()
        first = key not in self._answers
        self._answers.setdefault(key, {})[letter] = answer
        loop = asyncio.get_running_loop()
        if answer.retry_after > 0:
            self._paused.add(letter)
            loop.call_later(min(answer.retry_after, self._pace.longest_pause), self._resume, letter, key)
        if over:
            self._wake(key)
        elif first:
            loop.call_later(self._pace.gather, self._wake, key)

    def _resume(self, letter: str, key: ObjectKey) -> None:
        """The pause that a channel asked for is over."""
        self._paused.discard(letter)
        self._wake(key)


def _result(answer: Delivery) -> str:
    if answer.accepted:
        return ACCEPTED
    if answer.channel_failed:
        return BROKEN
    return REFUSED if answer.permanent else RETRY
