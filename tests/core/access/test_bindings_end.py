# SPDX-License-Identifier: Apache-2.0
"""R3: each end takes exactly its own from an e-service, whatever else is known of it."""

from __future__ import annotations

import pytest

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.actions import DeleteNamed
from eservice_operator.core.decide import decide
from tests.core.access.bound import (
    ADDRESSES,
    CITIZENS,
    PERSONS,
    THROUGH,
    consumer,
    lost,
    policy,
    steps,
    unread,
)
from tests.support import holders, worlds
from tests.support.asking import (
    ADDRESS_USE,
    AskingCluster,
    asking,
    holder_in_order,
    rest_grant,
    rest_service,
)
from tests.support.holders import HOLDER
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, at


def test_an_end_takes_exactly_its_own() -> None:
    cluster = consumer()
    before = policy(cluster)["egress"]
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert sorted(cluster.of_kind("ConfigMap")) == [ADDRESSES, THROUGH]
    register = [rule for rule in before if rule not in policy(cluster)["egress"]]
    assert [rule["ports"] for rule in register] == [[{"port": "https", "protocol": "TCP"}]]
    assert steps(cluster) == [("Update", "NetworkPolicy"), ("Delete", "ConfigMap")]


def test_the_last_end_takes_the_policy_away() -> None:
    cluster = consumer(holders.USE)
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert not policy(cluster)
    assert not cluster.of_kind("ConfigMap")
    assert NAME in cluster.of_kind("NetworkPolicy"), "that of the workload stays"


def test_a_binding_ends_at_the_instant_and_nobody_has_to_say_so() -> None:
    cluster = consumer(holders.USE)
    cluster.answer(holders.grant(spec={"validUntil": "2026-10-20"}))
    decision = cluster.advance(NOW, at("2026-10-20", "23:59"))
    assert decision is not None
    assert cluster.of_kind("ConfigMap")
    assert decision.next_at == at("2026-10-21", "00:00")
    cluster.settle(at("2026-10-21", "00:00"))
    assert not cluster.of_kind("ConfigMap")


def test_who_is_not_installed_has_no_bindings() -> None:
    cluster = asking(holders.USE, productionRequest=None)
    cluster.answer(*holder_in_order())
    cluster.settle(NOW)
    assert cluster.gates()
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)


def test_the_releases_that_run_have_theirs_side_by_side() -> None:
    cluster = consumer(holders.USE)
    cluster.edit_service(
        release={"image": worlds.image("b")},
        uses=[holders.USE | {"webService": ADDRESS_USE["webService"], "contractVersion": None}],
    )
    cluster.put(worlds.act("act-b", spec={"image": worlds.image("b")}))
    cluster.settle(NOW)
    assert len(cluster.of_kind("Deployment")) == 2
    assert len(cluster.of_kind("ConfigMap")) == 2, "one name, two web services"


def test_an_address_outside_is_reached_on_its_port_only() -> None:
    cluster = consumer(ADDRESS_USE)
    backend = {"url": "https://addresses.ur.example:8443/api"}
    cluster.answer(rest_service(spec={"backend": backend}))
    cluster.settle(NOW)
    (rule,) = policy(cluster)["egress"]
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert cluster.one("ConfigMap")["data"]["port"] == "8443"


# credentials


def with_credentials() -> AskingCluster:
    """The operator copied the grant's Secret beside the binding."""
    cluster = consumer(holders.USE)
    cluster.answer(holders.grant(spec={"credentials": {"secretName": "key"}}))
    cluster.settle(NOW)
    binding = cluster.one("ConfigMap")
    assert binding["metadata"]["annotations"][names.CREDENTIALS_ANNOTATION] == PERSONS
    secret = holders.body("Secret", PERSONS, NAMESPACE, "v1")
    secret["metadata"]["labels"] = {names.OWNER_UID_LABEL: cluster.service.metadata.uid}
    cluster.objects["Secret", NAMESPACE, PERSONS] = secret
    cluster.forget()
    return cluster


