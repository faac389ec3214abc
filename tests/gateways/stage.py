# SPDX-License-Identifier: Apache-2.0
"""What the stories through a gateway have in common: releases that answer, and what is measured."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from eservice_operator.core.actions import Manifest, Ref
from tests.support.figures import Figures
from tests.support.fleet import Planned
from tests.support.load import HONEST, Answer, Answers, Citizen
from tests.support.operator import OperatorProcess
from tests.support.pulse import Pulse, at_the_loop_of
from tests.support.site import Site, poll
from tests.support.upstreams import Upstreams
from tests.support.worlds import merged

TARGET = 2.0
"""Seconds: from Verified to the first answer, and from a deadline to the last (issue 5)."""
BACK = 5.0
"""Seconds for going back to the kept release."""
BLINK = 0.5
"""Seconds for which a gateway may answer 503 by itself while what it shows is swapped."""

NOBODY = 0
"""For a status where no connection is accepted: Contour's port is closed while it has no route."""
ENOUGH = 0.1
"""Of the requests that were due, how many have to be sent: few, since a busy machine is no failure."""
LATEST = 20 * HONEST
"""Seconds by which a request may be sent late, for the same reason; above HONEST the figures say so."""


def off(answers: Answers, since: float) -> float:
    """Seconds until the e-service answered nobody any more; fails if anything but the notice came after it.

    ``since`` is when it was to end. After the first answer that is not the e-service's none may be, but for a
    moment: a gateway's threads may follow one by one. In that moment it may also answer 503 by itself, as it
    may follow the swap in two steps.
    """
    after = answers.between(since)
    others = [answer for answer in after if not answer.served]
    assert others, f"served to the end: {answers.story()}"
    ended = others[0].ends
    late = [answer for answer in after if answer.served and answer.begins > ended + BLINK]
    assert not late, f"served again after its end: {answers.story()}"
    for answer in others:
        bare = answer.status == 503 and answer.begins < others[0].begins + BLINK
        assert answer.mark == "notice" or bare, answers.story()
    return max((answer.begins for answer in after if answer.served), default=since) - since


def honest(answers: Answers) -> None:
    """Fail if so few were asked, or so late, that the run proves nothing."""
    asked, late = answers.all, answers.latest_start
    due = (asked[-1].begins - asked[0].begins) * answers.rate
    assert len(asked) >= due * ENOUGH, f"{len(asked)} requests where {due:.0f} were due"
    assert late <= LATEST, f"not at its rate: the latest was sent {late:.1f} s late"


@dataclass
class Stage:
    """One test's corner of a lane: ``pods`` answer for its releases, ``citizens`` ask through the gateway.

    ``insiders`` ask the internal one, on which candidates are previewed.
    """

    lane: str
    site: Site
    pods: Upstreams
    citizens: Citizen
    insiders: Citizen
    figures: Figures
    pulse: Pulse = field(default_factory=Pulse)

    @asynccontextmanager
    async def watched(self, operator: OperatorProcess) -> AsyncIterator[None]:
        """Inside the block it is known for how long who is on the way of a change stood still."""

        async def at_the_gateway() -> None:
            await self.citizens.ask("nobody.example")

        async def at_the_api_server() -> None:
            await self.site.api.get(Ref("v1", "Namespace", "", "default"))

        async with self.pulse.beating([at_the_loop_of(operator), at_the_gateway, at_the_api_server]):
            yield

    async def eservice(self, planned: Planned, **patch: Any) -> Manifest:
        """The EService, whose release is answered for on a port of its own."""
        upstream = await self.pods.open(planned.release)
        ported = {"spec": {"workload": {"port": upstream.port}}}
        return dict(merged(planned.eservice(**ported), patch))

    async def installed(self, planned: Planned) -> None:
        """All but verified."""
        await self.site.apply(planned.registration(), planned.act(), await self.eservice(planned))
        await self.site.settled(planned, "AwaitingVerification")

    async def published(self, planned: Planned) -> None:
        """Public, and answered by the release."""
        await self.site.apply(planned.registration(), planned.act(), planned.verification())
        await self.site.apply(await self.eservice(planned))
        await self.site.settled(planned, "Published")
        await self.answered(planned)

    async def answered(self, planned: Planned, within: float = 30.0) -> Answer:
        """Wait until the release answers a citizen."""
        release = planned.release
        return await self.citizens.until(planned.host, lambda a: a.release == release, release, within)

    async def looked_at(self, planned: Planned, headers: Mapping[str, str] = MappingProxyType({})) -> str:
        """Wait until the candidate answers whoever verifies it; the host under which it does.

        ``headers`` are those without which nobody is answered.
        """
        seen = await self.site.until(planned.ref, lambda obj: obj["status"].get("previewURL"), "a preview")
        host = str(urlsplit(seen["status"]["previewURL"]).hostname)
        release = planned.release
        await self.insiders.until(
            host, lambda a: a.release == release, f"{release} previewed", headers=headers
        )
        if headers:
            assert (await self.insiders.ask(host)).status == 404, "without the header it is not there"
        public = await self.citizens.ask(host, headers=headers)
        assert public.status in (404, NOBODY), f"on the public gateway: {public.said}"
        return host

    @asynccontextmanager
    async def asked(self, planned: Planned, rate: float) -> AsyncIterator[Answers]:
        """Citizens ask at a rate while the block runs; a Pod that goes answers no more."""
        following = self.pods.following(self.site.api, planned.namespace)
        async with following, self.citizens.load(planned.host, rate) as answers:
            yield answers
        honest(answers)

    async def promised(self, planned: Planned) -> datetime:
        """When the rule takes it off, once that is decided."""

        async def scheduled() -> Manifest | None:
            statuses = [one.get("status") or {} for one in await self.site.decisions(planned)]
            return next((status for status in statuses if status.get("state") == "Scheduled"), None)

        status = await poll(scheduled, lambda: f"a decision about {planned.name}")
        return datetime.fromisoformat(status["effectiveAt"])

    async def apply(self, *manifests: Manifest) -> float:
        """What a person applies; the instant at which the API server had taken it."""
        await self.site.apply(*manifests)
        return time.monotonic()

    def in_time(self, what: str, begins: float, ends: float, target: float) -> None:
        """A figure for the end of the run; fails if it took longer, but for when the machine stood still."""
        took, lost = ends - begins, self.pulse.within(begins, ends)
        self.figures.add(f"{self.lane}: {what}", f"{took:.2f} s (at most {target:g} s)")
        assert took - lost <= target, (
            f"{what}: {took:.2f} s, in {lost:.2f} s of which the machine stood still"
        )

    def counted(self, what: str, answers: Answers) -> None:
        """What citizens got, for the end of the run."""
        self.figures.add(f"{self.lane}: {what}", answers.summary())
