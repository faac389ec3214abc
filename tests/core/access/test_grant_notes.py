# SPDX-License-Identifier: Apache-2.0
"""The Events of a grant, which its holder reads; what its consumer is told is in `test_use_notices`."""

from __future__ import annotations

import pytest

from eservice_operator.api.grant import WebServiceGrantStatus
from eservice_operator.core.access.notes import grant_notes
from eservice_operator.core.actions import Failure, Outcome, SetFinalizer
from tests.core.access.grant_cluster import GRANT, GrantCluster, in_good_order
from tests.support import access
from tests.support.worlds import DAY, NOW


@pytest.fixture
def cluster() -> GrantCluster:
    cluster = in_good_order("v4", "v5")
    cluster.settle(NOW)
    return cluster


def events(cluster: GrantCluster, before: WebServiceGrantStatus) -> list[tuple[str, str, str]]:
    return [(one.type, one.reason, one.text) for one in grant_notes(before, cluster.status(GRANT))]


def test_each_contract_version_that_opens_has_one() -> None:
    cluster = in_good_order("v4", "v5")
    before = cluster.status(GRANT)
    cluster.settle(NOW)
    assert events(cluster, before) == [
        ("Normal", "AccessGranted", "contract version v4: granted until 2027-10-31, that day included"),
        ("Normal", "AccessGranted", "contract version v5: granted"),
    ]
    before = cluster.status(GRANT)
    cluster.settle(NOW + DAY)
    assert events(cluster, before) == []


def test_what_ends_has_one_for_each_that_was_open(cluster: GrantCluster) -> None:
    before = cluster.status(GRANT)
    cluster.edit(GRANT, spec={"contractVersions": access.granted("v5")})
    cluster.settle(NOW + DAY)
    assert events(cluster, before) == [
        ("Warning", "AccessEnded", "contract version v4: the grant does not name it any more")
    ]
    before = cluster.status(GRANT)
    cluster.edit(GRANT, spec={"refused": {"reason": "no ground in law"}})
    cluster.settle(NOW + 2 * DAY)
    ((kind, reason, text),) = events(cluster, before)
    assert (kind, reason) == ("Warning", "AccessEnded")
    assert "no ground in law" in text


def test_a_refusal_of_what_was_never_open_is_a_refusal() -> None:
    cluster = in_good_order()
    cluster.edit(GRANT, spec={"refused": {"reason": "no ground in law"}})
    before = cluster.status(GRANT)
    cluster.settle(NOW)
    assert [reason for _, reason, _ in events(cluster, before)] == ["AccessRefused"]


def test_what_is_in_the_way_of_an_open_grant_is_no_end_and_is_said_once(cluster: GrantCluster) -> None:
    for place in cluster.of_kind("NetworkPolicy"):
        del cluster.objects[place]
    (create, *_) = [one for one in cluster.decide(GRANT, NOW).actions if not isinstance(one, SetFinalizer)]
    outcome = Outcome((), Failure(create, "NameCollision", "in the way", transient=False))
    before = cluster.status(GRANT)
    cluster.report(GRANT, NOW + DAY, outcome)
    assert [(kind, reason) for kind, reason, _ in events(cluster, before)] == [
        ("Warning", "NameCollision"),
        ("Warning", "NameCollision"),
    ], "one for each contract version"
    before = cluster.status(GRANT)
    cluster.report(GRANT, NOW + 2 * DAY, outcome)
    assert events(cluster, before) == []
