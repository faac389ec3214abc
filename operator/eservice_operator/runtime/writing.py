# SPDX-License-Identifier: Apache-2.0
"""What a reconcile of any kind writes: its actions, a status, Events about it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from eservice_operator.api import names
from eservice_operator.api.base import ObjectMeta, Status
from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.observe import Observer
from eservice_operator.core.actions import Action, Basis, Outcome, Ref, SetStatus, target_of
from eservice_operator.core.invalid import invalid_status
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.notes import Note
from eservice_operator.runtime.ports import Result
from eservice_operator.runtime.retries import error_of, outdated

log = logging.getLogger(__name__)

NOTHING_DONE = Outcome(())
PATIENCE: Final = 4
"""Statuses in a row that are given up since somebody else wrote there; the next one goes over it."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries out what was decided, and says so: in the log, in the status and in Events."""

    observer: Observer
    applier: Applier
    events: EventSink
    _outdated: dict[ObjectKey, tuple[str, int]] = field(default_factory=dict)
    """By the object, of that UID, how many writes of its status in a row came after somebody else's."""

    async def apply(self, actions: Sequence[Action]) -> Outcome:
        """Carry out and say what was done; why is part of each action."""
        outcome = await self.applier.run(actions)
        for action in outcome.done:
            log.info("%s %s: %s", type(action).__name__, target_of(action), action.reason)
        for failed in outcome.failures:
            log.warning("%s failed, %s: %s", type(failed.action).__name__, failed.reason, failed.message)
        return outcome

    async def write_status(self, key: ObjectKey, metadata: ObjectMeta, old: Status, new: Status) -> Outcome:
        """Write a status if it says anything new, over the one that it was computed from.

        Over another it would take back what that one remembers: a ledger, dates, when something began. Who
        writes there again and again stops nothing by it, though: after some tries in a row, each computed
        from what was there just then, whatever came since is overwritten.
        """
        if new == old:
            return NOTHING_DONE
        uid, refused = self._outdated.pop(key, (metadata.uid, 0))
        if uid != metadata.uid:
            refused = 0
        basis = None if refused == PATIENCE else Basis(metadata.resource_version, status_body(old))
        write = SetStatus(ref_to(key), metadata.uid, status_body(new), "the facts changed", basis)
        outcome = await self.applier.run([write])
        if outdated(outcome):
            self._outdated[key] = metadata.uid, refused + 1
        return outcome

    def forget(self, key: ObjectKey) -> None:
        """It is gone."""
        self._outdated.pop(key, None)

    async def publish(self, key: ObjectKey, metadata: ObjectMeta, told: Iterable[Note]) -> None:
        """Tell Events about an object."""
        for note in told:
            await self.events.publish(
                ref_to(key), metadata.uid, note.type, note.reason, note.text, note.action
            )

    async def tell_others(self, told: Iterable[tuple[Ref, str, Note]]) -> None:
        """Tell Events about objects that are not ours, each with its UID."""
        for ref, uid, note in told:
            await self.events.publish(ref, uid, note.type, note.reason, note.text, note.action)

    async def invalid(self, key: ObjectKey, invalid: InvalidObject, now: datetime) -> Result:
        """Stalled until the spec changes; the last good children stay."""
        metadata, old = self.observer.envelope(key)
        status = invalid_status(old, metadata.generation, invalid.errors, now)
        return Result(error=error_of(await self.write_status(key, metadata, old, status)))


def status_body(status: Status) -> dict[str, Any]:
    """A status as it is sent: nothing that is absent or empty."""
    return _filled(status.model_dump(mode="json", by_alias=True, exclude_none=True))


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    filled = {key: _filled(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    return {key: value for key, value in filled.items() if value not in ({}, [])}


def ref_to(key: ObjectKey) -> Ref:
    """An object of ours as actions name it."""
    return Ref(names.API_VERSION, key.kind, key.namespace, key.name)
