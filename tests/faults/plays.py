# SPDX-License-Identifier: Apache-2.0
"""Stories that are played without faults and with them: in the end everything has to be the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import NamedTuple

from aiohttp import ClientSession
from kubernetes.aio.client import Configuration
from yarl import URL

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Conflict
from eservice_operator.cluster.resources import RESOURCES
from eservice_operator.core.actions import Manifest, Ref
from tests.faults.endings import seen_alike
from tests.faults.injecting import Injected
from tests.faults.scenarios import (
    Story,
    a_grant_and_its_end,
    first_publication,
    names_of,
    prepared,
    public_on_the_old_version,
    unpublication_and_return,
    waiting_for_a_grant,
)
from tests.support.audit import AuditLog
from tests.support.fault_proxy import FaultProxy, FrameFault, Seen
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.portrait import made_and_removed, portrait
from tests.support.site import Site
from tests.support.waiting import eventually

LATE = 60.0
"""Seconds for faults that no request of a quick story has met: those of lists come with the next resync."""
SEEN = 60.0
"""Seconds for what only a list tells."""
WATCHING = 60.0
"""Seconds, the pauses after some failures among them."""


class Play(NamedTuple):
    """What is there when the faults begin, and what happens under them."""

    name: str
    before: Story
    story: Story


PLAYS = (
    Play("publication", prepared, first_publication),
    Play("unpublication and return", public_on_the_old_version, unpublication_and_return),
    Play("a grant and its end", waiting_for_a_grant, a_grant_and_its_end),
)


class Ending(NamedTuple):
    """How a play ended: the picture of everything, and what the operator made and removed."""

    picture: list[str]
    changes: Counter[str]


Endings = dict[str, Ending]
"""How plays end without faults, by name: once played, the picture serves every test."""


@dataclass
class Stage:
    """An operator behind a proxy on which things go wrong, and the sites that were played on."""

    operator: OperatorProcess
    proxy: FaultProxy
    people: KubeApi
    audit: AuditLog
    endings: Endings
    server: Configuration
    """How the operator reaches the API server."""
    session: ClientSession
    """The same, for whoever sends a request in its name."""
    injected: Counter[str] = field(default_factory=Counter)
    rivals: Counter[str] = field(default_factory=Counter)
    """The writes of others that were carried out in the middle of a story, and changed something: of what."""
    runs: int = 0
    unwritten: int = 0
    """How many lines of the audit log may be missing: an API server that is killed takes them with it."""
    _sites: list[Site] = field(default_factory=list)

    @contextmanager
    def under(self, *faults: Injected) -> Iterator[None]:
        """Inside the block requests meet the faults; what was done is counted, and it has to be something."""
        self.proxy.faults[:] = [one.fault for one in faults]
        try:
            yield
        finally:
            self.proxy.faults.clear()
        self.proxy.assert_served()
        for one in faults:
            assert one.hits, f"{one.name} never happened: {self.proxy.table()}"
            self.injected[one.name] += len(one.hits)

    async def without(self, play: Play) -> Ending:
        """How the play ends when nothing goes wrong."""
        if play.name not in self.endings:
            self.endings[play.name] = await self.ending(await self._act(play, ()))
        return self.endings[play.name]

    async def survives(self, play: Play, *faults: Injected, frames: Sequence[FrameFault] = ()) -> None:
        """Play it under faults: it ends as it does without, with nothing made or removed twice."""
        whole, met = await self.without(play), Counter(self.proxy.met)
        assert whole.changes
        site = await self._act(play, faults, frames)
        told = self.proxy.met - met
        where = f"{play.name} under {', '.join([*(one.name for one in faults), *told])}"
        missing = {one.treatment.value for one in frames} - set(told)
        assert not missing, f"no event was ever {missing}"
        await self.ended_as(whole, site, where)
        await self.operator.at_rest()
        assert_same(await self.ending(site), whole, f"{where}, after that", self.unwritten)
        self.injected.update({f"event {what}": count for what, count in told.items()})
        self.runs += 1

    async def cut(self, _: Seen) -> None:
        """Every watch breaks off."""
        self.proxy.cut_watches()

    async def annotate(self, seen: Seen) -> None:
        """Somebody writes to what the request is about, and takes it back: its version is another."""
        annotations = {"annotations": {"example.com/touched": "yes"}}
        for metadata in (annotations, {}):
            await self._competing(seen, metadata=metadata)

    async def forge(self, seen: Seen) -> None:
        """Somebody says in the status that the request is about that all is well, and has always been."""
        await self._competing(seen, "status", status={"phase": "Published", "observedGeneration": 10**6})

    async def spoil(self, seen: Seen) -> None:
        """Somebody changes a child: what a Service leads to, or how a Deployment's Pods are replaced."""
        spec = {"sessionAffinity": "ClientIP"} if seen.resource == "services" else {"minReadySeconds": 7}
        await self._competing(seen, spec=spec)

    async def _competing(self, seen: Seen, subresource: str = "", **body: Manifest) -> None:
        """Server-side apply by another manager, by force, to what the request is about, if that is there.

        What came of it is counted in ``rivals``: a test has to ask for it.
        """
        resource = next((one for one in RESOURCES.values() if one.plural == seen.resource), None)
        assert resource is not None, seen.path
        ref = Ref(resource.api_version, resource.kind, seen.namespace, seen.name)
        live = await self.people.get(ref)
        if live is None:
            return
        names = {
            key: live["metadata"][key] for key in ("name", "namespace", "uid") if key in live["metadata"]
        }
        metadata = names | body.pop("metadata", {})
        manifest = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata} | body
        with suppress(Conflict):  # it is gone meanwhile, and must not be made anew
            written = await self.people.apply(
                manifest, field_manager="competitor", force=True, subresource=subresource
            )
            changed = written["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]
            self.rivals["/".join(filter(None, (seen.resource, subresource)))] += changed

    async def deliver(self, seen: Seen) -> None:
        """The same request arrives at the API server, and nobody hears its answer."""
        headers = {"Content-Type": seen.headers.get("Content-Type", ""), "User-Agent": seen.agent}
        url = URL(self.server.host).with_path(seen.path).with_query(seen.query)
        async with self.session.request(seen.method, url, data=seen.body or None, headers=headers) as answer:
            await answer.read()

    def site(self) -> Site:
        """A corner of the cluster that is cleared at the end of the test."""
        site = Site(self.people)
        self._sites.append(site)
        return site

    async def _act(self, play: Play, faults: Sequence[Injected], frames: Sequence[FrameFault] = ()) -> Site:
        site = self.site()
        await play.before(site)
        await eventually(site.is_looked_at, "a look at everything", WATCHING)
        await self.operator.at_rest()
        watched = self.proxy.watched
        self.audit.skip()
        self.proxy.frames[:] = frames
        try:
            with self.under(*faults):
                await play.story(site)
                with suppress(AssertionError):  # the end of the block says which of them never came
                    await eventually(lambda: all(one.hits for one in faults), "each fault", LATE)
        finally:
            self.proxy.frames.clear()
        # one that is cut off from a kind has nothing to do, and does not know what it has missed
        since = len(self.proxy.log)
        await eventually(lambda: not self.proxy.unwatched(watched, since), "a watch of each kind", WATCHING)
        await self.operator.at_rest()
        await site.assert_sound()
        return site

    async def ending(self, site: Site) -> Ending:
        """What is there now, and what the operator has made and removed since the audit log was skipped."""
        names = names_of(site)
        seen = seen_alike(await portrait(site, names))
        return Ending(seen, made_and_removed(self.audit.writes(), names))

    async def ended_as(self, whole: Ending, site: Site, where: str) -> None:
        """Wait until the site looks as without faults: what a watch brings may still be on its way."""

        async def alike() -> bool:
            return await self.ending(site) == whole

        with suppress(AssertionError):  # what differs is said below
            await eventually(alike, where, SEEN)
        assert_same(await self.ending(site), whole, where, self.unwritten)

    async def rests(self) -> None:
        """Another operator finds nothing to do: what the last one left is what is wanted."""
        await self.operator.at_rest()
        assert await self.operator.terminate() == 0, self.operator.tail()
        before = await self._pictures()
        self.audit.skip()
        await self.operator.start()
        await self.operator.at_rest()
        written = [f"{one.what} {one.namespace}/{one.name}: {one.code}" for one in self.audit.writes()]
        changed = unified_diff(before, await self._pictures(), "the last", "the next", n=2, lineterm="")
        assert not written, "\n".join([*written[:5], *changed])
        assert_log_clean(self.operator.records())

    async def _pictures(self) -> list[str]:
        """Every field of every object of the sites, a line each."""
        objects = [obj for site in self._sites for obj in await site.objects()]
        shown = (json.dumps(obj, indent=1, sort_keys=True, ensure_ascii=False) for obj in objects)
        return [line for text in shown for line in text.splitlines() if "managedFields" not in line]

    async def clear(self) -> None:
        """Take everything away that was played with."""
        self.proxy.faults.clear()
        self.proxy.frames.clear()
        sites, self._sites = self._sites, []
        for site in sites:
            await site.clear(operated=self.operator.running)


def assert_same(seen: Ending, whole: Ending, where: str, unwritten: int = 0) -> None:
    """Nothing was made or removed once more or once less, and what is there says the same.

    Of what was made or removed so many lines may be ``unwritten``.
    """
    more, less = seen.changes - whole.changes, whole.changes - seen.changes
    assert not more, f"{where}: {more} too many, {less} too few"
    assert less.total() <= unwritten, f"{where}: {less} too few"
    different = "\n".join(sorted(set(seen.picture) ^ set(whole.picture)))
    assert not different, f"{where}:\n{different}"
