# SPDX-License-Identifier: Apache-2.0
"""Answers that hold for a moment: each is asked for once by however many, and a bounded number is kept."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

HIT: Final = "hit"
MISS: Final = "miss"
RENEWED: Final = (0.4, 0.8)
"""The share of its time after which an answer that is still wanted is asked for again, beside the request:
drawn between them, or all that became known together would be asked for together ever after."""


class _Kept(NamedTuple, Generic[V]):
    value: V
    renew: float
    until: float


class Remembered(Generic[K, V]):
    """At most ``most`` good answers (true ones), and as many others, which so displace no good ones.

    ``keep`` says how many seconds an answer holds, from the moment at which it was asked for. ``tell`` is
    told at each question whether its answer was known: `HIT` or `MISS`.
    """

    def __init__(
        self,
        keep: Callable[[V], float],
        most: int,
        monotonic: Callable[[], float],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._keep = keep
        self._most = most
        self._monotonic = monotonic
        self._tell = tell
        self._good: OrderedDict[K, _Kept[V]] = OrderedDict()
        self._others: OrderedDict[K, _Kept[V]] = OrderedDict()
        self._asking: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._good) + len(self._others)

    def was_good(self, key: K) -> bool:
        """Whether the last answer for ``key`` was a good one, as far as is remembered; it may be over."""
        return key in self._good

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer for ``key``: one that holds, or else that of ``ask``, whose errors all get who wait."""
        kept = self._good.get(key) or self._others.get(key)
        now = self._monotonic()
        if kept is not None and now < kept.until:
            self._tell(HIT)
            if now >= kept.renew and key not in self._asking:
                self._asking[key] = self._ask(key, ask)
            return kept.value
        self._tell(MISS)
        if key not in self._asking:
            self._asking[key] = self._ask(key, ask)
        return await asyncio.shield(self._asking[key])

    def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> asyncio.Task[V]:
        task = asyncio.create_task(self._answer(key, ask), name="review")
        task.add_done_callback(_retrieved)
        return task

    async def _answer(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        began = self._monotonic()
        try:
            value = await ask()
        finally:
            del self._asking[key]
        self._put(key, value, began)
        return value

    def _put(self, key: K, value: V, began: float) -> None:
        seconds = self._keep(value)
        good = bool(value)
        shelf, other = (self._good, self._others) if good else (self._others, self._good)
        other.pop(key, None)
        shelf.pop(key, None)
        share = random.uniform(*RENEWED) if good else 1  # noqa: S311 - jitter is no secret
        shelf[key] = _Kept(value, began + seconds * share, began + seconds)
        if len(shelf) > self._most:
            shelf.popitem(last=False)


def _retrieved(task: asyncio.Task[V]) -> None:
    """Somebody has seen its error, if it has one: who waits for it gets it, too."""
    if not task.cancelled():
        task.exception()
