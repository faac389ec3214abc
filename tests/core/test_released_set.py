# SPDX-License-Identifier: Apache-2.0
"""R8: a set that the Agency has released goes on its day, even while the brake engages for those after it."""

from __future__ import annotations

from eservice_operator.api.decisions import DecisionState
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import at

KNOWN = at("2027-02-01")
THE_DAY_BEFORE = at("2027-05-31")
DUE = at("2027-06-01", "00:00")
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)


def test_who_is_released_goes_also_while_the_brake_engages_for_others() -> None:
    """Two more come after the release, and no template is reconciled any more: they alone are held."""
    fleet = PureFleet.of("abcd")
    fleet.put_template(worlds.template(FOUR, lifecycle={"brake": {"percent": 0, "atLeast": 1}}))
    fleet.advance(KNOWN, THE_DAY_BEFORE)
    (token,) = fleet.tokens()
    fleet.release(token)
    fleet.settle(THE_DAY_BEFORE)
    assert fleet.held() == []
    fleet.crash_after = 0
    for name in "ef":
        fleet.join(name).settle(THE_DAY_BEFORE)
    fleet.settle(DUE)
    assert fleet.gone() == list("abcd")
    assert fleet.held() == list("ef")
    decisions = fleet.decisions()
    assert {decisions[name].status.state for name in "abcd"} == {DecisionState.EFFECTIVE}
    assert {decisions[name].status.hold_token for name in "ef"} == {None}