def test_credentials_go_before_the_binding_that_tells_of_them() -> None:
    cluster = with_credentials()
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert steps(cluster)[-2:] == [("DeleteNamed", "Secret"), ("Delete", "ConfigMap")]
    assert not cluster.of_kind("Secret")


def test_credentials_end_where_the_grant_names_none_any_more() -> None:
    cluster = with_credentials()
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    assert steps(cluster) == [("DeleteNamed", "Secret"), ("Update", "ConfigMap")]
    assert names.CREDENTIALS_ANNOTATION not in cluster.one("ConfigMap")["metadata"]["annotations"]


def test_the_annotation_of_somebody_else_names_no_other_secret() -> None:
    cluster = with_credentials()
    place = "ConfigMap", NAMESPACE, PERSONS
    cluster.objects[place]["metadata"]["annotations"][names.CREDENTIALS_ANNOTATION] = "database"
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert [action.ref.name for action in cluster.log if isinstance(action, DeleteNamed)] == [PERSONS]


def test_an_agents_credentials_are_not_its_customers() -> None:
    cluster = consumer(CITIZENS)
    grant = cluster.around["WebServiceGrant", HOLDER, "evry-connection"]
    cluster.answer(worlds.merged(grant, {"spec": {"credentials": {"secretName": "key"}}}))
    cluster.settle(NOW)
    assert names.CREDENTIALS_ANNOTATION not in cluster.one("ConfigMap")["metadata"]["annotations"]


# what takes, takes in any case


def test_a_spec_that_cannot_be_read_keeps_what_is_granted_and_loses_what_is_not() -> None:
    cluster = unread(consumer())
    before = policy(cluster)
    assert len(cluster.of_kind("ConfigMap")) == 3
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert PERSONS not in cluster.of_kind("ConfigMap")
    assert len(policy(cluster)["egress"]) == len(before["egress"]) - 1
    cluster.answer(holders.grant())
    cluster.forget()
    cluster.settle(NOW)
    assert not cluster.log, "nothing new is given"


def test_a_release_that_nobody_remembers_keeps_what_is_granted_and_loses_what_is_not() -> None:
    cluster = lost(consumer(holders.USE, ADDRESS_USE))
    assert sorted(cluster.of_kind("ConfigMap")) == [ADDRESSES, PERSONS]
    workload = cluster.of_kind("NetworkPolicy")[NAME]
    cluster.answer(rest_grant(spec={"validUntil": "2026-10-01"}))
    cluster.settle(NOW)
    assert sorted(cluster.of_kind("ConfigMap")) == [PERSONS]
    assert len(policy(cluster)["egress"]) == 1
    assert cluster.of_kind("NetworkPolicy")[NAME] == workload


@pytest.mark.parametrize("gone", [False, True])
def test_an_e_service_that_is_being_deleted_has_nothing_open_whoever_holds_it(gone: bool) -> None:
    """By a finalizer of its own, or by ours while a route is taken down; whether the grant stays or not."""
    cluster = consumer(holders.USE, ADDRESS_USE)
    cluster.answer(holders.grant(spec={"credentials": {"secretName": "persons-key"}}))
    cluster.settle(NOW)
    cluster.forget()
    metadata = cluster.objects[cluster.service_place]["metadata"]
    metadata["finalizers"] = ["tenant.example/hold", names.FINALIZER]
    cluster.remove(cluster.service_place)
    if gone:
        cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)
    assert ("DeleteNamed", "Secret") in steps(cluster)
    assert metadata["finalizers"] == ["tenant.example/hold"]
    assert not cluster.routed()
    assert "AccessLost" not in [note.reason for note in cluster.told], "it gives up what it had"
    assert cluster.reason(ConditionType.ACCESS_GRANTED) == (
        "False",
        "AccessNotGranted" if gone else "ConsumerNotFound",
    )
    assert decide(cluster.world(), NOW, POLICY).actions == ()
