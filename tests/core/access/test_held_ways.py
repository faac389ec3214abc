# SPDX-License-Identifier: Apache-2.0
"""A use that is held keeps what is its own: nothing for others, and nothing that is taken for certain."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.core.access.naming import access_policy
from eservice_operator.core.access.ways import OUT, within
from eservice_operator.core.actions import Delete, DeleteNamed, Manifest, SetFinalizer, Update, target_of
from eservice_operator.core.decide import decide
from tests.core.access.bound import ADDRESSES, PERSONS, THROUGH, consumer, policy, steps
from tests.core.access.test_unclear import UNREAD, change, role
from tests.support import holders
from tests.support.asking import ADDRESSES as REST
from tests.support.asking import AskingCluster, rest_grant, rest_service
from tests.support.holders import HOLDER, REGISTER
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, POLICY

CONFIG_MAP = "ConfigMap", NAMESPACE, PERSONS
UNCLEAR_REST = ("WebService", HOLDER, REST, {"spec": {"contracts": 7}})
HELD: dict[str, tuple[str, str, str, Any]] = {
    PERSONS: UNREAD["web service"],
    ADDRESSES: UNCLEAR_REST,
    THROUGH: UNREAD["assignment"],
}
ENDS = {PERSONS: "address", ADDRESSES: "addresses", THROUGH: "evry-connection"}


def opened() -> AskingCluster:
    """Three uses that are open, of two of which the holder's namespace is the same."""
    cluster = consumer()
    for grant, resource in (
        ("address", "webservices/v5"),
        ("addresses", "webservices"),
        ("evry-connection", "webservices/v5"),
    ):
        body = role(grant, resource)
        owner = cluster.around["WebServiceGrant", HOLDER, grant]["metadata"]["uid"]
        body["metadata"]["ownerReferences"][0]["uid"] = owner
        if grant == "addresses":
            body["rules"][0]["resourceNames"] = [REST]
        cluster.answer(body)
    cluster.settle(NOW)
    assert len(policy(cluster)["egress"]) == 3
    cluster.forget()
    return cluster


def way_of(cluster: AskingCluster, binding: str) -> list[Manifest]:
    """What of the policy leads to where a use leads."""
    leads = {
        PERSONS: lambda peer: peer.get("podSelector", {}).get("matchLabels") == holders.SELECTOR,
        ADDRESSES: lambda peer: "ipBlock" in peer,
        THROUGH: lambda peer: names.ESERVICE_LABEL in peer.get("podSelector", {}).get("matchLabels", {}),
    }[binding]
    return [rule for rule in policy(cluster).get("egress", ()) if any(map(leads, rule["to"]))]


@pytest.mark.parametrize("held, ends", list(permutations(HELD, 2)))
def test_the_way_of_a_use_ends_with_it_whatever_else_is_held(held: str, ends: str) -> None:
    cluster = opened()
    before = way_of(cluster, held)
    change(cluster, *HELD[held])
    cluster.settle(NOW)
    assert not cluster.log
    cluster.take_back("WebServiceGrant", HOLDER, ENDS[ends])
    cluster.settle(NOW + 30 * DAY)
    assert not way_of(cluster, ends)
    assert before
    assert way_of(cluster, held) == before


def test_two_web_services_of_one_holder_do_not_hold_each_other() -> None:
    """The Service of the one is gone for good; the other, behind a Service beside it, has ended."""
    cluster = opened()
    behind = holders.backend(metadata={"name": "other"}, spec={"selector": {"app": "other"}})
    inside = {"url": None, "networks": None, "service": {"name": "other", "port": 8443}}
    cluster.answer(behind, rest_service(spec={"backend": inside}))
    cluster.settle(NOW)
    assert len(policy(cluster)["egress"]) == 3
    cluster.take_back("Service", HOLDER, REGISTER)
    cluster.settle(NOW)
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    cluster.settle(NOW + DAY)
    selectors = [rule["to"][0]["podSelector"]["matchLabels"] for rule in policy(cluster)["egress"]]
    assert {"app": "other"} not in selectors
    assert holders.SELECTOR in selectors


def test_networks_that_a_holder_takes_out_are_left_while_the_use_is_held() -> None:
    cluster = opened()
    change(cluster, "WebServiceGrant", HOLDER, "addresses", {"spec": {"credentials": 7}})
    networks = ["2001:db8:7::/48", "198.51.100.0/24"]
    cluster.answer(rest_service(spec={"backend": {"networks": networks}}))
    cluster.settle(NOW)
    (rule,) = way_of(cluster, ADDRESSES)
    assert rule["to"] == [{"ipBlock": {"cidr": "2001:db8:7::/48"}}], "and nothing new is opened"
    cluster.forget()
    cluster.settle(NOW)
    assert not cluster.log


@pytest.mark.parametrize("text", ["[" * 100_000, "7", "{}", '[7, {"to": 7, "ports": 7}]', "no JSON"])
def test_a_memory_that_somebody_wrote_opens_nothing_and_breaks_nothing(text: str) -> None:
    cluster = opened()
    change(cluster, *HELD[PERSONS])
    cluster.objects[CONFIG_MAP]["metadata"]["annotations"][names.EGRESS_ANNOTATION] = text
    cluster.settle(NOW)
    assert not way_of(cluster, PERSONS)
    assert way_of(cluster, ADDRESSES)


