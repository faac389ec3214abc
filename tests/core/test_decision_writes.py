# SPDX-License-Identifier: Apache-2.0
"""How often a decision is written that is due as soon as it is made: in a wave each write counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.actions import SetStatus
from eservice_operator.core.conditions import find
from tests.support import worlds
from tests.support.postal import BOTH, PostalCluster
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NOW, TEMPLATE, at

POLICY = replace(worlds.POLICY, channels=BOTH)
OVERDUE = at("2027-06-02", "12:00")
AT_ONCE = worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle={"noticePeriod": "P0D"})


def overdue(count: int) -> PureFleet:
    """E-services that an instruction of yesterday makes overdue, without a notice period."""
    fleet = PureFleet(POLICY, kind=PostalCluster)
    fleet.templates[TEMPLATE] = worlds.template()
    for number in range(count):
        fleet.join(f"s{number}")
    fleet.settle(NOW)
    for cluster in fleet.members.values():
        cluster.forget()
    fleet.put_template(AT_ONCE)
    fleet.settle(OVERDUE)
    return fleet


def writes(fleet: PureFleet, cluster: PureCluster) -> list[str]:
    """What was written to the status of its decision, but for what the reconcile of the template writes."""
    assert fleet.frozen.count(cluster.decisions[0].metadata.name) <= 1
    return [action.reason for action in cluster.log if isinstance(action, SetStatus)]


@pytest.mark.parametrize("count", [1, 3])
def test_one_that_takes_effect_is_written_before_and_after_its_notice(count: int) -> None:
    fleet = overdue(count)
    for cluster in fleet.members.values():
        assert cluster.decisions[0].status.state is DecisionState.EFFECTIVE
        assert not cluster.routed()
        assert writes(fleet, cluster) == ["Held: NoticeUndelivered", "Effective: Effective"]


def test_one_that_the_brake_holds_is_written_once_more_and_that_is_its_token() -> None:
    fleet = overdue(8)
    (token,) = fleet.tokens()
    for cluster in fleet.members.values():
        status = cluster.decisions[0].status
        assert (status.state, status.reason) == (DecisionState.HELD, Reason.BRAKE)
        ready = find(status.conditions, ConditionType.READY)
        assert ready is not None
        assert token in status.message
        assert ready.message == status.message
        assert writes(fleet, cluster) == ["Held: NoticeUndelivered", "Held: Brake"]
