# SPDX-License-Identifier: Apache-2.0
"""R8: an e-service whose decision is held says so itself, and says nothing of a hold that is over.

The e-service is public on 3.0.0 and overdue since 2027-06-01, as `test_promise` and `test_fairness` have it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from eservice_operator.api.base import Condition
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.conditions import find
from tests.core import test_fairness as fairness
from tests.core import test_promise as promise
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NOW, SECOND

KNOWN, DUE = promise.KNOWN, promise.DUE
DECISION = "address-declaration-production-001"


def ready(cluster: PureCluster) -> Condition:
    condition = find(cluster.status.conditions, ConditionType.READY)
    assert condition is not None
    assert condition.status.value == "True", "waiting for a person is Ready"
    return condition


@pytest.fixture
def untold(public: PureCluster) -> PureCluster:
    """Held, since no channel has accepted a notice."""
    public.policy = replace(public.policy, channels=promise.CHANNELS)
    promise.announced(public).advance(KNOWN, DUE)
    return public


def test_one_that_nobody_was_told_of_says_what_holds_it(untold: PureCluster) -> None:
    assert untold.routed()
    assert untold.status.template.held_by == Reason.NOTICE_UNDELIVERED
    said = ready(untold)
    assert said.reason == Reason.NOTICE_UNDELIVERED
    assert said.message.startswith(
        f"public; due to leave the public route on 2027-06-01, and held ({DECISION}): no notice"
    )


def test_before_it_is_held_nothing_is_said_of_it(public: PureCluster) -> None:
    public.policy = replace(public.policy, channels=promise.CHANNELS)
    promise.announced(public).advance(KNOWN, DUE - SECOND)
    assert public.status.template.held_by is None
    assert ready(public).message == "public; nothing left to do"


def test_once_it_is_off_the_public_route_nothing_is_held(untold: PureCluster) -> None:
    promise.accepted(untold, DUE)
    untold.settle(DUE)
    assert untold.phase() is Phase.UNPUBLISHED
    assert untold.status.template.held_by is None
    assert ready(untold).reason == Reason.TEMPLATE_OVERDUE


def test_a_set_that_the_brake_holds_is_named_with_how_to_release_it() -> None:
    fleet = PureFleet.of([f"s{number}" for number in range(8)])
    fleet.put_template(worlds.template(promise.FOUR))
    fleet.advance(NOW, DUE)
    (token,) = fleet.tokens()
    for cluster in fleet.members.values():
        assert cluster.status.template.held_by == Reason.BRAKE
        said = ready(cluster)
        assert said.reason == Reason.BRAKE
        assert token in said.message
        assert "kubectl eservice release-brake" in said.message
    fleet.release(token)
    fleet.settle(DUE)
    assert not fleet.served()
    assert {cluster.status.template.held_by for cluster in fleet.members.values()} == {None}


def test_what_the_renewal_lacks_comes_first_and_the_hold_is_said_beside_it(public: PureCluster) -> None:
    fairness.deliver(fairness.announce(public))
    public.advance(KNOWN, DUE)
    assert public.status.template.held_by == Reason.RENEWAL_UNDER_WAY
    said = ready(public)
    assert said.reason == Reason.AWAITING_ACCEPTANCE
    assert "for the release the spec names: " in said.message
    assert f"and held ({DECISION}): the institution has done its part" in said.message


def test_a_decision_that_lost_its_ground_says_so(public: PureCluster) -> None:
    promise.announced(public).advance(KNOWN, DUE - SECOND)
    promise.set_policy(public, enforcement="Warn")
    public.advance(DUE - SECOND, DUE)
    assert public.status.template.held_by == Reason.NOT_ENFORCED
    assert "does not enforce" in ready(public).message
