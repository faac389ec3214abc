# SPDX-License-Identifier: Apache-2.0
"""The keys that wait for a worker."""

from __future__ import annotations

from eservice_operator.core.keys import ObjectKey

BACKGROUND_PATIENCE = 60.0
"""Seconds that background keys let others go first; after that they take turns with them."""


class Backlog:
    """Keys in the order of their arrival, each once, in two lanes.

    What somebody waits for (an edit, a deadline) goes before what is looked at for safety's sake (start,
    resync), so that ten thousand keys of a restart do not hold up the one that a person has just changed.
    Instants are monotonic seconds.
    """

    def __init__(self) -> None:
        self._urgent: dict[ObjectKey, float] = {}
        self._background: dict[ObjectKey, float] = {}
        self._background_turn = False

    def __len__(self) -> int:
        return len(self._urgent) + len(self._background)

    def add(self, key: ObjectKey, now: float, *, background: bool) -> bool:
        """Let ``key`` wait; answers False when it waits already. An urgent one leaves the background lane."""
        if key in self._urgent or (background and key in self._background):
            return False
        lane = self._background if background else self._urgent
        since = self._background.pop(key, None)
        lane[key] = now if since is None else since
        return since is None

    def take(self, now: float) -> tuple[ObjectKey, float] | None:
        """Take out the key whose turn it is, with the instant since when it has waited."""
        lane = self._urgent or self._background
        if self._urgent and self._background:
            impatient = now - self._first(self._background) > BACKGROUND_PATIENCE
            self._background_turn = impatient and not self._background_turn
            lane = self._background if self._background_turn else self._urgent
        if not lane:
            return None
        key = next(iter(lane))
        return key, lane.pop(key)

    def oldest(self) -> float | None:
        """Since when the key has waited that has waited longest."""
        return min((self._first(lane) for lane in (self._urgent, self._background) if lane), default=None)

    @staticmethod
    def _first(lane: dict[ObjectKey, float]) -> float:
        """The first of a lane has waited longest, but for promoted ones: they began in the other lane."""
        return lane[next(iter(lane))]
