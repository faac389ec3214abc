# SPDX-License-Identifier: Apache-2.0
"""What a grant says of itself: its conditions, and of its consumer no more than it may."""

from __future__ import annotations

import pytest

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.access.worlds import Copied
from eservice_operator.core.actions import Delete, Outcome
from eservice_operator.core.conditions import find
from tests.core.access.grant_cluster import GRANT, GrantCluster
from tests.core.access.grants import condition
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW


def test_what_only_another_spec_mends_is_stalled(cluster: GrantCluster) -> None:
    cluster.edit(GRANT, spec={"contractVersions": None})
    cluster.settle(NOW)
    assert condition(cluster, ConditionType.STALLED)[1] == Reason.VERSIONS_NOT_NAMED
    assert cluster.states(GRANT) == {"*": GrantState.PENDING}


def test_waiting_for_a_person_is_ready(cluster: GrantCluster) -> None:
    cluster.edit(GRANT, spec={"contractVersions": [{"version": "v5"}]})
    cluster.settle(NOW)
    assert condition(cluster, ConditionType.READY)[:2] == ("True", Reason.EVIDENCE_MISSING)
    assert condition(cluster, ConditionType.ACTIVE)[:2] == ("False", Reason.EVIDENCE_MISSING)


@pytest.mark.parametrize(
    "reason, transient, expected, kind",
    [
        ("InternalError", True, Reason.PROGRESSING_WITH_RETRY, ConditionType.RECONCILING),
        ("Forbidden", False, Reason.REJECTED, ConditionType.STALLED),
        ("NameCollision", False, Reason.NAME_COLLISION, ConditionType.STALLED),
    ],
)
def test_a_write_that_failed_is_told(
    cluster: GrantCluster, reason: str, transient: bool, expected: Reason, kind: ConditionType
) -> None:
    action = cluster.decide(GRANT, NOW).actions[0]
    failure = worlds.failure(action, reason, "it said no", transient=transient)
    cluster.report(GRANT, NOW, Outcome((), failure))
    assert condition(cluster, kind) == ("True", expected, "it said no")


def test_credentials_are_told_of_while_the_grant_is_open(opened: GrantCluster) -> None:
    opened.edit(GRANT, spec={"credentials": {"secretName": "persons-key"}})
    opened.settle(NOW)
    assert condition(opened, ConditionType.CREDENTIALS_COPIED)[0] == ConditionStatus.UNKNOWN
    opened.copied = Copied.COPIED
    opened.settle(NOW)
    assert condition(opened, ConditionType.CREDENTIALS_COPIED)[:2] == ("True", Reason.CREDENTIALS_COPIED)
    opened.copied = None  # after a restart
    assert not opened.report(GRANT, NOW + DAY)
    opened.copied = Copied.WRONG_TYPE
    opened.settle(NOW)
    assert condition(opened, ConditionType.READY)[:2] == ("True", Reason.CREDENTIALS_WRONG_TYPE)
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    opened.edit(GRANT, spec={"refused": {"reason": "no"}})
    opened.settle(NOW)
    assert find(opened.status(GRANT).conditions, ConditionType.CREDENTIALS_COPIED) is None


def test_nothing_is_written_at_rest(opened: GrantCluster) -> None:
    for later in (NOW, NOW + DAY):
        assert opened.decide(GRANT, later).actions == ()
        assert not opened.report(GRANT, later)


def test_a_grant_tells_nothing_of_who_does_not_ask(cluster: GrantCluster) -> None:
    """Whether there is such an e-service, whose it is, of which environment: all of it reads the same."""
    service, registration = ("EService", NAMESPACE, NAME), ("EServiceRegistration", "", NAME)
    said = []
    for change in ("does not ask", "other environment", "not placed", "not registered", "does not exist"):
        if change == "does not ask":
            cluster.edit(service, spec={"uses": None})
        elif change == "other environment":
            cluster.edit(service, spec={"environment": "Acceptance"})
        elif change == "not placed":
            cluster.edit(registration, spec={"namespaces": []}, status={"namespaces": []})
        else:
            cluster.remove(registration if change == "not registered" else service)
        cluster.settle(NOW)
        status = cluster.status(GRANT)
        assert (status.reason, status.consumer) == (Reason.NOT_REQUESTED, None)
        said.append([(one.reason, one.message) for one in status.contract_versions])
    assert all(one == said[0] for one in said)


def test_a_holder_that_is_not_confirmed_reads_of_no_consumer(cluster: GrantCluster) -> None:
    cluster.namespaces[access.HOLDER] = {}
    cluster.settle(NOW)
    assert cluster.status(GRANT).consumer is None


def test_a_consumer_that_is_not_placed_speaks_for_no_institution(cluster: GrantCluster) -> None:
    cluster.edit(("EServiceRegistration", "", NAME), spec={"namespaces": []})
    cluster.settle(NOW)
    assert cluster.status(GRANT).consumer is None


def test_deletions_name_the_very_object(opened: GrantCluster) -> None:
    opened.edit(GRANT, spec={"refused": {"reason": "no"}})
    for action in opened.decide(GRANT, NOW).actions:
        assert isinstance(action, Delete)
        assert action.uid
