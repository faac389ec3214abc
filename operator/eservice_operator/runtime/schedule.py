# SPDX-License-Identifier: Apache-2.0
"""Keys by the instant at which they are due."""

from __future__ import annotations

import heapq

from eservice_operator.core.keys import ObjectKey


class Schedule:
    """A heap of due instants, one per key: of several instants for a key the earliest stands.

    Instants are floats in seconds of any one clock; the schedule itself never asks for the time.
    """

    def __init__(self) -> None:
        self._due: dict[ObjectKey, float] = {}
        self._heap: list[tuple[float, ObjectKey]] = []

    def __len__(self) -> int:
        return len(self._due)

    def put(self, key: ObjectKey, due: float) -> None:
        """Plan ``key`` for ``due``, unless it is planned for earlier already."""
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        self._compact()

    def discard(self, key: ObjectKey) -> None:
        """Forget the key's instant, if there is one."""
        if self._due.pop(key, None) is not None:
            self._compact()

    def next_due(self) -> float | None:
        """The earliest instant planned."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # replaced by an earlier one, or forgotten
        return self._heap[0][0] if self._heap else None

    def soonest(self) -> float | None:
        """What `next_due` says; changes nothing, so that any thread may ask."""
        return min(list(self._due.values()), default=None)

    def pop_due(self, now: float) -> list[ObjectKey]:
        """Take out every key whose instant has come, the earliest first."""
        taken: list[ObjectKey] = []
        while (due := self.next_due()) is not None and due <= now:
            _, key = heapq.heappop(self._heap)
            del self._due[key]
            taken.append(key)
        return taken

    def _compact(self) -> None:
        """Rebuild the heap once most of it is entries that no longer stand."""
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)
