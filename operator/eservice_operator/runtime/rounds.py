# SPDX-License-Identifier: Apache-2.0
"""Which objects a leader looks at: all when it begins, those that a change wakes, and all again regularly."""

from __future__ import annotations

import random
from collections.abc import Iterator

from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.intake import Intake
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Wiring
from eservice_operator.runtime.queue import KeyedQueue, Limits
from eservice_operator.runtime.settings import Settings


class Rounds:
    """The queue of one operator, and what goes into it.

    Before it is begun nothing does: who stands by only fills the store, and whoever leads begins with all.
    """

    def __init__(
        self, store: Store, settings: Settings, wiring: Wiring, metrics: Metrics, clock: Clock
    ) -> None:
        self._store = store
        self._namespaces = settings.namespaces
        self._resync = settings.resync.total_seconds()
        self._wiring = wiring
        self._clock = clock
        self.limits = Limits(workers=settings.workers)
        self.queue = KeyedQueue(metrics, clock=clock, limits=self.limits)
        self.intake = Intake(store, wiring.triggers, self.add, metrics)
        self._begun = False

    def add(self, key: ObjectKey) -> None:
        """Have an object reconciled soon."""
        if self._serves(key):
            self.queue.add(key)

    def begin(self) -> None:
        """From now on changes wake keys; and look at everything once."""
        self._begun = True
        self.intake.open()
        self.look_at_all()

    async def look_again(self) -> None:
        """Every object is reconciled at least once in two resync periods; never all at once."""
        while True:
            await self._clock.sleep(self._resync)
            for key in self._keys():
                self.queue.add_within(key, random.uniform(0, self._resync))  # noqa: S311 - jitter

    def look_at_all(self) -> None:
        """Every answer may have changed: the clock was moved, or is trusted anew or no longer."""
        if not self._begun:
            return
        self.queue.wake()
        for key in self._keys():
            self.queue.add(key, background=True)

    def _serves(self, key: ObjectKey) -> bool:
        """Whether a key is of the namespaces that are served; routes of others wake theirs, too."""
        return not self._namespaces or not key.namespace or key.namespace in self._namespaces

    def _keys(self) -> Iterator[ObjectKey]:
        """All that is to be looked at: the objects, and who left something where we put things."""
        yield from (key_of(obj) for kind in self._wiring.reconciled for obj in self._store.all(kind))
        yield from (key for key in self._wiring.left_behind(self._store) if self._serves(key))
