# SPDX-License-Identifier: Apache-2.0
"""An API server that refuses and breaks down in between."""

from __future__ import annotations

import pytest

from tests.faults.injecting import asked, by_lot, injected, refusal
from tests.faults.plays import PLAYS, Play, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

BUSY = refusal(503, "ServiceUnavailable")
TROUBLE = (
    ("429", refusal(429, "TooManyRequests")),
    ("500", refusal(500, "InternalError")),
    ("503", BUSY),
    ("504", refusal(504, "Timeout")),
    ("somebody else's page", (502, {"Content-Type": "text/html"}, "<html>Bad Gateway</html>")),
)


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_everything_that_passes_comes_in_turn(stage: Stage, play: Play) -> None:
    """Every other request meets some trouble, each of them one in ten, reads and writes alike."""
    turns = by_lot(2 * len(TROUBLE), asked)[: len(TROUBLE)]
    troubles = zip(TROUBLE, turns, strict=True)
    await stage.survives(play, *(injected(name, turn, answer=said) for (name, said), turn in troubles))
