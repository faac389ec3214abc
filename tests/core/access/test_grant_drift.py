# SPDX-License-Identifier: Apache-2.0
"""A grant that is open stays open while what was opened for it differs, and cannot be set right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eservice_operator.api.grant import GrantState, WebServiceGrant
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.lacking import lack_of
from eservice_operator.core.access.notes import grant_notes
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.terms import Answer, Finding, Times
from eservice_operator.core.access.using import UseStanding
from eservice_operator.core.actions import Manifest, Outcome
from tests.core.access.grant_cluster import GRANT, GrantCluster
from tests.core.access.grants import BINDING, POLICY, ROLE, condition
from tests.support import access, worlds
from tests.support.pure_cluster import Place
from tests.support.worlds import NOW

SAID = 'failed calling webhook "policy.example": connection refused'


def refused(cluster: GrantCluster, *, transient: bool = True) -> None:
    """A reconcile whose first write fails."""
    action = cluster.decide(GRANT, NOW).actions[0]
    reason = "InternalError" if transient else "Forbidden"
    cluster.report(GRANT, NOW, Outcome((), worlds.failure(action, reason, SAID, transient=transient)))


def closed(cluster: GrantCluster) -> Finding | None:
    """What the authorizer refuses a call with."""
    web_service = WebService.model_validate(cluster.objects["WebService", access.HOLDER, access.REGISTER])
    grant = WebServiceGrant.model_validate(cluster.objects[GRANT])
    return closed_now(grant, web_service, None, "v5", None, Times(NOW, worlds.RIGA))


def relabelled(cluster: GrantCluster, place: Place) -> None:
    del cluster.objects[place]["metadata"]["labels"]["app.kubernetes.io/name"]


@pytest.mark.parametrize("place", [POLICY, ROLE, BINDING], ids=lambda place: place[0])
def test_a_label_that_differs_shuts_nobody_out(opened: GrantCluster, place: Place) -> None:
    relabelled(opened, place)
    for _ in range(2):
        refused(opened)
        assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
        assert closed(opened) is None
    assert condition(opened, ConditionType.READY) == ("False", Reason.PROGRESSING_WITH_RETRY, SAID)


def test_pods_that_listen_elsewhere_are_drift(opened: GrantCluster) -> None:
    service = f"{access.HOLDER}/{access.REGISTER}"
    opened.pods[service] = replace(opened.pods[service], ports=(9443,))
    refused(opened, transient=False)
    assert closed(opened) is None
    (entry,) = opened.status(GRANT).contract_versions
    assert (entry.state, entry.reason) == (GrantState.ACTIVE, Reason.DRIFTED)
    assert entry.message == f"granted; open, and not as it should be: {SAID}"
    assert condition(opened, ConditionType.ACTIVE) == ("True", Reason.DRIFTED, entry.message)
    assert condition(opened, ConditionType.STALLED) == ("True", Reason.REJECTED, SAID)
    opened.settle(NOW)
    assert opened.status(GRANT).contract_versions[0].reason == Reason.ACTIVE
    assert condition(opened, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED)


def test_both_sides_read_of_the_drift(opened: GrantCluster) -> None:
    relabelled(opened, POLICY)
    before = opened.status(GRANT)
    refused(opened)
    (entry,), case = opened.status(GRANT).contract_versions, opened.case(GRANT)
    (standing,) = opened.standings(GRANT, NOW)
    use = UseStanding(
        Use.model_validate(access.use("v5")),
        standing.answer,
        standing.reason,
        standing.message,
        case.offer,
        case,
        versions=("v5",),
    )
    assert lack_of(use) == Finding(Answer.ALLOWED, Reason.DRIFTED, entry.message)
    assert grant_notes(before, opened.status(GRANT)) == (), "it is open as before"


@pytest.mark.parametrize("place", [POLICY, ROLE, BINDING], ids=lambda place: place[0])
def test_what_is_missing_is_not_open(opened: GrantCluster, place: Place) -> None:
    del opened.objects[place]
    refused(opened)
    assert opened.states(GRANT) == {"v5": GrantState.PENDING}
    assert closed(opened) is not None


@pytest.mark.parametrize("field", ["subjects", "roleRef"])
def test_another_right_is_not_open(opened: GrantCluster, field: str) -> None:
    found = opened.objects[BINDING]
    changed: Manifest = found["roleRef"] | {"name": "admin"}
    found[field] = changed if field == "roleRef" else [found["subjects"][0] | {"name": "somebody"}]
    refused(opened)
    assert opened.states(GRANT) == {"v5": GrantState.PENDING}


def test_what_was_never_as_it_should_be_is_not_open(cluster: GrantCluster) -> None:
    cluster.settle(NOW)
    cluster.objects[GRANT]["status"] = {}
    relabelled(cluster, POLICY)
    refused(cluster)
    assert cluster.states(GRANT) == {"v5": GrantState.PENDING}
