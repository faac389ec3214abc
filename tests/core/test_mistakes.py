# SPDX-License-Identifier: Apache-2.0
"""R8: what helps when a template says something wrong, as the runbook of the brake has it.

Eight e-services are public on 3.0.0. The brake lets five go within 24 hours, and holds all eight.
"""

from __future__ import annotations

import pytest

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import Reason
from eservice_operator.core.actions import Manifest
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, SECOND, TEMPLATE, at

EIGHT = "abcdefgh"
LATE = at("2027-07-01")
WITHDRAWN = worlds.merged(worlds.NEXT_VERSION, {"withdrawn": {"at": "2027-07-02", "reason": "a mistake"}})
MENDED = worlds.version("4.0.1", "2027-05-01", "2027-09-01")
"""Makes a service on 3.0.0 overdue on 2027-09-01."""


def apply(fleet: PureFleet, *versions: Manifest, **lifecycle: object) -> None:
    """Write the template as the Agency does: what its status has recorded stays."""
    status = fleet.templates[TEMPLATE].get("status")
    fleet.put_template(worlds.template(versions, status=status, lifecycle=lifecycle))


def revoke(fleet: PureFleet, names: str = EIGHT) -> None:
    for name in names:
        decision = fleet.decisions()[name].metadata.name
        revoked = {"at": "2027-07-02", "reason": "4.0.0 was published by mistake"}
        fleet.members[name].edit(("UnpublishDecision", "", decision), spec={"revoked": revoked})


def states(fleet: PureFleet) -> set[tuple[DecisionState, str | None]]:
    return {(one.status.state, one.status.reason) for one in fleet.decisions().values()}


@pytest.fixture
def held() -> PureFleet:
    """A wrong version has taken effect: it is recorded, and all eight are held."""
    fleet = PureFleet.of(EIGHT)
    apply(fleet, *worlds.VERSIONS, worlds.NEXT_VERSION)
    fleet.settle(LATE)
    assert states(fleet) == {(DecisionState.HELD, Reason.BRAKE)}
    recorded = {
        one["version"]: one.get("publishedAt") for one in fleet.templates[TEMPLATE]["status"]["versions"]
    }
    assert recorded["4.0.0"] == "2027-06-01"
    return fleet


def test_a_version_published_by_mistake_is_withdrawn_and_the_decisions_revoked(held: PureFleet) -> None:
    apply(held, *worlds.VERSIONS, WITHDRAWN)
    held.advance(LATE + DAY, LATE + 2 * DAY)
    assert states(held) == {(DecisionState.HELD, Reason.NO_LONGER_OVERDUE)}
    assert held.template_status(LATE + 2 * DAY).held, "until they are revoked"
    revoke(held)
    held.advance(LATE + 2 * DAY + SECOND, LATE + 60 * DAY)
    assert states(held) == {(DecisionState.CLOSED, Reason.REVOKED)}
    assert not held.template_status(LATE + 60 * DAY).held
    assert held.served() == list(EIGHT)
    assert sum(len(one.decisions) for one in held.members.values()) == len(EIGHT), "no new ones"


def test_the_mended_version_is_decided_upon_anew(held: PureFleet) -> None:
    apply(held, *worlds.VERSIONS, WITHDRAWN, MENDED)
    revoke(held)
    held.advance(LATE + DAY, at("2027-08-30"))
    assert held.served() == list(EIGHT)
    assert {one.spec.caused_by for one in held.decisions().values()} == {"4.0.1"}
    assert {str(one.spec.overdue_since) for one in held.decisions().values()} == {"2027-09-01"}


def test_what_is_not_revoked_goes_by_the_new_day_when_it_is_overdue_again(held: PureFleet) -> None:
    """So the runbook has both steps: the mended version revives decisions that were forgotten."""
    held.set_policy(brake={"release": next(iter(held.tokens()))})
    apply(held, *worlds.VERSIONS, WITHDRAWN, MENDED, brake={"release": next(iter(held.tokens()))})
    revoke(held, "abcdefg")
    held.advance(LATE + DAY, at("2027-08-31"))
    assert held.served() == list(EIGHT)
    held.advance(at("2027-09-01", "00:00"), at("2027-09-01"))
    assert held.gone() == ["h"]
    assert held.decisions()["h"].spec.caused_by == "4.0.0"


def test_withdrawing_brings_nobody_back_and_revoking_does() -> None:
    fleet = PureFleet.of("abc")
    apply(fleet, *worlds.VERSIONS, worlds.NEXT_VERSION)
    fleet.settle(LATE)
    assert fleet.gone() == ["a", "b", "c"]
    apply(fleet, *worlds.VERSIONS, WITHDRAWN)
    fleet.settle(LATE + DAY)
    assert fleet.served() == []
    revoke(fleet, "abc")
    fleet.settle(LATE + DAY + SECOND)
    assert fleet.served() == ["a", "b", "c"]


def recalled(*, replace_by: str | None) -> tuple[Manifest, Manifest]:
    return worlds.recalled("2027-06-01", replace_by, "a mistake")


def test_a_recall_by_mistake_loses_its_last_day() -> None:
    fleet = PureFleet.of(EIGHT)
    apply(fleet, *recalled(replace_by="2027-06-15"))
    fleet.settle(LATE)
    assert states(fleet) == {(DecisionState.HELD, Reason.BRAKE)}
    apply(fleet, *recalled(replace_by=None))
    fleet.advance(LATE + DAY, LATE + 60 * DAY)
    assert states(fleet) == {(DecisionState.HELD, Reason.NO_LONGER_OVERDUE)}
    assert fleet.served() == list(EIGHT)


def test_a_recall_with_a_later_day_keeps_its_decisions_and_one_that_is_revoked_is_forgiven() -> None:
    fleet = PureFleet.of(EIGHT)
    apply(fleet, *recalled(replace_by="2027-06-15"))
    fleet.settle(LATE)
    apply(fleet, *recalled(replace_by="2027-09-30"))
    revoke(fleet, "a")
    fleet.advance(LATE + DAY, at("2027-10-05"))
    assert fleet.served() == list(EIGHT)
    assert fleet.held() == list(EIGHT[1:])
    assert {fleet.decisions()[name].status.reason for name in EIGHT[1:]} == {Reason.BRAKE}
    fleet.release(next(iter(fleet.tokens())))
    fleet.settle(at("2027-10-06"))
    assert fleet.served() == ["a"]
