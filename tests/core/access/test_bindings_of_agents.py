# SPDX-License-Identifier: Apache-2.0
"""R9: an agent's application lets in its customers, as long as the holder lists them, and nobody else."""

from __future__ import annotations

import pytest

from eservice_operator.api import names
from eservice_operator.core.actions import Manifest
from tests.core.access.bound import (
    CITIZENS,
    application,
    consumer,
    own_assignment,
    peers,
    policy,
    unread,
)
from tests.support import holders, worlds
from tests.support.asking import (
    agent_in_order,
    asking,
    customer,
    holder_in_order,
    registered,
)
from tests.support.worlds import NOW


def test_a_customer_that_leaves_is_let_in_no_more_and_the_other_is() -> None:
    cluster = application()
    assert peers(cluster) == ["cesis-production/cesis", "ogre-production/ogre"]
    cluster.answer(own_assignment(customers=[]))
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis"]
    assert cluster.one("ConfigMap")["data"]["customers"] == "90000031048"


def test_who_orders_and_is_not_listed_is_not_let_in() -> None:
    cluster = application()
    cluster.answer(*customer("liepaja", "liepaja-production", "90000063185"))
    cluster.settle(NOW)
    assert not cluster.log


@pytest.mark.parametrize("uses", [(holders.USE,), (holders.USE, holders.AS_AGENT | {"asAgent": "other"})])
def test_nobody_is_made_an_agents_application_by_a_holder(uses: tuple[Manifest, ...]) -> None:
    """A holder that lists whom it likes, and grants a consumer as the agent, opens no way to its Pods."""
    cluster = asking(*uses)
    cluster.answer(*holder_in_order(), own_assignment())
    cluster.answer(*customer(), *customer("cesis", "cesis-production", "90000031048"))
    cluster.settle(NOW)
    cluster.forget()
    cluster.answer(holders.grant("second", spec={"agent": {"assignment": "evry"}}))
    cluster.settle(NOW)
    assert not cluster.log
    assert peers(cluster) == []
    assert all("customers" not in body["data"] for body in cluster.of_kind("ConfigMap").values())


def test_customers_come_to_one_application_only() -> None:
    """Where grants let in two for one assignment, customers are led to that of the older."""
    cluster = application()
    older = {"metadata": {"creationTimestamp": "2026-01-01T08:00:00Z"}}
    others = {(one["kind"], one["metadata"]["name"]): one for one in agent_in_order()}
    others["WebServiceGrant", "evry-connection"] = worlds.merged(
        others["WebServiceGrant", "evry-connection"], older
    )
    others["AgentAssignment", "evry"] = own_assignment()
    others["EServiceRegistration", "gateway"] = registered(
        "gateway", "evry-production", "PMLP", "90000054163"
    )
    cluster.answer(*others.values())
    cluster.settle(NOW)
    assert peers(cluster) == []
    assert cluster.one("ConfigMap")["data"]["customers"] == ""


def test_the_end_of_the_assignment_ends_all_that_came_through_it() -> None:
    cluster = application()
    cluster.answer(own_assignment(ended={"at": "2026-10-13", "reason": "over"}))
    cluster.settle(NOW)
    assert not policy(cluster)
    assert not cluster.of_kind("ConfigMap")


def test_a_customer_is_led_to_the_application_and_not_to_the_register() -> None:
    cluster = consumer(CITIZENS)
    (rule,) = policy(cluster)["egress"]
    (peer,) = rule["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {names.NAMESPACE_NAME_LABEL: "evry-production"}
    assert peer["podSelector"]["matchLabels"] == {names.ESERVICE_LABEL: "gateway"}
    cluster.take_back("Service", "evry-production", "gateway")
    cluster.settle(NOW)
    assert not policy(cluster), "no Pods are known"


def test_a_spec_that_cannot_be_read_lets_no_new_customer_in() -> None:
    cluster = unread(application())
    listed = [
        {"name": name, "code": code, "since": "2026-09-01"}
        for name, code in (("Ogre", "90000024455"), ("Liepāja", "90000063185"))
    ]
    cluster.answer(
        own_assignment(customers=listed),
        *customer("liepaja", "liepaja-production", "90000063185"),
    )
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis", "ogre-production/ogre"]
    cluster.answer(own_assignment(customers=[]))
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis"]


def test_an_application_that_is_being_deleted_connects_nobody() -> None:
    cluster = consumer(CITIZENS)
    agents = next(one for one in agent_in_order() if one["kind"] == "EService")
    deleted = {"deletionTimestamp": "2026-10-01T00:00:00Z", "finalizers": ["tenant.example/hold"]}
    cluster.answer(worlds.merged(agents, {"metadata": deleted}))
    cluster.settle(NOW)
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)


def test_a_customer_that_is_being_deleted_is_let_in_no_more() -> None:
    cluster = application()
    leaving = customer()[0]
    deleted = {"deletionTimestamp": "2026-10-01T00:00:00Z", "finalizers": ["tenant.example/hold"]}
    cluster.answer(worlds.merged(leaving, {"metadata": deleted}))
    cluster.settle(NOW)
    peers = policy(cluster)["ingress"][0]["from"]
    assert [one["namespaceSelector"]["matchLabels"] for one in peers] == [
        {"kubernetes.io/metadata.name": "cesis-production"}
    ]
    (binding,) = cluster.of_kind("ConfigMap").values()
    assert binding["data"]["customers"] == "90000031048"
