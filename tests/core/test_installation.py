# SPDX-License-Identifier: Apache-2.0
"""The first installation: from unmet gates to the public (R1 to R6)."""

from __future__ import annotations

import pytest

from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NAME, NAMESPACE, NOW, at


def test_everything_in_order_is_installed_and_made_public_with_each_child_written_once(
    cluster: PureCluster,
) -> None:
    decision = cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    assert cluster.status.public_url == "https://address.latvija.example/"
    assert cluster.routed()
    assert cluster.public_letter() == "a"
    assert cluster.replicas() == {"a": 2}
    assert decision is not None
    assert decision.next_at is None, "nothing is dated"
    writes = cluster.writes()
    assert set(writes.values()) == {1}
    assert set(writes) == {
        "Create ServiceAccount",
        "Create NetworkPolicy",
        "Create PodDisruptionBudget",
        "Create ControllerRevision",
        "Create Deployment",
        "Create Service",
        "Create ReferenceGrant",
        "SetFinalizer EService",
        "Create HTTPRoute",
    }


def test_from_applied_to_published_takes_three_statuses(cluster: PureCluster) -> None:
    cluster.settle(NOW)
    assert [status.phase for status in cluster.statuses] == [
        Phase.INSTALLING,
        Phase.INSTALLING,
        Phase.PUBLISHED,
    ]
    assert [note.reason for note in cluster.told] == ["Published"]


def test_the_story_from_application_to_the_public_gate_by_gate() -> None:
    cluster = PureCluster()
    cluster.put(worlds.template(), worlds.eservice(spec={"productionRequest": None}))

    cluster.settle(at("2026-09-01"))
    assert cluster.phase() is Phase.PENDING
    assert cluster.gates()[0] == Gate.REGISTERED
    assert cluster.reason(ConditionType.READY) == ("True", Reason.REGISTRATION_NOT_FOUND)
    assert cluster.reason(ConditionType.INSTALLED) == ("False", Reason.GATES_UNMET)
    assert not cluster.log, "nothing is made before the gates"

    cluster.put(worlds.registration())
    cluster.settle(at("2026-09-02"))
    assert cluster.gates() == [Gate.ACCEPTED, Gate.REQUESTED, Gate.INSTALLED, Gate.VERIFIED]
    assert cluster.status.identifier == "EP-000007"

    cluster.put(worlds.act())
    cluster.settle(at("2026-10-01"))
    assert cluster.gates() == [Gate.REQUESTED, Gate.INSTALLED, Gate.VERIFIED]
    assert cluster.status.installation.due_by is None, "nothing is due before it was requested"

    cluster.edit_service(productionRequest={"requestedAt": "2026-10-05", "requestedBy": "A. Bērziņa"})
    cluster.settle(at("2026-10-05"))
    assert cluster.phase() is Phase.AWAITING_VERIFICATION
    assert cluster.gates() == [Gate.VERIFIED]
    assert str(cluster.status.installation.due_by) == "2026-10-19", "the tenth working day after the request"
    assert cluster.status.installation.installed_at == at("2026-10-05")
    assert cluster.reason(ConditionType.READY) == ("True", Reason.AWAITING_VERIFICATION)
    assert not cluster.routed()
    assert NAME not in cluster.of_kind("Service"), "nothing leads to the public yet"
    assert cluster.replicas() == {"a": 2}

    cluster.put(worlds.verification())
    cluster.settle(at("2026-10-13"))
    assert cluster.phase() is Phase.PUBLISHED
    assert cluster.gates() == []
    assert [entry.phase for entry in cluster.status.history] == [
        Phase.PENDING,
        Phase.INSTALLING,
        Phase.AWAITING_VERIFICATION,
        Phase.INSTALLING,
        Phase.PUBLISHED,
    ]
    assert [note.reason for note in cluster.told] == ["Installed", "VerificationWanted", "Published"]


