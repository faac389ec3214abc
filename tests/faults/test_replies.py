# SPDX-License-Identifier: Apache-2.0
"""Answers that never come: what was asked for may have been carried out, or not, and nobody can tell."""

from __future__ import annotations

import pytest

from tests.faults.injecting import asked, injected, nth_of_each_kind, one_in, writes
from tests.faults.plays import PLAYS, Play, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_the_answer_to_each_kind_of_write_is_lost(stage: Stage, play: Play) -> None:
    lost = injected("reply lost", nth_of_each_kind(), lose_reply=True)
    await stage.survives(play, lost)
    assert {what.partition(" ")[0] for what in lost.kinds} >= {"create", "patch"}
    assert any(what.endswith("/status") for what in lost.kinds)
    assert set(lost.kinds.values()) == {1}
    await stage.survives(play, injected("request lost", nth_of_each_kind(), drop=True))


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_one_answer_of_three_is_lost_whatever_was_asked(stage: Stage, play: Play) -> None:
    await stage.survives(play, injected("reply lost", one_in(3, asked), lose_reply=True))


async def test_each_request_arrives_twice(stage: Stage) -> None:
    """As after a retry in between: the second answer is the one that is heard."""
    for play in PLAYS:
        await stage.survives(play, injected("delivered twice", writes, first=stage.deliver))
