# SPDX-License-Identifier: Apache-2.0
"""The shell with a reconciler that only tells what it is given; tests start it as a process of its own.

Each line of standard output is one step of a reconcile.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from eservice_operator.cluster.resources import OWN
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.clock import SYSTEM, Clock
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.operator import serve
from eservice_operator.runtime.ports import Result, Surroundings, Wiring
from tests.support.moved_operator import MovedByFile
from tests.support.waiting import eventually

TAKES = "tests.eservice.dev/takes"
"""The annotation that says how many seconds a reconcile of this object takes."""
UNTIL = "tests.eservice.dev/until"
"""The annotation that names a file without which a reconcile of this object does not end."""
MOVED_BY = "TESTS_CLOCK_MOVED_BY"
"""The variable that names the file with the seconds by which the wall clock is off."""


class Recorder:
    def __init__(self, surroundings: Surroundings) -> None:
        self._store = surroundings.store
        self._clock_trusted = surroundings.clock_trusted

    async def reconcile(self, key: ObjectKey, now: datetime) -> Result:  # noqa: ARG002 - it decides nothing
        obj = self._store.get(*key)
        self._tell("begin", key, obj)
        await asyncio.sleep(float(self._annotation(obj, TAKES, "0")))
        if awaited := self._annotation(obj, UNTIL, ""):
            await eventually(Path(awaited).exists, awaited, 60)
        self._tell("end", key, obj)
        return Result()

    @staticmethod
    def _annotation(obj: Manifest | None, name: str, default: str) -> str:
        annotations: dict[str, str] = (obj or {"metadata": {}})["metadata"].get("annotations") or {}
        return annotations.get(name, default)

    def _tell(self, step: str, key: ObjectKey, obj: Manifest | None) -> None:
        generation = obj["metadata"]["generation"] if obj is not None else None
        told = {"step": step, **key._asdict(), "generation": generation, "trusted": self._clock_trusted()}
        print(json.dumps(told), flush=True)  # noqa: T201


def itself(change: Change, store: Store) -> Iterable[ObjectKey]:  # noqa: ARG001 - alone in the world
    return [change.key] if change.key.kind in KINDS else []


KINDS = tuple(resource.kind for resource in OWN)
WIRING = Wiring(make_reconciler=Recorder, triggers=itself, reconciled=KINDS)


def clock() -> Clock:
    path = os.environ.get(MOVED_BY)
    return MovedByFile(Path(path)) if path else SYSTEM


if __name__ == "__main__":
    command_line(lambda settings: serve(settings, WIRING, clock()))(prog_name="eservice-operator")
