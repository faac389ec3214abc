# SPDX-License-Identifier: Apache-2.0
"""An agent's application keeps the customers it has while nobody can tell whether they still are."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Manifest
from tests.core.access.bound import own_assignment, peers
from tests.core.access.test_unclear import UNREAD, change, role
from tests.support import holders
from tests.support.asking import CUSTOMER, AskingCluster, asking, customer, holder_in_order
from tests.support.holders import HOLDER
from tests.support.worlds import NOW, merged

CESIS = customer("cesis", "cesis-production", "90000031048")
PLACES = ["cesis-production/cesis", "ogre-production/ogre"]
USE = Use.model_validate(customer()[0]["spec"]["uses"][0])
ASSIGNMENT = UNREAD["assignment"]
UNCLEAR: dict[str, tuple[str, str, str, Any]] = {
    "web service": UNREAD["web service"],
    "grant": UNREAD["grant"],
    "assignment": ASSIGNMENT,
    "test": UNREAD["test"],
    "a customer": ("EService", CUSTOMER, "ogre", {"spec": {"workload": 7}}),
    "its registration": ("EServiceRegistration", "", "ogre", {"spec": {"institution": 7}}),
}


def owned(service: Manifest, body: Manifest) -> Manifest:
    """A child of an e-service of somebody else."""
    reference = {"apiVersion": "eservice.dev/v1alpha1", "kind": "EService", "controller": True}
    reference |= {field: service["metadata"][field] for field in ("name", "uid")}
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/owner-uid": reference["uid"]}
    return dict(merged(body, {"metadata": {"ownerReferences": [reference], "labels": labels}}))


def binding(service: Manifest) -> Manifest:
    metadata = service["metadata"]
    name = binding_of(metadata["name"], USE)
    return owned(service, holders.body("ConfigMap", name, metadata["namespace"], "v1"))


def release(cluster: AskingCluster, service: Manifest) -> Manifest:
    """A release of a customer that is remembered: the one of the application, with the customer's uses."""
    metadata, (known,) = service["metadata"], cluster.of_kind("ControllerRevision").values()
    body = holders.body("ControllerRevision", "remembered", metadata["namespace"], "apps/v1")
    data = known["data"] | {"uses": service["spec"]["uses"]}
    return owned(service, body | {"data": data, "revision": 1})


def serving() -> AskingCluster:
    """The e-service as an agent's application, with two customers that were let in, and have bindings."""
    cluster = asking(holders.AS_AGENT)
    cluster.answer(*holder_in_order(), own_assignment(), role("address"))
    cluster.answer(holders.grant(spec={"agent": {"assignment": "evry"}}))
    cluster.answer(*customer(), *CESIS)
    cluster.settle(NOW)
    for service in (customer()[0], CESIS[0]):
        cluster.answer(binding(service), release(cluster, service))
    cluster.settle(NOW)
    assert cluster.routed()
    assert peers(cluster) == PLACES
    cluster.forget()
    return cluster


@pytest.mark.parametrize("what", UNCLEAR)
def test_customers_stay_let_in(what: str) -> None:
    cluster = serving()
    if what == "test":
        cluster.take_back("WebServiceGrant", holders.HOLDER_TEST, "address")
    change(cluster, *UNCLEAR[what])
    cluster.settle(NOW)
    assert peers(cluster) == PLACES


def withdraws(cluster: AskingCluster) -> None:
    change(cluster, "EService", CUSTOMER, "ogre", {"spec": {"uses": []}})
    cluster.take_back("ControllerRevision", CUSTOMER, "remembered")


def leaves(cluster: AskingCluster) -> None:
    held = {"deletionTimestamp": "2026-10-01T00:00:00Z", "finalizers": ["tenant.example/hold"]}
    change(cluster, "EService", CUSTOMER, "ogre", {"metadata": held})


def loses_its_place(cluster: AskingCluster) -> None:
    change(cluster, "EServiceRegistration", "", "ogre", {"spec": {"namespaces": []}})


def has_no_binding(cluster: AskingCluster) -> None:
    cluster.take_back("ConfigMap", CUSTOMER, binding(customer()[0])["metadata"]["name"])


@pytest.mark.parametrize("end", [withdraws, leaves, loses_its_place, has_no_binding])
def test_what_can_be_read_of_a_customer_ends_it_while_the_assignment_cannot(end: Any) -> None:
    cluster = serving()
    change(cluster, *ASSIGNMENT)
    cluster.settle(NOW)
    end(cluster)
    cluster.settle(NOW)
    assert peers(cluster) == PLACES[:1]


def test_nobody_comes_by_an_assignment_that_cannot_be_read() -> None:
    cluster = serving()
    change(cluster, *ASSIGNMENT)
    others = customer("liepaja", "liepaja-production", "90000063185")
    cluster.answer(*others, binding(others[0]), release(cluster, others[0]))
    cluster.settle(NOW)
    assert not cluster.log


def test_an_assignment_that_is_gone_lets_nobody_in() -> None:
    cluster = serving()
    cluster.take_back("AgentAssignment", HOLDER, "evry")
    cluster.settle(NOW)
    assert peers(cluster) == []
