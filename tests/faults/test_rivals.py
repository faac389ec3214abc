# SPDX-License-Identifier: Apache-2.0
"""Others really write to the same objects in the middle of a story: to what was just decided about."""

from __future__ import annotations

import pytest

from tests.faults.injecting import injected, one_in, writes
from tests.faults.plays import PLAYS, Play, Stage
from tests.support.fault_proxy import Seen

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

CONFLICT = 409
CHILDREN = {"services", "deployments"}


def changes(seen: Seen) -> bool:
    """A write to something that is there."""
    return writes(seen) and seen.verb != "create"


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_somebody_else_was_first(stage: Stage, play: Play) -> None:
    """What the operator has decided to write to, somebody touches before it arrives: half of the times."""
    begin = len(stage.proxy.log)
    rival = injected("competing write", one_in(2, changes), first=stage.annotate)
    await stage.survives(play, rival)
    assert any(what.endswith("/status") for what in rival.kinds), rival.kinds
    assert stage.rivals.total() >= len(rival.hits), "as many of the rival's own writes took effect"
    refused = [one for one in stage.proxy.log[begin:] if one.upstream == CONFLICT]
    assert refused, f"the rival was never in the way: {dict(stage.rivals)}"
    stage.injected["of them answered 409 by the API server"] += len(refused)


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_a_manager_at_work_on_children_and_statuses_is_written_over(stage: Stage, play: Play) -> None:
    """It changes what is ours, by force: the operator's next look puts it back, and makes nothing anew."""
    forged = injected("forged status", one_in(4, of_a_status), then=stage.forge)
    spoilt = injected("spoilt child", one_in(3, of_a_child), then=stage.spoil)
    await stage.survives(play, spoilt, forged)
    assert stage.rivals["eservices/status"], f"no forged status was written: {dict(stage.rivals)}"
    spoilt_kinds = {resource for resource, times in stage.rivals.items() if times} & CHILDREN
    assert spoilt_kinds, f"no child was changed: {dict(stage.rivals)}"


def of_a_status(seen: Seen) -> bool:
    return writes(seen) and seen.subresource == "status" and seen.resource == "eservices"


def of_a_child(seen: Seen) -> bool:
    return writes(seen) and seen.verb in {"create", "patch"} and seen.resource in CHILDREN
