# SPDX-License-Identifier: Apache-2.0
"""An e-service that somebody has filled to the last byte that the API server takes."""

from __future__ import annotations

import pytest

from eservice_operator.api.names import FINALIZER
from eservice_operator.cluster.errors import ApiError
from eservice_operator.core.actions import Ref
from tests.faults.scenarios import outdated
from tests.support.decisions import decided
from tests.support.fleet import with_instruction
from tests.support.operator import OperatorProcess
from tests.support.site import Site

pytestmark = pytest.mark.cluster

STEPS = (*(4096 >> halved for halved in range(12)), 1)
"""By how many finalizers it is tried to grow, one after the other."""


async def filled(site: Site, ref: Ref) -> int:
    """Give it finalizers until the API server refuses one more; how many there are."""
    count = 0
    for step in STEPS:
        while await takes(site, ref, range(count, count + step)):
            count += step
    return count


async def takes(site: Site, ref: Ref, numbers: range) -> bool:
    path = "/metadata/finalizers/-"
    more = [{"op": "add", "path": path, "value": f"example.com/{number:063d}"} for number in numbers]
    try:
        await site.api.json_patch(ref, more)
    except ApiError as refusal:
        if "too large" not in refusal.message:
            raise
        return False
    return True


async def emptied(site: Site, ref: Ref) -> None:
    ours = {"op": "replace", "path": "/metadata/finalizers", "value": [FINALIZER]}
    await site.api.json_patch(ref, [ours])


@pytest.mark.foreseen("too large")
async def test_the_deadline_of_who_can_take_no_status_is_kept_and_nobody_waits(
    site: Site, operator: OperatorProcess
) -> None:
    await site.prepare()
    full, usual = outdated(site), site.planned("usual")
    await site.published(full)
    await operator.at_rest()
    try:
        assert await filled(site, full.ref) > 1000
        before = await site.see(full.ref)
        await site.apply(with_instruction(await site.see_template()))
        await site.published(usual)
        await site.gone(full.route)
        decision = await decided(site, full, "Effective", "Effective")
        assert decision["spec"]["causedBy"] == "3.0.0"
        after = await site.see(full.ref)
        assert after["status"] == before["status"], "there was no room for it"
    finally:
        await emptied(site, full.ref)
    await site.settled(full, "Unpublished")