@pytest.mark.parametrize(
    "without, phase",
    [
        ({"host"}, Phase.PENDING),
        ({"host", "verification"}, Phase.AWAITING_VERIFICATION),
        ({"verification"}, Phase.AWAITING_VERIFICATION),
        ({"catalogue"}, Phase.PENDING),
    ],
)
def test_what_is_installed_awaits_its_verification_only_while_that_is_missing(
    cluster: PureCluster, without: set[str], phase: Phase
) -> None:
    if "host" in without:
        cluster.claims = ((HOST, "HTTPRoute shop/shop"),)
    if "verification" in without:
        cluster.remove(("ProductionVerification", NAMESPACE, "verified-1"))
    if "catalogue" in without:
        cluster.edit_service(publication={"catalogue": None})
    cluster.settle(NOW)
    assert cluster.reason(ConditionType.INSTALLED) == ("True", Reason.INSTALLED)
    assert cluster.phase() is phase


def test_a_gate_is_unmet_since_it_was_first_found_so(cluster: PureCluster) -> None:
    cluster.remove(("AcceptanceAct", "", "act-1"))
    cluster.settle(at("2026-10-06"))
    cluster.edit_service(workload={"replicas": 3})
    cluster.settle(at("2026-10-07"))
    assert {entry.since for entry in cluster.status.gates} == {at("2026-10-06")}


def test_pods_that_do_not_come_up_are_waited_for(cluster: PureCluster) -> None:
    cluster.broken.add(worlds.image("a"))
    cluster.settle(NOW)
    assert cluster.phase() is Phase.INSTALLING
    assert cluster.reason(ConditionType.INSTALLED) == ("False", Reason.AWAITING_PODS)
    assert cluster.reason(ConditionType.RECONCILING) == ("True", Reason.AWAITING_PODS)
    assert not cluster.routed()


def test_published_is_what_the_gateway_says(cluster: PureCluster) -> None:
    cluster.gateway_answers = False
    cluster.settle(NOW)
    assert cluster.reason(ConditionType.PUBLISHED) == ("False", Reason.AWAITING_GATEWAY)
    assert cluster.phase() is Phase.INSTALLING
    assert cluster.status.public_url is None

    cluster.gateway_answers, cluster.gateway_refuses = True, "NotAllowedByListeners"
    cluster.settle(NOW)
    assert cluster.reason(ConditionType.PUBLISHED) == ("False", Reason.ROUTE_REFUSED)
    assert cluster.reason(ConditionType.RECONCILING) == ("True", Reason.ROUTE_REFUSED)
    assert cluster.phase() is Phase.INSTALLING

    cluster.gateway_refuses = ""
    cluster.settle(NOW)
    assert cluster.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)


def test_in_the_test_environment_only_the_gates_of_every_environment_count() -> None:
    cluster = PureCluster()
    cluster.put(worlds.template(), worlds.registration(), worlds.eservice_in_test())
    cluster.claims = (("address.test.latvija.example", "HTTPRoute shop/shop"),)
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PENDING, "nobody verifies it there"
    cluster.claims = ()
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    kinds = {condition.type for condition in cluster.status.conditions}
    assert not kinds & {ConditionType.ACCEPTED, ConditionType.VERIFIED, ConditionType.DELIVERY_COMPLETE}
    assert cluster.status.installation.due_by is None


def test_in_the_test_environment_the_lag_is_shown_and_never_enforced() -> None:
    cluster = PureCluster()
    overdue = worlds.eservice_in_test(spec={"template": {"version": "2.0.0"}})
    cluster.put(worlds.template(), worlds.registration(), overdue)
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED
    assert cluster.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.TEMPLATE_OVERDUE)
    assert str(cluster.status.template.overdue_since) == "2025-11-01"
    assert cluster.status.template.unpublish_at is None
    assert not cluster.decisions


def test_autoscaling_is_not_fought_over(cluster: PureCluster) -> None:
    scaling = {"minReplicas": 2, "maxReplicas": 6}
    cluster.edit_service(workload={"autoscaling": scaling})
    cluster.settle(NOW)
    assert cluster.one("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] in cluster.of_kind(
        "Deployment"
    )
    cluster.forget()
    cluster.one("Deployment")["spec"]["replicas"] = 5  # through the scale subresource
    cluster.settle(NOW)
    assert not cluster.log

    cluster.edit_service(workload={"autoscaling": None})
    cluster.settle(NOW)
    assert not cluster.of_kind("HorizontalPodAutoscaler")
    assert cluster.replicas() == {"a": 2}
