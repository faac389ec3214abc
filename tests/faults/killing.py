# SPDX-License-Identifier: Apache-2.0
"""A murderer on the way to the API server, and a theatre in which it plays a story over and over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from eservice_operator.api.names import MANAGER
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from tests.faults.endings import (
    Ending,
    Entry,
    Write,
    called,
    different,
    entered,
    event_said,
    mails,
    once_each,
    resent,
    seen_alike,
    told_alike,
)
from tests.faults.scenarios import Scenario, names_of
from tests.support.audit import AuditLog
from tests.support.fault_proxy import FOR_EVER, Fault, FaultProxy, Seen
from tests.support.mailserver import MailServer, Received
from tests.support.operator import OperatorProcess
from tests.support.oracles import Watch, notice_faults
from tests.support.portrait import Names, made_and_removed, picture
from tests.support.site import EVENTS, Site

ELSEWHERE = frozenset({"leases"})
"""Writes that no story asks for: they come by the clock."""

AT_ONCE = 6
"""Sites that are prepared together. The operator looks at all of them at each of its starts."""


class Moment(Enum):
    """When the operator dies, as the API server sees it."""

    BEFORE = "before"
    """The write is never heard of."""
    AFTER = "after"
    """The write is carried out, and the operator never hears of that."""


@dataclass(frozen=True)
class Stage:
    """The site of one play; ``others`` wait beside it for theirs, or had theirs and are being removed."""

    site: Site
    names: Names
    others: frozenset[str] = frozenset()
    known: frozenset[Entry] = frozenset()
    """What its ledgers say before the story."""

    def foreign(self, *places: str) -> bool:
        """Whether names of objects are those of another site."""
        return any(mark in place for mark in self.others for place in places)


@dataclass
class Assassin:
    """Kills the operator at certain writes, from when it is armed on; a new one is started at once."""

    operator: OperatorProcess
    proxy: FaultProxy
    writes: list[Write] = field(default_factory=list)
    """Those since it was armed."""
    kills: int = 0
    """How many since it was armed."""

    def arm(self, stage: Stage, moment: Moment = Moment.BEFORE, *victims: Write) -> None:
        """Look for these writes from now on, and for those of this stage only."""
        self.writes, self.kills = [], 0
        self._stage, self._victims, self._came = stage, set(victims), Counter[str]()
        if moment is Moment.BEFORE:
            fault = Fault(self._is_victim, times=FOR_EVER, first=self._strike, drop=True)
        else:
            fault = Fault(self._is_victim, times=FOR_EVER, then=self._strike, lose_reply=True)
        self.proxy.faults[:] = [fault]

    def disarm(self) -> None:
        self.proxy.faults.clear()

    @property
    def done(self) -> bool:
        """Whether each of its victims has come."""
        return self.kills >= len(self._victims)

    def _is_victim(self, seen: Seen) -> bool:
        if not seen.writes or seen.resource in ELSEWHERE or self._stage.foreign(seen.namespace, seen.name):
            return False
        what = called(seen, self._stage.names)
        self._came[what] += 1
        write = Write(what, self._came[what])
        self.writes.append(write)
        return write in self._victims

    async def _strike(self, _: Seen) -> None:
        self.operator.kill()
        self.kills += 1
        self.operator.launch()


class Play(NamedTuple):
    """Who dies when in one play of a story; nobody in the one from which the others learn."""

    moment: Moment = Moment.BEFORE
    victims: tuple[Write, ...] = ()


@dataclass
class Theatre:
    """Plays a story on a new site each time."""

    assassin: Assassin
    people: KubeApi
    audit: AuditLog
    mail: MailServer
    oracles: Watch
    _known: list[Received] = field(default_factory=list)
    """The mails that came before the story, each once."""
    _told: set[str] = field(default_factory=set)
    """The uids of the Events that were there before the story."""
    _marks: set[str] = field(default_factory=set)
    """Of all sites so far: what is left of one goes on being removed while the next play begins."""

    async def whole(self, scenario: Scenario) -> Ending:
        """How it ends when nobody is killed."""
        (ending,) = [ending async for ending in self.all(scenario, [Play()], None)]
        return ending

    async def all(
        self, scenario: Scenario, plays: Sequence[Play], whole: Ending | None
    ) -> AsyncIterator[Ending]:
        """The endings of all plays, in their order; where all is well each is as ``whole``.

        What comes before the story is played for several sites at once, and each story then by itself.
        """
        for begin in range(0, len(plays), AT_ONCE):
            chosen = plays[begin : begin + AT_ONCE]
            sites = [Site(self.people) for _ in chosen]
            self._known = []
            self.mail.received.clear()
            await asyncio.gather(*(scenario.before(site) for site in sites))
            await self.assassin.operator.at_rest()
            self._marks |= {site.mark for site in sites}
            for site, play in zip(sites, chosen, strict=True):
                others = frozenset(self._marks - {site.mark})
                known = entered(await site.objects())
                stage = Stage(site, names_of(site), others, known)
                yield await self._play(scenario, stage, play, whole)

    async def _play(self, scenario: Scenario, stage: Stage, play: Play, whole: Ending | None) -> Ending:
        assassin, site = self.assassin, stage.site
        self.audit.skip()
        self._known = once_each([*self._known, *self.mail.received])
        self.mail.received.clear()
        self._told = set()
        self._told = {event["metadata"]["uid"] for event in await self._events(stage)}
        assassin.arm(stage, play.moment, *play.victims)
        await scenario.story(site)
        await assassin.operator.until_ready()
        ending = await self._ended(stage, whole)
        assassin.disarm()
        await site.assert_sound()
        await self.oracles.kept()
        late = self._look_at_audit(stage) - ending.changes
        assert not late, f"made or removed after all was as it should be: {dict(late)}"
        await site.clear(operated=True)
        return ending

    async def _ended(self, stage: Stage, whole: Ending | None) -> Ending:
        """Once it is as ``whole``, or the operator is at rest: what is as at rest does not move any more.

        Before the kill only at rest: a write that no picture shows, such as of counts, may still come.
        """
        resting = asyncio.create_task(self._rests())
        try:
            while True:
                at_rest = resting.done()
                if at_rest:
                    resting.result()
                if at_rest or (self.assassin.done and self._came_as_far(stage, whole)):
                    ending = await self._look(stage)
                    if at_rest or (whole is not None and not different(ending, whole)):
                        return ending
                await asyncio.wait({resting}, timeout=0.2)
        finally:
            resting.cancel()
            await asyncio.wait({resting})

    def _came_as_far(self, stage: Stage, whole: Ending | None) -> bool:
        """Whether it may be as ``whole`` by now: all is made, removed and told. To see objects is dear."""
        if whole is None or self._look_at_audit(stage) != whole.changes:
            return False
        return mails(self.mail.received, stage.names)[0] == whole.mails

    async def _rests(self) -> None:
        """Wait until the operator is at rest: one that is killed meanwhile says nothing, the next does."""
        operator, kills = self.assassin.operator, -1
        while kills != self.assassin.kills:
            kills = self.assassin.kills
            try:
                await operator.until_ready()
                await operator.at_rest()
            except AssertionError:
                if kills == self.assassin.kills:
                    raise

    async def _look(self, stage: Stage) -> Ending:
        objects = await stage.site.objects()
        came = self.mail.received
        wrong = [
            *notice_faults(objects, [*self._known, *came], self.assassin.kills),
            *resent(self._known, came),
        ]
        changes = self._look_at_audit(stage)
        return Ending(
            seen_alike(picture((told_alike(obj, stage.known) for obj in objects), stage.names)),
            changes,
            self.assassin.writes,
            Counter(event_said(event, stage.names) for event in await self._events(stage)),
            *mails(came, stage.names),
            self.assassin.kills,
            wrong,
        )

    def _look_at_audit(self, stage: Stage) -> Counter[str]:
        """What was made and removed."""
        written = [one for one in self.audit.writes() if not stage.foreign(one.namespace, one.name)]
        return made_and_removed(written, stage.names)

    async def _events(self, stage: Stage) -> list[Manifest]:
        """Those about objects of the site that were told since the story began."""
        items, _ = await self.people.list(EVENTS)
        mine = [
            item
            for item in items
            if item.get("reportingComponent") == MANAGER and stage.site.mark in f"{item['involvedObject']}"
        ]
        return [item for item in mine if item["metadata"]["uid"] not in self._told]
