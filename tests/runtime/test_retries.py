# SPDX-License-Identifier: Apache-2.0
"""When an object is looked at again after a write that failed, and others that went on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from eservice_operator.core.actions import Action, Delete, Failure, Outcome, Ref
from eservice_operator.runtime.retries import RETRY_FOREIGN, contested, foreign_look, retry

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FIRST, SECOND = (Delete(Ref("v1", "Service", "here", name), "uid", "a test") for name in ("one", "two"))


@dataclass(frozen=True)
class Decided:
    actions: tuple[Action, ...]


def failed(*transient: bool) -> Outcome:
    first, *others = (Failure(FIRST, "Reason", f"said {one}", transient=one) for one in transient)
    return Outcome((SECOND,), first, tuple(others))


@pytest.mark.parametrize(
    "transient, error, looks",
    [
        ((False,), None, True),
        ((True,), "said True", False),
        ((False, True), "said True", True),
        ((True, False), "said True", True),
    ],
)
def test_each_failure_is_tried_again_in_its_own_way(
    transient: tuple[bool, ...], error: str | None, *, looks: bool
) -> None:
    outcome = failed(*transient)
    assert retry(outcome) == error
    assert foreign_look(outcome, NOW) == (NOW + RETRY_FOREIGN if looks else None)


def test_what_is_undone_beside_a_failure_waits_for_its_backoff() -> None:
    """What failed is to be done still, and that alone is no quarrel."""
    assert contested(Decided((FIRST,)), failed(False)) is None
    told = contested(Decided((FIRST, SECOND)), failed(False)) or ""
    assert told.startswith("is undone each time it is done: Delete Service here/two")
