# SPDX-License-Identifier: Apache-2.0
"""The decision about a grant: what it opens, in which order, and that nothing of it is left when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.access.worlds import Copied
from eservice_operator.core.actions import Action, Create, Delete, Failure, Outcome, SetFinalizer, Update
from eservice_operator.core.conditions import find
from tests.core.access.grant_cluster import GRANT, TEST_GRANT, GrantCluster, in_good_order
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, at

CHILD = f"grant.{NAME}"
POLICY = ("NetworkPolicy", access.HOLDER, CHILD)
ROLE = ("Role", access.HOLDER, CHILD)
BINDING = ("RoleBinding", access.HOLDER, CHILD)


@pytest.fixture
def cluster() -> GrantCluster:
    return in_good_order()


@pytest.fixture
def opened(cluster: GrantCluster) -> GrantCluster:
    cluster.settle(NOW)
    cluster.log.clear()
    return cluster


def words(actions: list[Action] | tuple[Action, ...]) -> list[str]:
    found = []
    for action in actions:
        kind = action.manifest["kind"] if isinstance(action, Create | Update) else action.ref.kind
        found.append(f"{type(action).__name__} {kind}")
    return found


def condition(cluster: GrantCluster, kind: ConditionType) -> tuple[str, str, str]:
    found = find(cluster.status(GRANT).conditions, kind)
    assert found is not None
    return found.status.value, found.reason, found.message


# what is opened


def test_the_record_and_the_finalizer_come_before_anything_opens(cluster: GrantCluster) -> None:
    decision = cluster.decide(GRANT, NOW)
    assert words(decision.actions) == [
        "SetFinalizer WebServiceGrant",
        "Create ConnectionTest",
        "Create NetworkPolicy",
        "Create Role",
        "Create RoleBinding",
    ]
    finalizer = decision.actions[0]
    assert isinstance(finalizer, SetFinalizer)
    assert (finalizer.present, finalizer.finalizer) == (True, names.GRANT_FINALIZER)


def test_what_is_opened_is_exactly_for_the_consumer(opened: GrantCluster) -> None:
    policy, role, binding = (opened.objects[place] for place in (POLICY, ROLE, BINDING))
    assert policy["spec"] == {
        "podSelector": {"matchLabels": access.POD_LABELS},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
                        "podSelector": {"matchLabels": {"eservice.dev/eservice": NAME}},
                    }
                ],
                "ports": [{"port": 8443, "protocol": "TCP"}],
            }
        ],
    }
    assert role["rules"] == [
        {
            "apiGroups": ["eservice.dev"],
            "resources": ["webservices/v5"],
            "resourceNames": [access.REGISTER],
            "verbs": ["invoke"],
        }
    ]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": CHILD}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]
    uid = opened.objects[GRANT]["metadata"]["uid"]
    for child in (policy, role, binding):
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("WebServiceGrant", uid)
        assert child["metadata"]["labels"][names.GRANT_LABEL] == NAME


def test_the_status_says_that_it_is_open(opened: GrantCluster) -> None:
    status = opened.status(GRANT)
    assert (status.state, status.reason) == (GrantState.ACTIVE, Reason.ACTIVE)
    (entry,) = status.contract_versions
    assert (entry.version, entry.state, entry.active_since) == ("v5", GrantState.ACTIVE, NOW)
    assert status.consumer is not None
    assert status.consumer.institution == "PMLP"
    assert condition(opened, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED)
    assert condition(opened, ConditionType.ACTIVE)[:2] == ("True", Reason.ACTIVE)


def test_it_is_active_only_once_everything_was_seen_in_place(cluster: GrantCluster) -> None:
    cluster.report(GRANT, NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.PENDING}
    assert cluster.status(GRANT).reason == Reason.OPENING
    assert condition(cluster, ConditionType.RECONCILING)[1] == Reason.PROGRESSING
    for action in cluster.decide(GRANT, NOW).actions[:-1]:
        cluster.carry_out(action, NOW)
    cluster.report(GRANT, NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.PENDING}


@pytest.mark.parametrize(
    "failed, transient, reason",
    [
        ("NameCollision", False, "NameCollision"),
        ("Forbidden", False, "Rejected"),
        ("Conflict", True, "Opening"),
    ],
)
def test_what_keeps_it_from_opening_is_said_of_the_version(
    cluster: GrantCluster, failed: str, transient: bool, reason: str
) -> None:
    action = cluster.decide(GRANT, NOW).actions[-1]
    cluster.report(GRANT, NOW, Outcome((), Failure(action, failed, "Role x is in the way", transient)))
    (entry,) = cluster.status(GRANT).contract_versions
    assert (entry.state, entry.reason) == (GrantState.PENDING, reason)
    assert entry.message == "granted, and not yet open: Role x is in the way"
    assert cluster.status(GRANT).reason == reason
    assert condition(cluster, ConditionType.ACTIVE) == ("False", reason, entry.message)
    assert condition(cluster, ConditionType.READY)[0] == "False"


def test_a_failure_says_nothing_of_what_is_open(opened: GrantCluster) -> None:
    opened.edit(GRANT, spec={"contractVersions": access.granted("v5", "v4")})
    opened.edit(
        ("EService", NAMESPACE, NAME), spec={"uses": [access.use("v5"), access.use("v4", name="old")]}
    )
    opened.put(access.connection_test("tested-v4", "v4"))
    action = opened.decide(GRANT, NOW).actions[-1]
    opened.report(GRANT, NOW, Outcome((), Failure(action, "NameCollision", "in the way", transient=False)))
    entries = {entry.version: entry for entry in opened.status(GRANT).contract_versions}
    assert (entries["v5"].state, entries["v5"].reason) == (GrantState.ACTIVE, "Active")
    assert (entries["v4"].state, entries["v4"].reason) == (GrantState.PENDING, "NameCollision")


def test_what_is_held_in_deletion_is_named(opened: GrantCluster) -> None:
    metadata = opened.objects[ROLE]["metadata"]
    metadata |= {"finalizers": ["mine"], "deletionTimestamp": "2026-10-13T00:00:00Z"}
    opened.settle(NOW)
    (entry,) = opened.status(GRANT).contract_versions
    assert (entry.state, entry.reason) == (GrantState.PENDING, Reason.OPENING)
    assert entry.message.endswith(f"Role {access.HOLDER}/{CHILD} is being deleted, and something holds it")
    assert condition(opened, ConditionType.READY) == ("False", Reason.PROGRESSING, entry.message)


def test_rest_is_opened_as_a_whole_and_is_on_no_record() -> None:
    cluster = in_good_order()
    cluster.put(access.rest_service(), access.rest_grant())
    uses = [access.use(None, web_service=access.ADDRESSES)]
    cluster.edit(("EService", NAMESPACE, NAME), spec={"uses": uses})
    cluster.settle(NOW)
    assert cluster.objects[ROLE]["rules"][0]["resources"] == ["webservices"]
    assert cluster.objects[ROLE]["rules"][0]["resourceNames"] == [access.ADDRESSES]
    assert cluster.states(GRANT) == {"*": GrantState.ACTIVE}
    assert not cluster.of_kind("ConnectionTest")


def test_an_outside_backend_gets_the_right_and_no_policy(cluster: GrantCluster) -> None:
    place = ("WebService", access.HOLDER, access.REGISTER)
    cluster.edit(place, spec={"backend": {"service": None, "url": "https://api.ur.example"}})
    cluster.settle(NOW)
    assert POLICY not in cluster.objects
    assert cluster.may_call(GRANT) == {"webservices/v5"}
    assert cluster.states(GRANT) == {"v5": GrantState.ACTIVE}


def test_where_callers_are_only_observed_no_policy_closes_the_pods_to_others(opened: GrantCluster) -> None:
    opened.edit(("WebService", access.HOLDER, access.REGISTER), spec={"isolation": "Observe"})
    assert words(opened.decide(GRANT, NOW).actions) == ["Delete NetworkPolicy"]
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    opened.edit(("WebService", access.HOLDER, access.REGISTER), spec={"isolation": "Enforce"})
    opened.settle(NOW)
    assert POLICY in opened.objects


def test_a_version_more_is_on_record_before_the_role_has_it() -> None:
    cluster = in_good_order("v4", "v5")
    named = access.granted("v5")
    cluster.edit(GRANT, spec={"contractVersions": named})
    cluster.settle(NOW)
    cluster.edit(GRANT, spec={"contractVersions": [*named, *access.granted("v4")]})
    actions = cluster.decide(GRANT, NOW).actions
    assert words(actions) == ["Create ConnectionTest", "Update Role"]
    cluster.settle(NOW)
    assert cluster.may_call(GRANT) == {"webservices/v4", "webservices/v5"}


def test_one_version_closes_before_the_other_opens() -> None:
    cluster = in_good_order("v4", "v5")
    cluster.edit(GRANT, spec={"contractVersions": access.granted("v4")})
    cluster.settle(NOW)
    cluster.edit(GRANT, spec={"contractVersions": access.granted("v5")})
    actions = cluster.decide(GRANT, NOW).actions
    assert words(actions) == ["Update Role", "Create ConnectionTest", "Update Role"]
    assert isinstance(actions[0], Update)
    assert actions[0].manifest["rules"] == []
    cluster.settle(NOW)
    assert cluster.may_call(GRANT) == {"webservices/v5"}


def test_what_an_agency_recorded_needs_no_record_of_ours(cluster: GrantCluster) -> None:
    cluster.put(access.connection_test())
    assert "Create ConnectionTest" not in words(cluster.decide(GRANT, NOW).actions)


def test_a_record_outlives_the_test_and_ends_when_the_agency_revokes_it(opened: GrantCluster) -> None:
    opened.remove(TEST_GRANT)
    opened.settle(NOW + DAY)
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    (record,) = opened.of_kind("ConnectionTest")
    opened.edit(record, spec={"revoked": {"at": "2026-10-20", "reason": "the report was another's"}})
    assert opened.decide(GRANT, NOW + DAY).next_at == at("2026-10-20", "00:00")
    opened.settle(at("2026-10-19", "23:59"))
    assert opened.status(GRANT).contract_versions[0].ends_on == at("2026-10-19").date()
    opened.settle(at("2026-10-20", "00:00"))
    assert opened.states(GRANT) == {"v5": GrantState.REVOKED}
    assert opened.status(GRANT).reason == Reason.TEST_MISSING
    assert opened.may_call(GRANT) == set()


# what is put back


@pytest.mark.parametrize(
    "place, patch",
    [
        (ROLE, {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        (ROLE, {"rules": []}),
        (BINDING, {"subjects": [{"kind": "ServiceAccount", "name": "other", "namespace": "other"}]}),
        (POLICY, {"spec": {"ingress": [{}]}}),
    ],
)
def test_what_somebody_changed_is_put_back(
    opened: GrantCluster, place: tuple[str, str, str], patch: dict[str, Any]
) -> None:
    meant = opened.objects[place]
    opened.objects[place] = worlds.merged(meant, patch)
    assert set(words(opened.decide(GRANT, NOW).actions)) == {f"Update {place[0]}"}
    opened.settle(NOW)
    assert opened.objects[place] == meant


def test_a_binding_of_another_role_is_made_anew(opened: GrantCluster) -> None:
    opened.objects[BINDING] = worlds.merged(opened.objects[BINDING], {"roleRef": {"name": "admin"}})
    assert words(opened.decide(GRANT, NOW).actions) == ["Delete RoleBinding", "Create RoleBinding"]
    opened.settle(NOW)
    assert opened.may_call(GRANT) == {"webservices/v5"}


def test_a_child_that_is_gone_is_made_again(opened: GrantCluster) -> None:
    for place in (POLICY, ROLE, BINDING):
        del opened.objects[place]
    assert words(opened.decide(GRANT, NOW).actions) == [
        "Create NetworkPolicy",
        "Create Role",
        "Create RoleBinding",
    ]


def test_objects_that_only_say_that_they_are_of_the_grant_are_left_alone(opened: GrantCluster) -> None:
    forged = worlds.merged(opened.objects[ROLE], {"metadata": {"name": "copied", "uid": "uid-forged"}})
    opened.objects["Role", access.HOLDER, "copied"] = forged
    assert opened.decide(GRANT, NOW).actions == ()
    opened.remove(GRANT)
    opened.settle(NOW)
    assert GRANT not in opened.objects


# what is closed

ENDS: dict[str, tuple[dict[str, Any], GrantState, Reason]] = {
    "refused": ({"refused": {"reason": "no legal ground"}}, GrantState.REFUSED, Reason.REFUSED),
    "expired": ({"validUntil": "2026-10-12"}, GrantState.EXPIRED, Reason.EXPIRED),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_removes_everything_and_is_revoking_until_it_is_gone(opened: GrantCluster, end: str) -> None:
    spec, state, reason = ENDS[end]
    opened.bindings_follow = False
    opened.edit(GRANT, spec=spec)
    assert words(opened.decide(GRANT, NOW).actions) == [
        "Delete RoleBinding",
        "Delete NetworkPolicy",
        "Delete Role",
    ]
    opened.settle(NOW)
    assert opened.may_call(GRANT) == set()
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}, "the consumer's binding is still there"
    assert opened.status(GRANT).reason == reason
    assert condition(opened, ConditionType.RECONCILING)[1] == Reason.PROGRESSING
    assert "ConfigMap pmlp-production/" in condition(opened, ConditionType.READY)[2]
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [names.GRANT_FINALIZER]
    opened.bindings_follow = True
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": state}
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [], "also where the grant stays"
    assert condition(opened, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED), "the state says which"
    assert condition(opened, ConditionType.ACTIVE)[:2] == ("False", reason)


def test_a_deleted_grant_stays_to_be_seen_until_all_is_gone(opened: GrantCluster) -> None:
    opened.bindings_follow = False
    opened.remove(GRANT)
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}
    assert condition(opened, ConditionType.READY)[:2] == ("False", Reason.TERMINATING)
    opened.bindings_follow = True
    opened.settle(NOW)
    assert GRANT not in opened.objects


def test_a_binding_that_is_held_in_deletion_holds_nothing_up(opened: GrantCluster) -> None:
    opened.bindings_follow = False
    (binding,) = (place for place in opened.of_kind("ConfigMap") if place[1] == NAMESPACE)
    opened.objects[binding]["metadata"] |= {
        "finalizers": ["mine"],
        "deletionTimestamp": "2026-10-13T00:00:00Z",
    }
    opened.remove(GRANT)
    opened.settle(NOW)
    assert GRANT not in opened.objects


@pytest.mark.parametrize("forged", [True, False])
def test_a_binding_that_no_e_service_would_remove_holds_nothing_up(
    opened: GrantCluster, forged: bool
) -> None:
    opened.bindings_follow = False
    (binding,) = (place for place in opened.of_kind("ConfigMap") if place[1] == NAMESPACE)
    if forged:
        opened.objects[binding]["metadata"]["labels"][names.OWNER_UID_LABEL] = "somebody"
    else:
        opened.remove(("EService", NAMESPACE, NAME))
    opened.remove(GRANT)
    opened.settle(NOW)
    assert GRANT not in opened.objects


def test_a_child_that_is_held_in_deletion_is_not_gone(opened: GrantCluster) -> None:
    opened.objects[BINDING]["metadata"]["finalizers"] = ["held"]
    opened.edit(GRANT, spec={"refused": {"reason": "no"}})
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKING}
    assert opened.decide(GRANT, NOW).actions == ()
    assert opened.objects[GRANT]["metadata"]["finalizers"] == [names.GRANT_FINALIZER]
    opened.objects[BINDING]["metadata"]["finalizers"] = []
    opened.remove(BINDING)
    opened.settle(NOW)
    assert opened.states(GRANT) == {"v5": GrantState.REFUSED}


def test_a_version_that_left_the_grant_is_told_of_until_it_is_closed() -> None:
    cluster = in_good_order("v4", "v5")
    cluster.settle(NOW)
    cluster.bindings_follow = False
    cluster.edit(GRANT, spec={"contractVersions": access.granted("v5")})
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.ACTIVE, "v4": GrantState.REVOKING}
    assert cluster.status(GRANT).contract_versions[1].reason == Reason.VERSION_NOT_GRANTED
    assert cluster.status(GRANT).state is GrantState.ACTIVE
    cluster.bindings_follow = True
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v5": GrantState.ACTIVE}


def test_one_version_pending_leaves_the_other_open() -> None:
    cluster = in_good_order("v4", "v5")
    cluster.edit(GRANT, spec={"contractVersions": [*access.granted("v4"), {"version": "v5"}]})
    cluster.settle(NOW)
    assert cluster.states(GRANT) == {"v4": GrantState.ACTIVE, "v5": GrantState.PENDING}
    assert cluster.may_call(GRANT) == {"webservices/v4"}
    assert condition(cluster, ConditionType.READY)[:2] == ("True", Reason.SUCCEEDED)
    assert "v5: v5 lacks in Production" in condition(cluster, ConditionType.ACTIVE)[2]


def test_what_was_never_open_is_pending_and_what_was_is_revoked(opened: GrantCluster) -> None:
    opened.remove(("EServiceRegistration", "", NAME))
    opened.settle(NOW + DAY)
    assert opened.states(GRANT) == {"v5": GrantState.REVOKED}
    assert opened.status(GRANT).contract_versions[0].active_since == NOW, "since when it last was"
    opened.put(worlds.registration())
    opened.settle(NOW + 2 * DAY)
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    assert opened.status(GRANT).contract_versions[0].active_since == NOW + 2 * DAY


def test_two_grants_of_one_consumer_do_not_touch_each_other(opened: GrantCluster) -> None:
    second = ("WebServiceGrant", access.HOLDER, "second")
    opened.put(access.grant("second"))
    opened.settle(NOW)
    assert not any(words([action])[0].endswith("ConnectionTest") for action in opened.log), (
        "one record for both"
    )
    opened.edit(second, spec={"refused": {"reason": "one is enough"}})
    opened.settle(NOW)
    assert opened.states(second) == {"v5": GrantState.REFUSED}
    assert opened.states(GRANT) == {"v5": GrantState.ACTIVE}
    assert opened.may_call(GRANT) == {"webservices/v5"}
    opened.remove(GRANT)
    opened.settle(NOW)
    assert opened.may_call(second) == set()


# conditions


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
