# SPDX-License-Identifier: Apache-2.0
"""What the shell is given: the reconciler, the triggers and the figures that people ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.store import Change, Index, Store
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.exposition import Rendered
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Result:
    """How a reconcile ended.

    ``next_at`` (aware) is the earliest instant at which any answer can change by time alone. ``error`` is set
    when trying again can help; the key then comes back after its backoff, whatever ``next_at`` says.
    """

    next_at: datetime | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.next_at is not None and self.next_at.tzinfo is None:
            raise ValueError(f"next_at has no time zone: {self.next_at}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reconciler works with; ``wake`` is told of its own writes, as reflectors tell of others'.

    ``clock_trusted`` says whether the wall clock agrees with the API server's at this moment. ``add`` has an
    object reconciled soon. ``at_end`` takes a step that is carried out at the end, while the queue still
    runs; it has to be over within seconds. ``leading`` says whether this operator leads at this moment: only
    then it may do what cannot be undone. Its writes are guarded by that anyway.
    """

    api: KubeApi
    store: Store
    settings: Settings
    clock: Clock
    metrics: Metrics
    wake: Callable[[Change], None]
    clock_trusted: Callable[[], bool]
    add: Callable[[ObjectKey], None]
    at_end: Callable[[Callable[[], Awaitable[None]]], None]
    leading: Callable[[], bool]


class Reconciler(Protocol):
    """Brings one object to what the rules say. Whatever it raises is logged with the key and tried again."""

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:
        """Observe, decide, apply and report for ``key`` as of ``now`` (aware, UTC)."""
        ...


class Triggers(Protocol):
    """Which keys a changed object wakes. Pure: reads the change and the store, asks nobody."""

    def __call__(self, change: Change, store: Store) -> Iterable[ObjectKey]:
        """The keys to reconcile: of the object as it was, too, since who loses a reference has to look."""
        ...


class MakeReconciler(Protocol):
    """Makes the reconciler, once the store holds every kind in full."""

    def __call__(self, surroundings: Surroundings) -> Reconciler:
        """Called on the running event loop; what it starts there it has to end itself."""
        ...


class StateCollector(Protocol):
    """The figures about e-services, computed from the store when they are asked for."""

    def collect(self, store: Store, now: datetime) -> Iterable[Rendered]:
        """The metric families as of ``now``; called from a thread at each scrape."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts that know the domain, plugged into the shell that does not."""

    make_reconciler: MakeReconciler
    triggers: Triggers
    reconciled: tuple[str, ...]
    """The kinds whose objects are reconciled: all at the start, and again within each resync period."""
    left_behind: Callable[[Store], Iterable[ObjectKey]] = lambda _: ()
    """Keys whose objects are gone while something of theirs is still there."""
    indexes: Mapping[tuple[str, str], Index] = field(default_factory=dict)
    """The store's secondary indexes, by kind and name."""
    collector: StateCollector | None = None
