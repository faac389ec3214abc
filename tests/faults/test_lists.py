# SPDX-License-Identifier: Apache-2.0
"""Lists that are empty by mistake, end in the middle, expire between two pages, or are of an earlier day."""

from __future__ import annotations

import pytest

from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, Resource
from tests.faults.estate import founded
from tests.faults.injecting import Chosen, Injected, injected
from tests.faults.plays import Stage
from tests.support.audit import Request
from tests.support.faults.fault import emptied, gone
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

KINDS = (*OWN, *CHILDREN, *OBSERVED)


def lists(*resources: Resource) -> Chosen:
    """Lists of these kinds, whoever asks."""
    wanted = {resource.plural for resource in resources}
    return lambda seen: seen.verb == "list" and seen.resource in wanted


async def test_an_empty_list_by_mistake_takes_nothing_from_anybody(stage: Stage, kubectl: Kubectl) -> None:
    """One kind after the other has gone, as far as the API server says."""
    estate = await founded(stage)
    before = await estate.picture()
    stage.audit.skip()
    for resource in KINDS:
        with stage.under(empty := injected("empty list", lists(resource), edit=emptied)):
            await list_again(stage, resource, empty)
            await stage.operator.at_rest()
            await estate.assert_stands(kubectl)
            grave = [one for one in stage.audit.writes() if made_or_removed(one)]
            assert not grave, (resource.kind, grave)
        await list_again(stage, resource)
        await stage.operator.at_rest()
        stage.runs += 1
    assert await estate.picture() == before


def made_or_removed(request: Request) -> bool:
    return request.verb in {"create", "delete"} and request.resource != "events" and request.succeeded


async def list_again(stage: Stage, resource: Resource, seen: Injected | None = None) -> None:
    """Have the watches of a kind end in a gap, and wait until everybody has listed it."""
    so_far, log = len(seen.hits) if seen else 0, len(stage.proxy.log)
    await stage.proxy.end_watches(gone(), lambda one: one.resource == resource.plural)
    wanted = 2 if resource in OWN else 1

    def listed() -> bool:
        fresh = [one for one in stage.proxy.log[log:] if lists(resource)(one.seen) and one.outcome == "200"]
        return len(fresh) >= wanted and (seen is None or len(seen.hits) - so_far >= wanted)

    await eventually(listed, f"{wanted} lists of {resource.plural}", 30)
    await eventually(
        lambda: stage.proxy.watches(f"/{resource.plural}?"), f"the watch of {resource.plural}", 30
    )
