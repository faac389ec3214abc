# SPDX-License-Identifier: Apache-2.0
"""What fills the store and keeps it like the cluster: from the start, or from when a kind is installed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.reflector import Reflector
from eservice_operator.cluster.resources import OWN
from eservice_operator.cluster.store import Store
from eservice_operator.cluster.transport import Transport
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.essentials import Essentials
from eservice_operator.runtime.intake import Intake
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.startup import CannotStart, list_all, reflectors_for, without

log = logging.getLogger(__name__)

LOOK_AGAIN: Final = 60.0
"""Seconds between two questions whether what was not installed is there."""


class Lists:
    """The reflectors of one operator. Those of kinds that are not installed begin once they are.

    An API server that starts itself may not serve them yet either: nobody can tell the two apart.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._present: list[Reflector] = []
        self._late: list[Reflector] = []
        self._begun: dict[str, float] = {}
        """By kind, since when it is to be listed, in seconds of the monotonic clock."""
        store.on_left_out_seen(self._look_again)

    async def fill(self, api: KubeApi, transport: Transport, intake: Intake) -> None:
        """List every kind once; of those that are not installed there is nothing, and that is known.

        Raises:
            CannotStart: the API server refuses.
        """
        absent = await without(transport, self._settings, self._clock)
        for reflector in reflectors_for(api, self._store, self._settings, intake):
            (self._late if reflector.resource.kind in absent else self._present).append(reflector)
        for reflector in self._late:
            self._store.mark_synced(reflector.resource.kind)
        if self._late:
            log.info("not served: %s; asked for again every %d s", _named(self._late), LOOK_AGAIN)
        self._begin(self._present)
        await list_all(self._present, self._clock)

    async def refresh(self) -> None:
        """Bring the store up to this moment: watches may lag behind, and a silent one for a minute.

        Raises:
            CannotStart: the API server refuses.
        """
        await list_all(self._present, self._clock, again=True)

    def watch(self, transport: Transport, essentials: Essentials) -> None:
        """Keep the store like the cluster from now on."""
        for reflector in self._present:
            essentials.start(f"the reflector of {reflector.resource.plural}", reflector.run())
        if self._late:
            essentials.start("the look for what is not served", self._join(transport))

    def listed_by_kopf(self, plural: str) -> None:
        """Look again at a kind of ours that kopf has listed: of what was deleted before it says nothing."""
        for reflector in self._present:
            if reflector.resource in OWN and reflector.resource.plural == plural:
                reflector.look_again()

    def _look_again(self, kind: str) -> None:
        """List a kind now: the last list seems to have left something out, and it would stay unseen."""
        for reflector in self._present:
            if reflector.resource.kind == kind:
                reflector.look_again()

    def ages(self) -> dict[str, float]:
        """Per kind that is served, the seconds since its last full list; before that since the start."""
        now, ages = self._clock.monotonic(), dict[str, float]()
        for reflector in self._present:
            kind, at = reflector.resource.kind, reflector.listed_at
            ages[kind] = now - (self._begun.get(kind, now) if at is None else at)
        return ages

    def _begin(self, reflectors: Iterable[Reflector]) -> None:
        now = self._clock.monotonic()
        self._begun.update((reflector.resource.kind, now) for reflector in reflectors)

    async def _join(self, transport: Transport) -> None:
        """Begin with each kind that was not installed once it is."""
        async with asyncio.TaskGroup() as reflecting:
            while self._late:
                absent = await self._absent(transport)
                come = [reflector for reflector in self._late if reflector.resource.kind not in absent]
                if come:
                    log.info("served now, and looked at from now on: %s", _named(come))
                self._late = [reflector for reflector in self._late if reflector not in come]
                self._present += come
                self._begin(come)
                for reflector in come:
                    reflecting.create_task(reflector.run())
                if self._late:
                    await self._clock.sleep(LOOK_AGAIN)

    async def _absent(self, transport: Transport) -> frozenset[str]:
        try:
            return await without(transport, self._settings, self._clock)
        except CannotStart as error:
            log.warning("looking again later: %s", error)
            return frozenset(reflector.resource.kind for reflector in self._late)


def _named(reflectors: Iterable[Reflector]) -> str:
    return ", ".join(f"{one.resource.plural} of {one.resource.api_version}" for one in reflectors)
