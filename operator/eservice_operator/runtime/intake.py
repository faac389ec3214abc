# SPDX-License-Identifier: Apache-2.0
"""From a changed object to the keys that it wakes: the one way, whoever noticed the change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.ports import Triggers

log = logging.getLogger(__name__)


class Intake:
    """Puts what was observed into the store and what it wakes into the queue.

    Until `open` it only fills the store: at the start every key is reconciled anyway.
    """

    def __init__(
        self, store: Store, triggers: Triggers, add: Callable[[ObjectKey], None], metrics: Metrics
    ) -> None:
        self._store = store
        self._triggers = triggers
        self._add = add
        self._metrics = metrics
        self._open = False

    def open(self) -> None:
        """From now on changes wake keys."""
        self._open = True

    def observed(self, obj: Manifest, *, deleted: bool) -> None:
        """An event of a watch; one that tells nothing new wakes nobody."""
        self._metrics.events.labels(obj["kind"]).inc()
        known = slim(obj)
        change = self._store.delete(known) if deleted else self._store.upsert(known)
        if change is not None:
            self.wake(change)

    def news(self, kind: str, items: Sequence[Manifest]) -> list[Manifest]:
        """Of what somebody listed, what is to be `observed`: the rest the store has, or what became of it."""
        return [item for item in items if not self._store.knows(kind, item)]

    def repaired(self, change: Change) -> None:
        """A full list found what no event had brought (or not yet)."""
        if self._open:
            self._metrics.resync_repairs.labels(change.key.kind).inc()
        self.wake(change)

    def wake(self, change: Change) -> None:
        """Add the keys of the object as it was and as it is: who loses a reference has to look, too."""
        if not self._open:
            return
        try:
            keys = set(self._triggers(change, self._store))
        except Exception:
            log.exception("%s changed, but whom that concerns could not be computed", change.key)
            self._metrics.trigger_raised.labels(change.key.kind).inc()
            return
        for key in sorted(keys):
            self._add(key)
