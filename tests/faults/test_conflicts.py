# SPDX-License-Identifier: Apache-2.0
"""The API server says that others write to the same objects at the same time."""

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
