# SPDX-License-Identifier: Apache-2.0
"""Every status is gone, as after a backup was restored: nobody is cut off, and all is said again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import OWN, path, resource_of
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Manifest
from tests.faults.plays import Stage
from tests.faults.scenarios import granted_and_public, names_of, renewal
from tests.support.fleet import Planned, with_instruction
from tests.support.oracles.routes import homes
from tests.support.portrait import made_and_removed
from tests.support.resting import rested
from tests.support.site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

NOTICE = "eservice-notice"
OURS = {resource.kind for resource in OWN}
KINDS = {"EService", "EServiceRegistration", "EServiceTemplate", "WebService", "WebServiceGrant"}
"""Whose statuses others read, among those that are taken away."""


@pytest.fixture
def told() -> dict[str, str]:
    """There is a notice page: an e-service that is off keeps its route, and what that records."""
    return {"notice-service": NOTICE}


async def forget(people: KubeApi, site: Site) -> list[str]:
    """Take the status off every object of ours; answers of what kinds they were."""
    told = [obj for obj in await site.objects() if obj["kind"] in OURS and "status" in obj]
    for obj in told:
        await _without_status(people, obj)
    return [obj["kind"] for obj in told]


async def _without_status(people: KubeApi, obj: Manifest) -> None:
    """Whatever somebody else writes to it meanwhile."""
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace", "uid") if key in obj["metadata"]}
    where = path(resource_of(obj["kind"]), metadata.get("namespace", ""), metadata["name"])
    patch = {"metadata": {"uid": metadata["uid"]}, "status": None}
    request = Request("patch", "PATCH", f"{where}/status", patch, content_type="application/merge-patch+json")
    await people._transport.send(request)


@pytest.mark.parametrize("down", [False, True], ids=["at work", "started after it"])
async def test_statuses_that_are_lost_cut_nobody_off(stage: Stage, people: KubeApi, down: bool) -> None:
    """Who was let in stays, and who was public: nothing is removed for want of a status, or made anew."""
    site = stage.site()
    await granted_and_public(site)
    await stage.operator.at_rest()
    before = await stage.ending(site)
    if down:
        assert await stage.operator.terminate() == 0
    stage.audit.skip()
    kinds = await forget(people, site)
    assert set(kinds) >= KINDS
    if down:
        await stage.operator.start()
    await rested(stage.operator, site)
    await stage.ended_as(before._replace(changes=Counter()), site, "without any status")
    stage.runs += 1
    stage.injected["statuses lost"] += len(kinds)


KEPT = ("state", "reason", "effectiveAt", "effectiveSince")


async def gone_and_back(site: Site, gone: Sequence[Planned], back: Planned) -> None:
    """All are unpublished, one of them is renewed; from then on the brake lets one pass."""
    await site.prepare()
    for planned in (*gone, back):
        await site.apply(*planned.everything())
    for planned in (*gone, back):
        await site.settled(planned, "Published")
    await site.apply(with_instruction(await site.see_template()))
    for planned in (*gone, back):
        await site.settled(planned, "Unpublished")
    await renewal(site, back)
    template = await site.see_template()
    template["spec"]["lifecycle"] |= {"brake": {"percent": 1, "atLeast": 1}}
    await site.apply(template)


async def decided(site: Site, *services: Planned) -> list[Manifest]:
    """What has to stay of each decision; when one was closed, nobody knows any more."""
    found = [one["status"] for planned in services for one in await site.decisions(planned)]
    return [
        {key: status.get(key) for key in KEPT if status["state"] != "Closed" or key in KEPT[:2]}
        for status in found
    ]


@pytest.mark.parametrize("down", [False, True], ids=["at work", "started after it"])
async def test_what_went_off_stays_off_and_what_came_back_stays(
    stage: Stage, people: KubeApi, down: bool
) -> None:
    """R8: by its spec alone each decision would be due, and the brake would hold them all, ended or not."""
    site = stage.site()
    *gone, back = (site.planned(name, version="1.0.0") for name in ("address", "tax", "parking"))
    await gone_and_back(site, gone, back)
    await stage.operator.at_rest()
    before = await decided(site, *gone, back)
    assert [one["state"] for one in before] == ["Effective", "Effective", "Closed"]
    if down:
        assert await stage.operator.terminate() == 0
    stage.audit.skip()
    async with AsyncExitStack() as block:
        seen = {one.name: await block.enter_async_context(site.watching(one.route)) for one in (*gone, back)}
        kinds = Counter(await forget(people, site))
        assert kinds["UnpublishDecision"] == len(before)
        if down:
            await stage.operator.start()
        for planned in gone:
            await site.settled(planned, "Unpublished")
        await site.settled(back.renewed(), "Published")
        await rested(stage.operator, site)
        for planned in (*gone, back):
            seen[planned.name].append(await site.see(planned.route))
    led = {name: {to for one in versions for _, to in homes(one)} for name, versions in seen.items()}
    assert led == {**{one.name: {NOTICE} for one in gone}, back.name: {back.name}}
    assert await decided(site, *gone, back) == before
    assert not made_and_removed(stage.audit.writes(), names_of(site))
    stage.runs += 1
    stage.injected["statuses lost"] += kinds.total()
