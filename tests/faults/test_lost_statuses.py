# SPDX-License-Identifier: Apache-2.0
"""Every status is gone, as after a backup was restored: nobody is cut off, and all is said again."""

from __future__ import annotations

from collections import Counter

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import OWN, path, resource_of
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Manifest
from tests.faults.plays import Stage, assert_same
from tests.faults.scenarios import granted_and_public
from tests.support.site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

OURS = {resource.kind for resource in OWN}
KINDS = {"EService", "EServiceRegistration", "EServiceTemplate", "WebService", "WebServiceGrant"}
"""Whose statuses others read, among those that are taken away."""


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
    await stage.operator.at_rest()
    after = await stage.ending(site)
    assert_same(after, before._replace(changes=Counter()), "without any status")
    stage.runs += 1
    stage.injected["statuses lost"] += len(kinds)
