# SPDX-License-Identifier: Apache-2.0
"""What an e-service has while nobody can tell whether it may have it: what it had, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.uses import Use
from eservice_operator.core.access.case import AgentCase
from eservice_operator.core.access.connections import connection_of
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest
from tests.core.access.register import agents_register, times
from tests.support import holders
from tests.support.asking import AskingCluster, agent_in_order, asking, customer, holder_in_order, through
from tests.support.holders import HOLDER, REGISTER
from tests.support.worlds import DAY, NAME, NOW, merged

CITIZENS = through() | {"name": "citizens"}
PMLP = {"name": "PMLP", "code": "90000054163", "since": "2026-09-01"}
PERSONS, THROUGH = (binding_of(NAME, Use.model_validate(use)) for use in (holders.USE, CITIZENS))


def role(grant: str, resource: str = "webservices/v5") -> Manifest:
    """What a grant gave the right to."""
    uid = holders.body("WebServiceGrant", grant, HOLDER)["metadata"]["uid"]
    owner = {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "WebServiceGrant",
        "name": grant,
        "uid": uid,
    }
    body = holders.body("Role", f"grant.{grant}", HOLDER, "rbac.authorization.k8s.io/v1")
    rule = {
        "apiGroups": ["eservice.dev"],
        "resources": [resource],
        "resourceNames": [REGISTER],
        "verbs": ["invoke"],
    }
    return dict(merged(body, {"metadata": {"ownerReferences": [owner]}})) | {"rules": [rule]}


def consumer() -> AskingCluster:
    """The e-service with a web service of its own and one through an agent, both open, and public."""
    cluster = asking(holders.USE, CITIZENS)
    cluster.answer(*holder_in_order(), *agent_in_order(), role("address"), role("evry-connection"))
    cluster.answer(holders.assignment(spec={"customers": [PMLP]}))
    cluster.settle(NOW)
    assert cluster.routed()
    assert set(cluster.of_kind("ConfigMap")) == {PERSONS, THROUGH}
    cluster.forget()
    return cluster


def change(cluster: AskingCluster, kind: str, namespace: str, name: str, patch: Any) -> None:
    place = kind, namespace, name
    if place in cluster.around:
        cluster.answer(dict(merged(cluster.around[place], patch)))
    else:
        cluster.objects[place] = dict(merged(cluster.objects[place], patch))  # its status, too


UNSAID: Manifest = {"conditions": [], "namespaces": []}
UNREAD: dict[str, tuple[str, str, str, Any]] = {
    "web service": ("WebService", HOLDER, REGISTER, {"spec": {"contracts": 7}}),
    "grant": ("WebServiceGrant", HOLDER, "address", {"spec": {"validUntil": 7, "credentials": 7}}),
    "the agent's grant": ("WebServiceGrant", HOLDER, "evry-connection", {"spec": {"credentials": 7}}),
    "assignment": ("AgentAssignment", HOLDER, "evry", {"spec": {"customers": 7}}),
    "test": ("ConnectionTest", "", "passed", {"spec": {"passedAt": 7}}),
    "registration without a status": ("EServiceRegistration", "", NAME, {"status": UNSAID}),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_is_open_stays_as_it_is(what: str) -> None:
    cluster = consumer()
    change(cluster, *UNREAD[what])
    cluster.settle(NOW)
    assert not cluster.log
    said = cluster.reason(ConditionType.ACCESS_GRANTED)
    assert said is not None
    assert said[0] == "True"


def test_a_service_that_is_made_anew_takes_nothing() -> None:
    cluster = consumer()
    cluster.take_back("Service", HOLDER, REGISTER)
    cluster.settle(NOW)
    assert not cluster.log


@pytest.mark.parametrize("what", UNREAD)
def test_nothing_new_comes_of_it(what: str) -> None:
    cluster = asking(holders.USE, CITIZENS)
    cluster.answer(*holder_in_order(), *agent_in_order())
    cluster.answer(holders.assignment(spec={"customers": [PMLP]}))
    if what == "test":
        cluster.take_back("WebServiceGrant", holders.HOLDER_TEST, "address")
    change(cluster, *UNREAD[what])
    cluster.settle(NOW)
    closed = {
        "web service": {PERSONS, THROUGH},
        "grant": {PERSONS},
        "test": {PERSONS},
        "the agent's grant": {THROUGH},
        "assignment": {THROUGH},
        "registration without a status": {PERSONS, THROUGH},
    }
    assert not closed[what] & set(cluster.of_kind("ConfigMap"))


def test_what_ends_takes_what_it_opened_whatever_else_cannot_be_read() -> None:
    cluster = consumer()
    change(cluster, *UNREAD["web service"])
    change(cluster, "WebServiceGrant", HOLDER, "address", {"spec": {"refused": {"reason": "no ground"}}})
    cluster.settle(NOW)
    assert set(cluster.of_kind("ConfigMap")) == {THROUGH}
    ended = {"at": "2026-10-01", "reason": "the agreement ended"}
    change(cluster, "AgentAssignment", HOLDER, "evry", {"spec": {"ended": ended}})
    cluster.settle(NOW)
    assert not cluster.of_kind("ConfigMap")


def test_an_assignment_that_is_gone_is_not_unread() -> None:
    cluster = consumer()
    cluster.take_back("AgentAssignment", HOLDER, "evry")
    cluster.settle(NOW)
    assert set(cluster.of_kind("ConfigMap")) == {PERSONS}


def test_an_agent_keeps_the_customer_whose_registration_cannot_be_read() -> None:
    cluster = asking(holders.AS_AGENT)
    agent = {"name": "PMLP", "code": "90000054163"}
    cluster.answer(*holder_in_order(), holders.assignment(spec={"agent": agent}), role("address"))
    cluster.answer(holders.grant(spec={"agent": {"assignment": "evry"}}))
    cluster.answer(*customer())
    order = customer()[0]
    owner = {"kind": "EService", "apiVersion": "eservice.dev/v1alpha1", "name": order["metadata"]["name"]}
    owner["uid"] = order["metadata"]["uid"]
    use = Use.model_validate(order["spec"]["uses"][0])
    name = binding_of(order["metadata"]["name"], use)
    binding = holders.body("ConfigMap", name, order["metadata"]["namespace"], "v1")
    cluster.answer(dict(merged(binding, {"metadata": {"ownerReferences": [owner]}})))
    cluster.settle(NOW)
    before = cluster.of_kind("NetworkPolicy")[f"access.{NAME}"]["spec"]["ingress"]
    assert before
    change(cluster, "EServiceRegistration", "", order["spec"]["registration"], {"spec": {"institution": 7}})
    cluster.settle(NOW)
    assert cluster.of_kind("NetworkPolicy")[f"access.{NAME}"]["spec"]["ingress"] == before
    cluster.take_back("ConfigMap", order["metadata"]["namespace"], name)
    cluster.settle(NOW)
    assert not cluster.of_kind("NetworkPolicy").get(f"access.{NAME}", {}).get("spec", {}).get("ingress")


def test_a_connection_is_looked_for_once_an_instant() -> None:
    """A hundred orders ask for it: each by itself, they took a hundred times as long."""
    agent: AgentCase = agents_register().assigned().agent
    found = connection_of(agent, times())
    assert found is not None
    assert connection_of(agent, times()) is found
    assert connection_of(agent, times(NOW + DAY)) is not found
    assert len(agent.connected) == 1
