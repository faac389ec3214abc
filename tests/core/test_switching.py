# SPDX-License-Identifier: Apache-2.0
"""Candidates: installed beside the public release, switched to, kept as the way back."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.core.actions import Create, Delete, Update
from eservice_operator.core.conditions import find
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, NAMESPACE, NOW, SECOND, at, image

LATER = at("2026-10-20")


def name_candidate(cluster: PureCluster, letter: str = "b", version: str = "3.0.0") -> None:
    """The spec names another release."""
    cluster.edit_service(release={"image": image(letter)}, template={"version": version})


def sign(cluster: PureCluster, letter: str = "b", version: str = "3.0.0") -> None:
    release = {"image": image(letter), "template": {"version": version}}
    cluster.put(worlds.act(f"act-{letter}", spec=release))


def verify(cluster: PureCluster, letter: str = "b", outcome: str = "Passed", **more: Any) -> None:
    release = {"image": image(letter), "outcome": outcome, "verifiedAt": "2026-10-19T07:00:00Z"}
    created = {"creationTimestamp": "2026-10-19T07:00:00Z"}
    name = f"{outcome.lower()}-{letter}"
    cluster.put(worlds.verification(name, metadata=created, spec=release | more))


@pytest.fixture
def candidate(public: PureCluster) -> PureCluster:
    """Release a is public; b is installed beside it and waits for its verification."""
    name_candidate(public)
    sign(public)
    public.settle(LATER)
    return public


def test_a_candidate_runs_at_one_replica_beside_the_untouched_public_release(candidate: PureCluster) -> None:
    assert candidate.replicas() == {"a": 2, "b": 1}
    assert candidate.public_letter() == "a"
    assert candidate.phase() is Phase.UPDATING
    assert candidate.gates() == [Gate.VERIFIED]
    assert candidate.status.release.public is not None
    assert candidate.status.release.candidate is not None
    assert candidate.status.release.public.image == image("a")
    assert candidate.status.release.candidate.image == image("b")
    writes = candidate.writes()
    assert not {"Update Service", "Update HTTPRoute"} & set(writes)
    selector = candidate.of_kind("Service")[f"{NAME}-candidate"]["spec"]["selector"]
    assert selector["eservice.dev/release"] == candidate.status.release.candidate.name


def test_what_goes_public_as_soon_as_its_pods_are_ready_has_no_service_to_look_at_it(
    cluster: PureCluster,
) -> None:
    """It would be there for a moment only, and the controllers of Services complain about that."""
    cluster.settle(NOW)
    assert cluster.public_letter() == "a"
    name_candidate(cluster)
    sign(cluster)
    verify(cluster)
    cluster.settle(LATER)
    assert cluster.public_letter() == "b"
    services = [action for action in cluster.log if isinstance(action, Create | Delete)]
    told = [action.manifest["metadata"]["name"] for action in services if isinstance(action, Create)]
    assert f"{NAME}-candidate" not in told
    assert "Delete Service" not in cluster.writes()


def test_a_candidate_that_waits_for_people_keeps_its_service_until_the_switch(
    candidate: PureCluster,
) -> None:
    verify(candidate)
    candidate.pods_start = False
    candidate.settle(LATER)
    assert candidate.public_letter() == "a"
    assert f"{NAME}-candidate" in candidate.of_kind("Service")
    candidate.pods_start = True
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    assert f"{NAME}-candidate" not in candidate.of_kind("Service")


def test_a_verified_candidate_is_raised_then_switched_to_in_one_write_of_the_service(
    candidate: PureCluster,
) -> None:
    candidate.forget()
    route = candidate.one("HTTPRoute")
    verify(candidate)
    candidate.pods_start = False
    candidate.settle(LATER)
    assert candidate.replicas() == {"a": 2, "b": 2}, "raised to the public one's replicas"
    assert candidate.public_letter() == "a", "not before its Pods are there"

    candidate.pods_start = True
    decision = candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    writes = [
        action
        for action in candidate.log
        if isinstance(action, Update) and action.manifest["kind"] == "Service"
    ]
    assert len(writes) == 1
    assert candidate.replicas() == {"a": 2, "b": 2}, "the old one serves until it is drained"
    assert decision is not None
    assert decision.next_at == LATER + candidate.policy.drain
    assert candidate.one("HTTPRoute")["spec"] == route["spec"], "it is written to record the release alone"
    assert [note.reason for note in candidate.told] == ["Switched"]

    candidate.settle(LATER + candidate.policy.drain - SECOND)
    assert candidate.replicas() == {"a": 2, "b": 2}
    candidate.settle(LATER + candidate.policy.drain)
    assert candidate.replicas() == {"a": 0, "b": 2}, "kept as the way back"
    assert candidate.phase() is Phase.PUBLISHED
    assert len(candidate.of_kind("ControllerRevision")) == 2


def test_the_next_switch_waits_until_the_last_one_is_drained(candidate: PureCluster) -> None:
    """Else the Pods of the release before the last would go while a gateway may still be asking them."""
    verify(candidate)
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    name_candidate(candidate, "c")
    sign(candidate, "c")
    verify(candidate, "c")
    decision = candidate.settle(LATER + SECOND)
    assert (candidate.public_letter(), candidate.replicas()) == ("b", {"a": 2, "b": 2, "c": 2})
    assert candidate.reason(ConditionType.RECONCILING) == ("True", Reason.SWITCHING)
    drained = LATER + candidate.policy.drain
    assert decision is not None
    assert decision.next_at == drained
    candidate.settle(drained - SECOND)
    assert candidate.public_letter() == "b"
    candidate.settle(drained)
    assert (candidate.public_letter(), candidate.replicas()) == ("c", {"b": 2, "c": 2})


def test_going_back_to_the_release_before_waits_for_nothing(candidate: PureCluster) -> None:
    verify(candidate)
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    name_candidate(candidate, "a")
    candidate.settle(LATER + SECOND)
    assert candidate.public_letter() == "a"


def test_the_old_release_is_not_scaled_down_while_endpoints_show_its_pods(candidate: PureCluster) -> None:
    verify(candidate)
    candidate.slices_follow = False
    candidate.advance(LATER, at("2026-10-21"))
    assert candidate.public_letter() == "b"
    assert candidate.replicas() == {"a": 2, "b": 2}
    candidate.slices_follow = True
    candidate.settle(at("2026-10-21"))
    assert candidate.replicas() == {"a": 0, "b": 2}


def test_a_failed_verification_leaves_the_public_release_untouched(candidate: PureCluster) -> None:
    before = {key: body for key, body in candidate.objects.items() if key[0] in ("HTTPRoute", "Service")}
    verify(candidate, outcome="Failed", notes="the form does not submit")
    candidate.advance(LATER, at("2026-11-01"))
    assert candidate.public_letter() == "a"
    assert candidate.replicas() == {"a": 2, "b": 1}
    assert candidate.routed()
    assert candidate.reason(ConditionType.VERIFIED) == ("False", Reason.VERIFICATION_FAILED)
    assert "does not submit" in candidate.status.gates[0].message
    assert before == {key: body for key, body in candidate.objects.items() if key in before}


def test_the_installation_that_is_told_is_that_of_the_release_the_spec_names(candidate: PureCluster) -> None:
    assert candidate.status.installation.installed_at == LATER


def test_going_back_to_the_public_release_removes_the_candidate(candidate: PureCluster) -> None:
    name_candidate(candidate, "a")
    candidate.settle(LATER)
    assert candidate.replicas() == {"a": 2}
    assert set(candidate.of_kind("Service")) == {NAME}
    assert len(candidate.of_kind("ControllerRevision")) == 1
    assert candidate.status.installation.installed_at == NOW, "when the public one was, not the candidate"
    assert candidate.phase() is Phase.PUBLISHED


@pytest.fixture
def switched(candidate: PureCluster) -> PureCluster:
    """B is public, a is kept at zero replicas."""
    verify(candidate)
    candidate.advance(LATER, at("2026-10-21"))
    candidate.forget()
    return candidate


def test_rolling_back_to_the_kept_release_needs_nothing_new(switched: PureCluster) -> None:
    name_candidate(switched, "a")
    switched.advance(at("2026-10-22"), at("2026-10-23"))
    assert switched.public_letter() == "a"
    assert switched.replicas() == {"a": 2, "b": 0}
    assert "Create Deployment" not in switched.writes(), "it was still there"


def test_going_back_does_not_take_pods_that_are_going_for_new_ones(switched: PureCluster) -> None:
    """The Deployment is told to have none, and its controller has not counted again yet."""
    switched.pods_start = False
    name = next(
        name for name, body in switched.of_kind("Deployment").items() if body["spec"]["replicas"] == 0
    )
    kept = switched.of_kind("Deployment")[name]
    counted = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    kept["status"] |= counted
    kept["status"]["conditions"][0]["status"] = "True"
    name_candidate(switched, "a")
    switched.settle(at("2026-10-22"))
    assert (switched.public_letter(), switched.replicas()) == ("b", {"a": 0, "b": 2})

    switched.pods_start = True
    switched.settle(at("2026-10-22"))
    assert (switched.public_letter(), switched.replicas()["a"]) == ("a", 2)


def test_the_kept_release_is_not_started_before_its_gates_are_passed(switched: PureCluster) -> None:
    switched.edit(
        ("AcceptanceAct", "", "act-1"), spec={"revoked": {"at": "2026-10-21", "reason": "a mistake"}}
    )
    name_candidate(switched, "a")
    switched.advance(at("2026-10-22"), at("2026-10-23"))
    assert switched.replicas() == {"a": 0, "b": 2}
    assert switched.public_letter() == "b"
    assert switched.phase() is Phase.PUBLISHED


def test_a_third_release_prunes_the_oldest_one(switched: PureCluster) -> None:
    name_candidate(switched, "c")
    sign(switched, "c")
    switched.settle(at("2026-10-22"))
    assert switched.replicas() == {"a": 0, "b": 2, "c": 1}
    verify(switched, "c")
    switched.advance(at("2026-10-22"), at("2026-10-23"))
    assert switched.replicas() == {"b": 0, "c": 2}
    assert len(switched.of_kind("ControllerRevision")) == 2


def test_an_act_revoked_while_the_candidate_waits_stops_the_switch(candidate: PureCluster) -> None:
    verify(candidate)
    candidate.edit(
        ("AcceptanceAct", "", "act-b"), spec={"revoked": {"at": "2026-10-20", "reason": "a mistake"}}
    )
    candidate.advance(LATER, at("2026-10-30"))
    assert candidate.public_letter() == "a"
    assert candidate.replicas() == {"a": 2, "b": 1}
    assert candidate.phase() is Phase.PUBLISHED
    assert "ActRevoked" in [note.reason for note in candidate.told]


def test_a_lag_is_that_of_the_public_release(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.version("3.5.0", "2026-09-01", "2026-09-02"))))
    name_candidate(public, "b", "3.5.0")
    public.settle(LATER)
    assert public.status.template.version == "3.0.0"
    sign(public, "b", "3.5.0")
    verify(public, template={"version": "3.5.0"})
    public.advance(LATER, at("2026-10-21"))
    assert public.status.template.version == "3.5.0"


def test_a_candidate_waits_for_the_replicas_of_a_scaled_out_public_release(candidate: PureCluster) -> None:
    candidate.edit_service(workload={"replicas": 1, "autoscaling": {"minReplicas": 1, "maxReplicas": 9}})
    for body in candidate.of_kind("Deployment").values():
        body["spec"]["replicas"] = 4 if body["spec"]["replicas"] == 2 else 1
    candidate.settle(LATER)
    assert candidate.replicas() == {"a": 2, "b": 1}, "the public one has no autoscaler: put back"


# while the spec names the public release


def test_a_workload_edit_rolls_out_in_place_and_moves_the_snapshot(public: PureCluster) -> None:
    (before,) = public.of_kind("ControllerRevision").values()
    public.edit_service(workload={"port": 9090, "replicas": 3})
    public.settle(LATER)
    (after,) = public.of_kind("ControllerRevision").values()
    assert after["revision"] == before["revision"] + 1
    assert after["data"]["workload"]["port"] == 9090
    assert public.replicas() == {"a": 3}
    assert public.one("Service")["spec"]["ports"][0]["targetPort"] == 9090
    assert public.one("NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == 9090
    assert public.phase() is Phase.PUBLISHED
    assert not public.status.gates, "no gate asks for the workload"


def test_a_workload_edit_after_the_verification_shows(public: PureCluster) -> None:
    assert public.reason(ConditionType.VERIFIED) == ("True", Reason.VERIFIED)
    public.edit_service(workload={"port": 9090})
    public.settle(LATER)
    assert public.reason(ConditionType.VERIFIED) == ("True", "ConfigChangedSinceVerified")
    verify(public, "a", verifiedAt="2026-10-21T07:00:00Z")
    public.settle(at("2026-10-22"))
    assert public.reason(ConditionType.VERIFIED) == ("True", Reason.VERIFIED)


def test_a_change_back_and_forth_ends_where_it_began(public: PureCluster) -> None:
    deployment = public.one("Deployment")["spec"]
    public.edit_service(workload={"port": 9090})
    public.settle(LATER)
    public.edit_service(workload={"port": 8080})
    public.settle(LATER)
    assert public.one("Deployment")["spec"] == deployment
    (snapshot,) = public.of_kind("ControllerRevision").values()
    assert snapshot["revision"] == 3


def test_an_unmet_gate_holds_a_change_back_and_what_runs_stays(public: PureCluster) -> None:
    public.edit_service(
        workload={"port": 9090},
        uses=[
            {"name": "persons", "webService": {"namespace": "ur-production", "name": "population-register"}}
        ],
    )
    decision = public.settle(LATER)
    assert not public.log, "nothing was touched"
    assert public.gates() == [Gate.ACCESS_GRANTED]
    assert public.phase() is Phase.PUBLISHED
    assert decision is not None
    assert decision.rollout.serves
    public.edit_service(uses=None)
    public.settle(LATER)
    assert public.one("Service")["spec"]["ports"][0]["targetPort"] == 9090


def test_a_host_that_is_not_registered_changes_nothing_until_it_is(public: PureCluster) -> None:
    public.edit_service(publication={"hosts": ["new.latvija.example"]})
    public.settle(LATER)
    assert public.one("HTTPRoute")["spec"]["hostnames"] == [worlds.HOST]
    assert [entry.reason for entry in public.status.gates] == [Reason.HOST_NOT_REGISTERED]
    hosts = [{"environment": "Production", "host": "*.latvija.example"}]
    public.edit(("EServiceRegistration", "", NAME), spec={"hosts": hosts})
    public.settle(LATER)
    assert public.one("HTTPRoute")["spec"]["hostnames"] == ["new.latvija.example"]
    assert public.status.public_url == "https://new.latvija.example/"


def test_a_failed_verification_holds_a_change_of_the_path_back(public: PureCluster) -> None:
    verify(public, "a", outcome="Failed")
    public.edit_service(publication={"path": "/declare"})
    public.settle(LATER)
    assert public.status.public_url == "https://address.latvija.example/"
    assert "Update HTTPRoute" not in public.writes()


def test_a_changed_route_is_served_as_before_until_the_gateway_has_answered(public: PureCluster) -> None:
    public.gateway_answers = False
    public.edit_service(publication={"path": "/declare"})
    public.settle(LATER)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.AWAITING_GATEWAY)
    assert find(public.status.conditions, ConditionType.RECONCILING) is not None
    assert not public.told, "it was public all the time"
    public.gateway_answers = True
    public.settle(LATER)
    assert public.status.public_url == "https://address.latvija.example/declare"


def test_an_edit_of_the_service_just_after_the_switch_does_not_bring_back_the_release_before(
    candidate: PureCluster,
) -> None:
    """The status still names that one: what the Service selects is ours, and tells."""
    place = candidate.service_place
    untold = candidate.objects[place]["status"]
    verify(candidate)
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    candidate.objects[place]["status"] = untold
    candidate.vandalise(("Service", NAMESPACE, NAME), spec={"sessionAffinity": "ClientIP"})
    candidate.forget()
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    assert set(candidate.writes()) == {"Update Service"}, "it is put back, and nothing else is touched"
    assert candidate.objects["Service", NAMESPACE, NAME]["spec"]["sessionAffinity"] == "None"
