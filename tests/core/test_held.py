# SPDX-License-Identifier: Apache-2.0
"""R8: which sets of decisions the status of a template lists as held."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.held import MOST_NAMES, MOST_SETS, held_sets
from tests.support import worlds

HELD = {
    "observedGeneration": 1,
    "state": "Held",
    "reason": "Brake",
    "holdToken": "0123456789",
    "heldSince": "2026-10-31T10:00:00Z",
}


def decision(number: int, **status: Any) -> UnpublishDecision:
    said = {key: value for key, value in (HELD | status).items() if value is not None}
    return UnpublishDecision.model_validate(worlds.decision(number, status=said))


def test_a_set_is_told_with_its_members_and_since_when_the_first_of_them_is_held() -> None:
    members = decision(2), decision(1, heldSince="2026-10-31T11:00:00Z")
    (one,) = held_sets(Fleet((), members))
    names = tuple(sorted(member.metadata.name for member in members))
    assert (one.token, one.count, one.decisions) == ("0123456789", 2, names)
    assert one.since == members[0].status.held_since
    assert one.caused_by == (members[0].spec.caused_by,)


def test_a_set_says_which_versions_made_it_overdue_recalled_ones_too() -> None:
    first, second = decision(1), decision(2)
    recalled = second.model_copy(update={"spec": second.spec.model_copy(update={"caused_by": None})})
    (one,) = held_sets(Fleet((), (first, recalled)))
    assert one.caused_by == tuple(sorted([str(first.spec.caused_by), second.spec.release.template.version]))


@pytest.mark.parametrize(
    "status",
    [
        {"releasedAt": "2026-10-31T12:00:00Z"},
        {"state": "Closed", "reason": "Renewed"},
        {"state": "Effective", "reason": "Effective"},
        {"reason": "RenewalUnderWay", "holdToken": None, "heldSince": None},
        {"state": "Scheduled", "reason": "Scheduled", "holdToken": None, "heldSince": None},
    ],
)
def test_these_are_in_no_held_set(status: dict[str, Any]) -> None:
    (one,) = held_sets(Fleet((), (decision(1), decision(2, **status))))
    assert one.decisions == (decision(1).metadata.name,)


def test_a_member_that_is_deferred_meanwhile_is_in_its_set_still() -> None:
    (one,) = held_sets(Fleet((), (decision(1, state="Scheduled", reason="Deferred"),)))
    assert one.count == 1


def test_of_many_sets_the_newest_are_listed_and_of_a_large_one_the_first_names() -> None:
    sets = [
        decision(number, holdToken=f"token-{number:02d}", heldSince=f"2026-10-31T10:{number:02d}:00Z")
        for number in range(MOST_SETS + 1)
    ]
    assert [one.token for one in held_sets(Fleet((), tuple(sets)))] == [
        f"token-{number:02d}" for number in range(1, MOST_SETS + 1)
    ]
    (large,) = held_sets(Fleet((), tuple(decision(number) for number in range(MOST_NAMES + 1))))
    assert (large.count, len(large.decisions)) == (MOST_NAMES + 1, MOST_NAMES)
