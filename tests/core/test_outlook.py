# SPDX-License-Identifier: Apache-2.0
"""What an e-service is told comes next by itself, while its unpublication is held up to a known day.

The e-service is public on 3.0.0 and overdue since 2027-06-01, as `test_promise` and `test_fairness` have it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from eservice_operator.api.course import Next
from eservice_operator.core.dates import instant
from tests.core import test_fairness as fairness
from tests.core import test_promise as promise
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import SECOND, at

KNOWN, DUE = promise.KNOWN, promise.DUE
UNINFORMED = at("2027-06-05", "00:00")


def off(cluster: PureCluster) -> Next | None:
    """The unpublication that its status names as next."""
    following = cluster.status.next
    return following if following is not None and following.action == "Unpublish" else None


@pytest.fixture
def untold(public: PureCluster) -> PureCluster:
    """Held, since no channel has accepted a notice."""
    public.policy = replace(public.policy, channels=promise.CHANNELS)
    promise.announced(public).advance(KNOWN, DUE)
    return public


@pytest.fixture
def renewing(public: PureCluster) -> PureCluster:
    """Held, since the institution waits for the act of its renewal."""
    fairness.deliver(fairness.announce(public))
    public.advance(KNOWN, DUE)
    return public


def comes(cluster: PureCluster, now: datetime, expected: datetime) -> None:
    """It is named, and it comes then and not before."""
    following = off(cluster)
    assert following is not None
    assert following.at == expected
    assert cluster.decisions[0].metadata.name in following.why
    cluster.advance(now, expected - SECOND)
    assert cluster.routed()
    cluster.advance(expected - SECOND, expected)
    assert not cluster.routed()
    assert off(cluster) is None


def test_without_a_notice_it_goes_at_the_end_of_the_hold(untold: PureCluster) -> None:
    following = off(untold)
    assert following is not None
    assert "waits for one until 2027-06-05 00:00" in following.why
    comes(untold, DUE, UNINFORMED)


def test_a_renewal_under_way_has_its_last_day(renewing: PureCluster) -> None:
    following = off(renewing)
    assert following is not None
    assert "until 2027-06-22, that day included" in following.why
    comes(renewing, DUE, fairness.AFTER)


@pytest.mark.parametrize("hold, last", [("P1M", "2027-07-02"), ("P3D", "2027-06-23")])
def test_of_two_holds_the_later_end_counts(renewing: PureCluster, hold: str, last: str) -> None:
    renewing.policy = replace(renewing.policy, channels=promise.CHANNELS)
    renewing.put(worlds.template(fairness.VERSIONS, lifecycle={"holdUninformed": hold}))
    renewing.settle(DUE)
    comes(renewing, DUE, at(last, "00:00"))


def test_a_set_that_is_not_released_has_no_end(untold: PureCluster) -> None:
    status = untold.objects[promise.AT_DECISION]["status"]
    status |= {"holdToken": "abc", "heldSince": instant(DUE)}
    untold.settle(DUE)
    assert promise.said(untold)[1] == "NoticeUndelivered"
    assert off(untold) is None


def test_nothing_is_foreseen_by_a_policy_that_does_not_enforce(untold: PureCluster) -> None:
    promise.set_policy(untold, enforcement="Warn")
    untold.settle(DUE)
    assert off(untold) is None
