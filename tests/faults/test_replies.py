# SPDX-License-Identifier: Apache-2.0
"""Answers that never come: what was asked for may have been carried out, or not, and nobody can tell."""

from __future__ import annotations

import pytest

from tests.faults.injecting import every, first_of_each_kind, injected
from tests.faults.plays import PLAYS, Play, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_the_reply_to_a_write_of_each_kind_is_lost(stage: Stage, play: Play) -> None:
    lost = injected("reply lost", first_of_each_kind(), lose_reply=True)
    await stage.survives(play, lost)
    verbs = {kind.partition(" ")[0] for kind in lost.kinds}
    assert verbs >= {"POST", "PATCH"}
    assert any(kind.endswith("/status") for kind in lost.kinds)
    await stage.survives(play, injected("connection lost", first_of_each_kind(), drop=True))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_one_reply_of_three_is_lost(stage: Stage, play: Play) -> None:
    await stage.survives(play, injected("reply lost", every(3, lambda seen: not seen.watch), lose_reply=True))
