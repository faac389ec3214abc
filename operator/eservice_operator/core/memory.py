# SPDX-License-Identifier: Apache-2.0
"""Remembers what was worked out about objects that never change: pure answers, kept only to be quick."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """The last answer about each subject, good for the very same object only (not for an equal one).

    There are at most ``most`` of them; the one that was asked for the longest ago goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[str, tuple[K, V]] = OrderedDict()

    def recall(self, uid: str, subject: K, make: Callable[[K], V]) -> V:
        """The answer about the subject of that UID; made anew when it is another object than last time."""
        known = self._answers.get(uid)
        if known is None or known[0] is not subject:
            known = self._answers[uid] = subject, make(subject)
        self._answers.move_to_end(uid)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return known[1]
