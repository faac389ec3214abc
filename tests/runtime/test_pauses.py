# SPDX-License-Identifier: Apache-2.0
"""How often at most something is counted: what cannot wait does not, and what takes long rests longer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.pauses import LONGEST, PAUSE, Pauses
from tests.support.worlds import NOW, SECOND

KEY = ObjectKey("WebService", "ur-production", "population-register")


def test_it_waits_only_under_the_same_mark() -> None:
    pauses = Pauses()
    assert pauses.until(KEY, 1, NOW) is None
    assert pauses.until(KEY, 1, NOW + SECOND) == NOW + PAUSE
    assert pauses.until(KEY, 2, NOW + SECOND) is None, "what cannot wait does not"
    assert pauses.until(KEY, 2, NOW + SECOND + PAUSE) is None
    assert pauses.until(KEY, 2, NOW) is None, "the clock was set back"
    pauses.forget(KEY)
    assert pauses.until(KEY, 2, NOW) is None


@pytest.mark.parametrize("seconds, pause", [(0.1, PAUSE), (0.5, timedelta(seconds=5)), (60.0, LONGEST)])
def test_one_that_takes_long_rests_longer(seconds: float, pause: timedelta) -> None:
    pauses = Pauses()
    for _ in range(2):
        assert pauses.until(KEY, 1, NOW) is None
        pauses.took(KEY, seconds)
        assert pauses.until(KEY, 1, NOW + SECOND) == NOW + pause
        pauses.forget(KEY)
    assert pauses.until(KEY, 1, NOW) is None
    pauses.took(KEY, seconds)
    pauses.took(KEY, 0.0)
    assert pauses.until(KEY, 1, NOW + SECOND) == NOW + PAUSE
