# SPDX-License-Identifier: Apache-2.0
"""Others write to the same objects at the same time, or the API server says so."""

from __future__ import annotations

import pytest

from tests.faults.injecting import injected, nth_of_each_kind, one_in, refusal, writes
from tests.faults.plays import PLAYS, Play, Stage
from tests.support.fault_proxy import Seen

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

CONFLICT = refusal(409, "Conflict")


def changes(seen: Seen) -> bool:
    """A write to something that is there."""
    return writes(seen) and seen.verb != "create"


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_a_conflict_is_no_failure(stage: Stage, play: Play) -> None:
    """Answered 409 without a reason that anybody could find."""
    await stage.survives(play, injected("409", nth_of_each_kind(changes), answer=CONFLICT))
    await stage.survives(play, injected("409", one_in(2, changes), answer=CONFLICT))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_somebody_else_was_first(stage: Stage, play: Play) -> None:
    """What the operator has just decided to write to, somebody writes to before it arrives."""
    await stage.survives(play, injected("competing write", nth_of_each_kind(changes), first=stage.annotate))
    often = injected("competing write", one_in(3, changes), first=stage.annotate)
    await stage.survives(play, often)
    assert any(what.endswith("/status") for what in often.kinds)
