# SPDX-License-Identifier: Apache-2.0
"""A site with a little of everything: what is public, off by the rule, deferred, and open to somebody."""

from __future__ import annotations

from dataclasses import dataclass, field

from eservice_operator.core.actions import Manifest, Ref
from tests.faults.plays import Stage
from tests.support.fleet import Planned, with_instruction
from tests.support.kubectl import Kubectl
from tests.support.portrait import Names, portrait
from tests.support.register import Register
from tests.support.site import Site, says


@dataclass
class Estate:
    """``public`` has an open grant, ``off`` was unpublished by R8, ``deferred`` is kept by a deferral."""

    site: Site
    register: Register = field(init=False)
    public: Planned = field(init=False)
    off: Planned = field(init=False)
    deferred: Planned = field(init=False)

    def __post_init__(self) -> None:
        self.register = Register(self.site)
        self.public = self.site.planned("address")
        self.off = self.site.planned("parking", version="1.0.0")
        self.deferred = self.site.planned("tax", version="1.0.0")

    @property
    def grant(self) -> Ref:
        return self.register.grant_ref(self.public)

    @property
    def deferral(self) -> Manifest:
        return self.deferred.deferral(30)

    @property
    def test(self) -> Manifest:
        return self.register.tested(self.public)

    async def found(self) -> None:
        """Make all of it, and wait until it is so; nobody has to go yet."""
        site, register = self.site, self.register
        await site.prepare(warnBefore=[])  # the end of a deferral leaves no time for a warning
        await register.prepare()
        await site.apply(*self.public.everything()[:-1], self.test)
        await site.apply(self.public.eservice(spec={"uses": [register.use()]}))
        await site.apply(register.grant(self.public), self.deferral)
        for planned in (self.off, self.deferred):
            await site.apply(*planned.everything())
        for planned in (self.public, self.off, self.deferred):
            await site.settled(planned, "Published")

    async def fall_due(self) -> None:
        """The instruction by which the two on the old version are overdue; waits until one is off."""
        await self.site.apply(with_instruction(await self.site.see_template()))
        await self.site.settled(self.off, "Unpublished")
        await self.site.until(self.deferred.ref, overdue, "overdue")

    async def picture(self) -> list[str]:
        """Everything there is, a line each, with the uids of what serves the public."""
        planned = (self.public, self.off, self.deferred)
        names = Names(self.site, [one.release for one in planned])
        objects = await self.site.objects()
        kept = [
            f"{obj['kind']} {obj['metadata']['name']} {obj['metadata']['uid']}"
            for obj in objects
            if obj["kind"] in {"HTTPRoute", "Service", "Deployment"}
        ]
        return sorted(kept) + await portrait(self.site, names)

    async def opened_again(self, kubectl: Kubectl) -> None:
        """Wait until the grant is open, the e-service says so, and the API server goes by it."""
        await self.site.until(self.grant, lambda obj: says(obj, "Active", "True", "Active"), "open")
        await self.site.until(self.public.ref, lambda obj: says(obj, "AccessGranted", "True"), "it has it")
        await self.register.comes_to_may(kubectl, self.public)

    async def assert_stands(self, kubectl: Kubectl, when: str, *, closed: bool = False) -> None:
        """Nobody lost anything, nobody got anything back; access may be ``closed``.

        What statuses say meanwhile is another matter: a route that is in no list is not there, they say.
        """
        assert closed or await self.register.may(kubectl, self.public), f"{when}: access was lost"
        for planned in (self.public, self.deferred):
            assert await self.site.api.get(planned.route) is not None, f"{when}: {planned.name} is off"
        assert await self.site.api.get(self.off.route) is None, f"{when}: it came back"


def overdue(obj: Manifest) -> bool:
    """Whether its status says that R8 would take it down."""
    return bool(obj["status"]["template"].get("overdueSince"))


async def founded(stage: Stage, *, due: bool = True) -> Estate:
    """An estate, at rest; ``due``: two are overdue, of which one is off and the other deferred."""
    estate = Estate(stage.site())
    await estate.found()
    if due:
        await estate.fall_due()
    await stage.operator.at_rest()
    return estate
