# SPDX-License-Identifier: Apache-2.0
"""Pauses, deletions, edits behind our back, lost memories: what runs stays, and comes right again."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.core.actions import Delete, Outcome, SetFinalizer
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.report import report, report_invalid
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, ROUTE, ROUTES, TEMPLATE, at, image

LATER = at("2026-10-20")
AT_SERVICE = ("Service", NAMESPACE, NAME)
AT_ROUTE = ("HTTPRoute", ROUTES, ROUTE)
AT_REGISTRATION = ("EServiceRegistration", "", NAME)

# paused and suspended


def test_a_pause_takes_the_route_and_gives_it_back_at_its_end(public: PureCluster) -> None:
    until = at("2026-10-25", "06:00")
    paused = {"reason": "maintenance", "until": until.isoformat()}
    public.edit_service(publication={"paused": paused})
    decision = public.settle(LATER)
    assert not public.routed()
    assert public.replicas() == {"a": 2}
    assert public.phase() is Phase.PAUSED
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.PAUSED)
    assert public.reason(ConditionType.READY) == ("True", Reason.PAUSED)
    assert decision is not None
    assert decision.next_at == until
    assert public.status.next is not None
    assert (public.status.next.action, public.status.next.at) == ("Republish", until)
    public.settle(until)
    assert public.phase() is Phase.PUBLISHED
    assert [note.reason for note in public.told] == ["Paused", "Published"]
    assert public.told[-1].text.startswith("public again at https://")


def test_a_pause_that_has_passed_is_said_to_pause_nothing(public: PureCluster) -> None:
    """Also right after it was written: a wrong year is what it looks like."""
    public.edit_service(
        publication={"paused": {"reason": "maintenance", "until": "2025-10-25T08:00:00+02:00"}}
    )
    public.settle(LATER)
    assert public.routed()
    condition = find(public.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    assert condition.status is ConditionStatus.TRUE
    assert condition.message.endswith(
        "; spec.publication.paused ended at 2025-10-25T06:00:00Z and pauses nothing any more"
    )
    written = len(public.statuses)
    public.settle(LATER)
    assert len(public.statuses) == written
    public.edit_service(publication={"paused": None})
    public.settle(LATER)
    condition = find(public.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    assert "paused" not in condition.message


def test_a_pause_ends_at_the_first_whole_second_that_is_not_before_it(public: PureCluster) -> None:
    until = at("2026-10-25", "06:00").replace(microsecond=250_000)
    public.edit_service(publication={"paused": {"reason": "maintenance", "until": until.isoformat()}})
    decision = public.settle(LATER)
    assert decision is not None
    assert decision.next_at == at("2026-10-25", "06:00:01")
    public.settle(until)
    assert not public.routed(), "decisions count in whole seconds"
    public.settle(at("2026-10-25", "06:00:01"))
    assert public.routed()


def test_a_suspension_takes_the_route_and_its_end_gives_it_back(public: PureCluster) -> None:
    public.edit(AT_REGISTRATION, spec={"suspended": {"reason": "an incident"}})
    public.settle(LATER)
    assert not public.routed()
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.REGISTRATION_SUSPENDED)
    assert public.phase() is Phase.PAUSED
    public.edit(AT_REGISTRATION, spec={"suspended": None})
    public.settle(LATER)
    assert public.routed()


def test_a_candidate_goes_on_while_paused_and_is_not_shown(public: PureCluster) -> None:
    public.edit_service(publication={"paused": {"reason": "maintenance"}}, release={"image": image("b")})
    public.put(
        worlds.act("act-b", spec={"image": image("b")}),
        worlds.verification("passed-b", spec={"image": image("b")}),
    )
    public.advance(LATER, LATER + DAY)
    assert public.public_letter() == "b"
    assert not public.routed()


# deletions take nothing down


@pytest.mark.parametrize(
    "gone, condition, reason",
    [
        (("AcceptanceAct", "", "act-1"), ConditionType.ACCEPTED, Reason.AWAITING_ACCEPTANCE),
        (AT_REGISTRATION, ConditionType.REGISTERED, Reason.REGISTRATION_NOT_FOUND),
        (("EServiceTemplate", "", TEMPLATE), ConditionType.TEMPLATE_CURRENT, Reason.TEMPLATE_UNKNOWN),
        (
            ("ProductionVerification", NAMESPACE, "verified-1"),
            ConditionType.VERIFIED,
            Reason.AWAITING_VERIFICATION,
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_deleted_record_in_use_takes_nothing_down_and_is_reported(
    public: PureCluster, gone: tuple[str, str, str], condition: ConditionType, reason: Reason
) -> None:
    public.remove(gone)
    public.advance(LATER, LATER + 400 * DAY)
    assert not public.log
    assert public.phase() is Phase.PUBLISHED
    found = public.reason(condition)
    assert found is not None
    assert found[0] != "True"
    assert found[1] == reason
    assert public.status.identifier == "EP-000007"


def test_a_later_failed_verification_takes_nothing_down_and_blocks_republishing(public: PureCluster) -> None:
    failed = worlds.verification(
        "failed-1",
        metadata={"creationTimestamp": "2026-10-19T08:00:00Z"},
        spec={"outcome": "Failed", "verifiedAt": "2026-10-19T07:00:00Z"},
    )
    public.put(failed)
    public.settle(LATER)
    assert public.routed()
    assert public.reason(ConditionType.VERIFIED) == ("False", Reason.VERIFICATION_FAILED)
    public.edit_service(publication={"paused": {"reason": "repair"}})
    public.settle(LATER)
    public.edit_service(publication={"paused": None})
    public.settle(LATER)
    assert not public.routed()
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.VERIFICATION_FAILED)
    assert public.phase() is Phase.UNPUBLISHED


def test_a_revoked_act_of_the_release_beside_a_candidate_is_shown(public: PureCluster) -> None:
    public.edit_service(release={"image": image("b")})
    public.edit(("AcceptanceAct", "", "act-1"), spec={"revoked": {"at": "2026-10-19", "reason": "a mistake"}})
    public.settle(LATER)
    published = next(entry for entry in public.status.conditions if entry.type == ConditionType.PUBLISHED)
    assert published.status.value == "True"
    assert "Accepted" in published.message


# deleting the EService


def test_deleting_the_e_service_removes_its_route_and_then_the_finalizer(public: PureCluster) -> None:
    public.remove(public.service_place)
    assert public.of_kind("EService"), "our finalizer holds it"
    public.settle(LATER)
    removal, finalizer = public.log
    assert isinstance(removal, Delete)
    assert removal.ref.kind == "HTTPRoute"
    assert isinstance(finalizer, SetFinalizer)
    assert not finalizer.present
    assert not public.of_kind("EService")
    assert not public.of_kind("Deployment"), "the garbage collector took what it owned"


def test_a_route_that_hangs_holds_the_e_service(public: PureCluster) -> None:
    public.objects[AT_ROUTE]["metadata"]["finalizers"] = ["somebody.example/else"]
    public.remove(public.service_place)
    public.settle(LATER)
    assert public.of_kind("EService")
    assert public.phase() is Phase.TERMINATING
    assert public.reason(ConditionType.RECONCILING) == ("True", Reason.TERMINATING)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED), "until it is gone"
    del public.objects[AT_ROUTE]
    public.settle(LATER)
    assert not public.of_kind("EService")


def test_an_e_service_that_was_never_public_goes_at_once(cluster: PureCluster) -> None:
    cluster.remove(("AcceptanceAct", "", "act-1"))
    cluster.settle(NOW)
    assert "finalizers" not in cluster.objects[cluster.service_place]["metadata"]
    cluster.remove(cluster.service_place)
    assert cluster.settle(NOW) is None


def test_a_route_that_an_earlier_one_left_behind_goes_before_a_new_one_comes(public: PureCluster) -> None:
    public.objects[public.service_place]["metadata"]["finalizers"] = []  # somebody tore it out
    public.remove(public.service_place)
    assert public.routed()
    public.put(worlds.eservice(metadata={"uid": "another-uid"}))
    public.remove(("AcceptanceAct", "", "act-1"))
    public.settle(LATER)
    assert not public.routed()
    public.put(worlds.act())
    public.settle(LATER)
    assert public.phase() is Phase.PUBLISHED


# edits behind our back

EDITS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Deployment", {"spec": {"replicas": 7}}),
    ("Deployment", {"spec": {"template": {"spec": {"hostNetwork": True}}}}),
    ("Deployment", {"metadata": {"labels": {names.RELEASE_LABEL: "0000000000"}}}),
    ("Service", {"spec": {"selector": {names.RELEASE_LABEL: "0000000000"}}}),
    ("Service", {"metadata": {"annotations": {names.SWITCHED_AT_ANNOTATION: "whenever"}}}),
    ("HTTPRoute", {"spec": {"hostnames": ["evil.example"]}}),
    ("NetworkPolicy", {"spec": {"egress": [{}]}}),
    ("PodDisruptionBudget", {"spec": {"maxUnavailable": "100%"}}),
    ("ReferenceGrant", {"spec": {"to": [{"group": "", "kind": "Secret"}]}}),
    ("ServiceAccount", {"automountServiceAccountToken": True}),
    ("ControllerRevision", {"metadata": {"annotations": {names.MANIFEST_ANNOTATION: "0"}}}),
)


@pytest.mark.parametrize("kind, patch", EDITS, ids=[kind for kind, _ in EDITS])
def test_an_edited_child_is_put_back(public: PureCluster, kind: str, patch: dict[str, Any]) -> None:
    ((place, before),) = [(place, body) for place, body in public.objects.items() if place[0] == kind]
    public.vandalise(place, **patch)
    public.settle(LATER)
    after = public.objects[place]
    ours = ("spec", "data", "automountServiceAccountToken")
    assert {key: after.get(key) for key in ours} == {key: before.get(key) for key in ours}
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert public.routed()
    assert public.public_letter() == "a"
    assert public.phase() is Phase.PUBLISHED


def test_a_strange_selector_is_put_back_also_while_a_gate_is_unmet(public: PureCluster) -> None:
    public.remove(("AcceptanceAct", "", "act-1"))
    public.vandalise(AT_SERVICE, spec={"selector": {names.RELEASE_LABEL: "0000000000"}})
    public.settle(LATER)
    assert public.public_letter() == "a"
    assert public.routed()


@pytest.mark.parametrize(
    "kind", ["Deployment", "Service", "HTTPRoute", "NetworkPolicy", "ServiceAccount", "ReferenceGrant"]
)
def test_a_deleted_child_is_made_again(public: PureCluster, kind: str) -> None:
    (place,) = [place for place in public.objects if place[0] == kind]
    public.remove(place)
    public.settle(LATER)
    assert place in public.objects
    assert public.public_letter() == "a"
    assert public.phase() is Phase.PUBLISHED
    assert f"Create {kind}" in public.writes()


def test_a_child_that_is_being_deleted_is_left_alone_until_it_is_gone(public: PureCluster) -> None:
    public.objects[AT_SERVICE]["metadata"]["finalizers"] = ["somebody.example/else"]
    public.remove(AT_SERVICE)
    public.settle(LATER)
    assert not public.log
    assert public.status.release.public is not None, "our status remembers what is public"
    del public.objects[AT_SERVICE]
    public.settle(LATER)
    assert public.public_letter() == "a"


def test_an_object_of_the_same_name_that_is_not_ours_is_left_alone_and_reported(cluster: PureCluster) -> None:
    foreign = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": "foreign"},
    }
    cluster.objects["ServiceAccount", NAMESPACE, NAME] = foreign
    decision = cluster.reconcile(NOW)
    assert decision is not None
    assert cluster.objects["ServiceAccount", NAMESPACE, NAME] == foreign
    assert cluster.reason(ConditionType.STALLED) == ("True", Reason.NAME_COLLISION)
    assert cluster.reason(ConditionType.RECONCILING) is None
    cluster.remove(("ServiceAccount", NAMESPACE, NAME))
    cluster.settle(NOW)
    assert cluster.phase() is Phase.PUBLISHED


# what the API server refuses


def test_what_was_refused_is_not_how_the_release_runs(public: PureCluster) -> None:
    before, snapshots = public.one("Deployment")["spec"], public.of_kind("ControllerRevision")
    public.rejected = frozenset({"Deployment"})
    public.edit_service(workload={"port": 9090})
    public.settle(LATER)
    assert public.reason(ConditionType.STALLED) == ("True", Reason.REJECTED)
    assert public.of_kind("ControllerRevision") == snapshots
    assert public.reason(ConditionType.VERIFIED) == ("True", Reason.VERIFIED), "nothing has changed"
    said = len(public.statuses)
    public.settle(at("2026-10-21"))
    assert len(public.statuses) == said, "it says no more each time that it is tried again"

    public.rejected = frozenset()
    public.edit_service(release={"image": image("b")})  # which nobody accepted: a stays as it runs
    public.remove(("Deployment", NAMESPACE, next(iter(public.of_kind("Deployment")))))
    public.settle(at("2026-10-21"))
    assert public.one("Deployment")["spec"] == before
    assert public.reason(ConditionType.STALLED) is None


def test_pods_that_stay_as_they_are_keep_their_network(public: PureCluster) -> None:
    before, narrow = public.one("NetworkPolicy")["spec"], {"egress": None}
    public.rejected = frozenset({"Deployment"})
    public.edit_service(workload={"port": 9090, "egress": [{"cidr": "192.0.2.10/32"}]})
    public.settle(LATER)
    (ingress,) = public.one("NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for port in ingress["ports"]] == [8080, 9090]
    public.rejected = frozenset()
    public.edit_service(workload={"port": 8080} | narrow)
    public.settle(LATER)
    assert public.one("NetworkPolicy")["spec"] == before


def test_what_needs_no_deployment_is_mended_while_that_is_refused(public: PureCluster) -> None:
    public.rejected = frozenset({"Deployment"})
    public.edit_service(workload={"port": 9090})
    grant = ("ReferenceGrant", NAMESPACE, NAME)
    public.remove(grant)
    public.settle(LATER)
    assert public.reason(ConditionType.STALLED) == ("True", Reason.REJECTED)
    assert grant in public.objects, "without it the route leads nowhere"


# memory lost


def test_a_public_release_whose_snapshot_was_lost_is_left_as_it_runs(public: PureCluster) -> None:
    public.edit_service(release={"image": image("b")})
    (snapshot,) = [place for place in public.objects if place[0] == "ControllerRevision"]
    public.remove(snapshot)
    public.put(worlds.act("act-b", spec={"image": image("b")}))
    public.settle(LATER)
    assert public.routed(), "nobody knows how it ran, and it runs"
    assert public.replicas() == {"a": 2, "b": 1}
    assert public.status.release.public is not None
    assert public.status.release.public.image == image("a")
    assert public.status.template.version == "3.0.0"
    grant = ("ReferenceGrant", NAMESPACE, NAME)
    public.remove(grant)
    public.settle(LATER)
    assert grant in public.objects, "without it the route leads nowhere"

    public.put(worlds.template((*worlds.VERSIONS, worlds.version("4.0.0", "2027-05-01", "2027-06-01"))))
    public.advance(LATER, at("2027-06-01"))
    assert not public.routed(), "the rule still holds"

    public.edit_service(template={"version": "4.0.0"})
    release = {"image": image("b"), "template": {"version": "4.0.0"}}
    public.put(worlds.act("act-c", spec=release), worlds.verification("passed-c", spec=release))
    public.advance(at("2027-06-01"), at("2027-06-02"))
    assert public.routed()
    assert public.public_letter() == "b"


def test_a_lost_snapshot_of_the_release_that_the_spec_names_is_written_again(public: PureCluster) -> None:
    (snapshot,) = [place for place in public.objects if place[0] == "ControllerRevision"]
    public.remove(snapshot)
    public.settle(LATER)
    assert snapshot in public.objects
    assert set(public.writes()) == {"Create ControllerRevision"}


def test_a_lost_status_is_found_again(public: PureCluster) -> None:
    before = public.status
    public.objects[public.service_place]["status"] = {"observedGeneration": -1}
    public.settle(LATER)
    assert not public.log
    after = public.status
    forgotten = ("conditions", "history")
    for field in set(type(after).model_fields) - set(forgotten):
        assert getattr(after, field) == getattr(before, field), field


def test_a_service_that_somebody_made_makes_nothing_public(public: PureCluster) -> None:
    """A tenant writes a Service that names a release which nobody accepted; labels are no proof."""
    public.objects[public.service_place]["status"] = {"observedGeneration": -1}
    for place in list(public.objects):
        if place[0] in {"ControllerRevision", "Deployment", "HTTPRoute", "AcceptanceAct"}:
            del public.objects[place]
    public.settle(LATER)
    assert not public.routed()
    assert public.replicas() == {}
    assert public.status.release.public is None
    assert Gate.ACCEPTED in public.gates()


# what cannot be read


def test_an_invalid_spec_keeps_what_was_known(public: PureCluster) -> None:
    old = public.status
    new = report_invalid(old, 5, ("spec.workload.port: write a whole number",), LATER)
    body = public.objects[public.service_place]
    body["status"] = status_body(new)
    body["metadata"]["generation"] = 5
    assert_status_sound(body, before=old)
    assert public.phase() is Phase.INVALID
    assert public.reason(ConditionType.STALLED) == ("True", Reason.INVALID_SPEC)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert public.status.release == old.release
    assert report_invalid(new, 5, ("spec.workload.port: write a whole number",), LATER + DAY) == new
    public.settle(LATER)
    assert public.phase() is Phase.PUBLISHED


def test_a_status_of_a_newer_operator_is_survived(public: PureCluster) -> None:
    condition = worlds.condition("SomethingNew", "NewReason")
    body = public.objects[public.service_place]
    body["status"]["conditions"].append(condition)
    report_invalid(public.status, 2, ("wrong",), LATER)
    public.settle(LATER)
    assert public.reason(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_a_writing_that_fails_for_now_is_told_as_under_way(public: PureCluster) -> None:
    public.edit_service(workload={"replicas": 4})
    decision = decide(public.world(), LATER, public.policy)
    (action, *_) = decision.actions
    for transient, kind in ((True, ConditionType.RECONCILING), (False, ConditionType.STALLED)):
        failure = worlds.failure(action, "Invalid", "", transient=transient)
        status = report(decision, Outcome((), failure))
        body = public.objects[public.service_place] | {"status": status_body(status)}
        assert_status_sound(body)
        assert kind in {condition.type for condition in status.conditions}


@pytest.mark.parametrize(
    "spec, reason",
    [
        ({"template": {"version": "9.9.9"}}, Reason.TEMPLATE_VERSION_UNKNOWN),
        ({"template": {"version": "3.0.0-rc.1"}}, Reason.TEMPLATE_VERSION_PRERELEASE),
        ({"template": {"version": "2.5.0"}}, Reason.TEMPLATE_VERSION_WITHDRAWN),
        ({"template": {"version": "2.0.0"}}, Reason.TEMPLATE_OVERDUE),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_only_another_spec_can_mend_is_stalled_and_the_last_good_release_stays(
    public: PureCluster, spec: dict[str, Any], reason: Reason
) -> None:
    more = (
        worlds.version("3.0.0-rc.1", "2025-09-01"),
        worlds.version("2.5.0", "2025-01-01", "2025-01-02", at="2025-02-01"),
    )
    public.put(worlds.template((*worlds.VERSIONS, *more)))
    public.edit_service(**spec)
    public.settle(LATER)
    assert public.reason(ConditionType.STALLED) == ("True", reason)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert public.phase() is Phase.PUBLISHED
    assert public.replicas() == {"a": 2}
    assert Gate.TEMPLATE_SUPPORTED in public.gates()
    public.edit_service(template={"version": "3.0.0"})
    public.settle(LATER)
    assert public.reason(ConditionType.STALLED) is None