def test_a_memory_that_somebody_widened_opens_nothing() -> None:
    cluster = opened()
    before = policy(cluster)
    change(cluster, *HELD[PERSONS])
    everywhere = '[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443, "protocol": "TCP"}]}]'
    cluster.objects[CONFIG_MAP]["metadata"]["annotations"][names.EGRESS_ANNOTATION] = everywhere
    cluster.settle(NOW)
    assert [rule for rule in policy(cluster)["egress"] if rule not in before["egress"]] == []


# credentials


def with_credentials() -> AskingCluster:
    cluster = opened()
    cluster.answer(holders.grant(spec={"credentials": {"secretName": "key"}}))
    cluster.settle(NOW)
    assert names.CREDENTIALS_ANNOTATION in cluster.objects[CONFIG_MAP]["metadata"]["annotations"]
    cluster.take_back("Service", HOLDER, REGISTER)
    cluster.settle(NOW)
    cluster.forget()
    return cluster


def test_credentials_are_taken_back_while_the_use_is_held() -> None:
    cluster = with_credentials()
    data = cluster.objects[CONFIG_MAP]["data"]
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    assert steps(cluster) == [("DeleteNamed", "Secret"), ("Update", "ConfigMap")]
    binding = cluster.objects[CONFIG_MAP]
    assert names.CREDENTIALS_ANNOTATION not in binding["metadata"]["annotations"]
    assert binding["data"] == data
    assert way_of(cluster, PERSONS)


def test_credentials_of_a_grant_that_cannot_be_read_stay() -> None:
    cluster = with_credentials()
    change(cluster, *UNREAD["grant"])
    cluster.settle(NOW)
    assert not cluster.log


# what ends goes first


def test_a_way_ends_before_anything_that_could_fail() -> None:
    cluster = opened()
    cluster.take_back("WebServiceGrant", HOLDER, "addresses")
    del cluster.objects["PodDisruptionBudget", NAMESPACE, NAME]
    first, *others = decide(cluster.world(), NOW, POLICY).actions
    assert isinstance(first, Update)
    assert target_of(first).name == access_policy(NAME)
    assert not [rule for rule in first.manifest["spec"]["egress"] if "ipBlock" in rule["to"][0]]
    assert [target_of(one).kind for one in others] == ["ConfigMap", "PodDisruptionBudget"], "and once"


@pytest.mark.parametrize("kept", ["addresses", None])
def test_what_ends_does_not_wait_for_a_finalizer_that_somebody_took_off(kept: str | None) -> None:
    """Whoever fills the EService up to what can be stored keeps it from coming back, for ever."""
    cluster = opened()
    cluster.objects[cluster.service_place]["metadata"]["finalizers"] = []
    for grant in set(ENDS.values()) - {kept}:
        cluster.take_back("WebServiceGrant", HOLDER, grant)
    actions = decide(cluster.world(), NOW, POLICY).actions
    at = next(place for place, one in enumerate(actions) if isinstance(one, SetFinalizer))
    assert {target_of(one).kind for one in actions[:at]} >= {"NetworkPolicy", "ConfigMap"}
    assert not [one for one in actions[at:] if isinstance(one, Delete | DeleteNamed)]
    assert target_of(actions[0]).name == access_policy(NAME)


def test_what_opens_in_exchange_is_written_in_its_own_turn() -> None:
    cluster = opened()
    cluster.answer(rest_service(spec={"backend": {"networks": ["192.0.2.0/28", "198.51.100.0/24"]}}))
    found = [
        one.manifest["spec"]["egress"]
        for one in decide(cluster.world(), NOW, POLICY).actions
        if isinstance(one, Update) and target_of(one).name == access_policy(NAME)
    ]
    blocks = [
        [peer["ipBlock"]["cidr"] for rule in one for peer in rule["to"] if "ipBlock" in peer] for one in found
    ]
    assert blocks == [["192.0.2.0/28"], ["192.0.2.0/28", "198.51.100.0/24"]]
    cluster.settle(NOW)
    cluster.answer(
        rest_service(spec={"backend": {"networks": ["192.0.2.0/28", "203.0.113.0/24"]}}), rest_grant()
    )
    cluster.settle(NOW)
    assert way_of(cluster, ADDRESSES)[0]["to"][1] == {"ipBlock": {"cidr": "203.0.113.0/24"}}


def test_what_two_lists_of_rules_have_in_common() -> None:
    def rule(peers: str, *ports: int) -> Manifest:
        return {"to": [{"podSelector": {"matchLabels": {"app": one}}} for one in peers], "ports": list(ports)}

    assert within([rule("ab", 1)], [rule("ab", 1)], OUT) == (rule("ab", 1),)
    assert within([rule("ab", 1, 2)], [rule("b", 2, 3)], OUT) == (rule("b", 2),)
    assert within([rule("a", 1)], [rule("a", 2), rule("b", 1)], OUT) == ()
    assert within([rule("a", 1)], [rule("a", 1, 2), rule("a", 1)], OUT) == (rule("a", 1),)
    assert within([{}, {"to": rule("a", 1)["to"]}], [rule("a", 1)], OUT) == (), "without ports: to everything"
