# SPDX-License-Identifier: Apache-2.0
"""Hundreds of e-services at once, and what the API server says of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest
from tests.support import fleet
from tests.support.fleet import Planned
from tests.support.site import Site, condition, poll, says, up_to_date

CONVERGED = 400.0
"""Seconds for all of them, on a machine that is busy with other things; `make bench` measures it."""
AT_ONCE = 8


async def publish(
    site: Site, template: Manifest, services: Iterable[Planned], within: float = CONVERGED
) -> None:
    """Apply what people write about each, and wait until all are public with nothing left to do."""
    wanted = list(services)
    names = {(planned.namespace, planned.name) for planned in wanted}
    places = sorted({planned.namespace for planned in wanted})
    await site.apply(template, *(fleet.namespace(place) for place in places))
    at_once = asyncio.Semaphore(AT_ONCE)

    async def write(planned: Planned) -> None:
        async with at_once:
            await site.apply(*planned.everything())

    async with asyncio.TaskGroup() as people:  # one that fails leaves no other at work behind the test
        for planned in wanted:
            people.create_task(write(planned))

    async def public() -> bool:
        items, _ = await site.api.list(resource_of("EService"))
        done = [
            item
            for item in items
            if (item["metadata"]["namespace"], item["metadata"]["name"]) in names
            and says(item, "Published", "True")
            and condition(item, "Reconciling") is None
            and up_to_date(item)
        ]
        return len(done) == len(wanted)

    await poll(public, lambda: f"{len(wanted)} e-services public", within, longest=2.0)

    async def counted() -> bool:
        live = await site.see(site.template_ref)
        return bool(live["status"].get("eServices") == len(wanted))

    await poll(counted, lambda: "the template's count")
