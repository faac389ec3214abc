# SPDX-License-Identifier: Apache-2.0
"""The decision about a grant: what it opens, in which order, and that it is put back."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.grant import GrantState
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.actions import Failure, Outcome, SetFinalizer, Update
from tests.core.access.grant_cluster import GRANT, TEST_GRANT, GrantCluster, in_good_order
from tests.core.access.grants import BINDING, CHILD, POLICY, ROLE, condition, words
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, at


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
