# SPDX-License-Identifier: Apache-2.0
"""What makes an object ours where others may write: either of two marks; of a route its name and a trace."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from eservice_operator.api import names
from eservice_operator.cluster.indexes import INDEXES, OWNER
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.ownership import is_managed, is_ours
from eservice_operator.cluster.resources import CHILDREN
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Delete, Manifest, Update
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import OWNED_BY, Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import BY_INGRESS, NAME, NAMESPACE, NOTICED, NOW, POLICY, ROUTE, ROUTES

KEY = ObjectKey("EService", NAMESPACE, NAME)
ROUTE_PLACE = ("HTTPRoute", ROUTES, ROUTE)
SCALED = {"workload": {"autoscaling": {"minReplicas": 1, "maxReplicas": 2, "cpuPercent": 70}}}
BESIDE = {resource.kind for resource in CHILDREN} - {"HTTPRoute", "ConfigMap", "Role", "RoleBinding"}
"""The children of an e-service that uses nobody's web services."""
PAUSED = {"paused": {"reason": "maintenance"}}
WRITTEN = [{"manager": names.MANAGER, "operation": "Apply", "time": "2026-10-12T08:00:00Z", "fieldsV1": {}}]
"""The trace of our writing, which the API server keeps on every object."""


def published(policy: Policy, **spec: object) -> PureCluster:
    """An e-service that is public, at rest."""
    cluster = PureCluster(policy=policy)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    if spec:
        cluster.edit_service(**spec)
    cluster.settle(NOW)
    return cluster


@pytest.fixture
def routed() -> PureCluster:
    """One that a Gateway serves, with the trace of our writing on its route."""
    cluster = published(NOTICED)
    cluster.objects[ROUTE_PLACE]["metadata"]["managedFields"] = WRITTEN
    return cluster


def stored(cluster: PureCluster) -> Store:
    store = Store(INDEXES)
    for number, body in enumerate(cluster.objects.values()):
        kept = copy.deepcopy(body)
        kept["metadata"] = {"uid": f"uid-of-{number}"} | kept["metadata"] | {"resourceVersion": "5"}
        store.upsert(slim(kept))
    return store


def seen(cluster: PureCluster) -> World:
    """The world as it is read from a store."""
    world = Observer(stored(cluster), cluster.policy).eservice(KEY)
    assert isinstance(world, World)
    return world


def decided(cluster: PureCluster) -> Decision:
    return decide(seen(cluster), NOW, cluster.policy)


def updates(cluster: PureCluster) -> list[Update]:
    return [one for one in decided(cluster).actions if isinstance(one, Update)]


def without_a_trace(route: Manifest) -> None:
    for trace in ("labels", "annotations", "managedFields"):
        del route["metadata"][trace]
    route.pop("writtenAt", None)


@pytest.mark.parametrize("policy", [BY_INGRESS, POLICY])
def test_either_mark_proves_of_every_child_beside_the_eservice_that_it_is_ours(policy: Policy) -> None:
    cluster = published(policy, **SCALED)
    children = [one for one in cluster.objects.values() if one["metadata"].get("ownerReferences")]
    other_drivers = "Ingress" if policy is POLICY else "ReferenceGrant"
    assert {one["kind"] for one in children} == BESIDE - {other_drivers}
    for desired in children:
        for kept in ("labels", "ownerReferences"):
            live = copy.deepcopy(desired)
            live["metadata"] = {"name": live["metadata"]["name"], kept: live["metadata"][kept]}
            assert is_managed(live), live["kind"]
            assert is_ours(live, desired), live["kind"]
            other = copy.deepcopy(desired)
            other["metadata"]["labels"][names.OWNER_UID_LABEL] = "another"
            assert not is_ours(live, other), live["kind"]
        bare = copy.deepcopy(desired)
        bare["metadata"] = {"name": bare["metadata"]["name"]}
        assert not is_managed(bare), bare["kind"]
        assert not is_ours(bare, desired), bare["kind"]


@pytest.mark.parametrize("kind", OWNED_BY)
def test_a_child_of_whatever_owner_is_that_owners_by_either_mark(kind: str) -> None:
    owner = Owner(NAMESPACE, "someone", "uid-1", kind)
    desired = owner.child("v1", "ConfigMap", "child", {"data": {"type": "webservice"}})
    assert desired["metadata"]["labels"][OWNED_BY[kind]] == "someone"
    assert desired["metadata"]["ownerReferences"][0]["kind"] == kind
    for kept in ("labels", "ownerReferences"):
        live = copy.deepcopy(desired)
        live["metadata"] = {"name": "child", "namespace": NAMESPACE, kept: live["metadata"][kept]}
        assert is_managed(live), kept
        assert is_ours(live, desired), kept
        live["metadata"] |= {"uid": "u", "resourceVersion": "1"}
        store = Store(INDEXES)
        store.upsert(slim(live))
        assert store.by_index("ConfigMap", OWNER, "uid-1"), kept
        assert not store.by_index("ConfigMap", OWNER, "uid-2"), kept


def test_a_reference_to_a_kind_that_has_no_children_is_no_mark() -> None:
    desired = Owner(NAMESPACE, "someone", "uid-1").child("v1", "ConfigMap", "child", {})
    live = copy.deepcopy(desired)
    del live["metadata"]["labels"]
    live["metadata"]["ownerReferences"][0]["kind"] = "AcceptanceAct"
    assert not is_managed(live)
    assert not is_ours(live, desired)


@pytest.mark.parametrize("kind", sorted(BESIDE - {"Ingress"}))
def test_a_child_without_labels_is_found_by_its_owner_and_gets_them_back(kind: str) -> None:
    cluster = published(POLICY, **SCALED)
    assert not decided(cluster).actions
    del cluster.one(kind)["metadata"]["labels"]
    (update,) = updates(cluster)
    assert update.manifest["kind"] == kind
    assert update.reason.startswith("metadata.labels.")


def test_a_route_without_labels_is_ours_by_its_name_and_our_trace(routed: PureCluster) -> None:
    assert not decided(routed).actions
    del routed.objects[ROUTE_PLACE]["metadata"]["labels"]
    assert not seen(routed).claims, "it is nobody else's"
    (update,) = updates(routed)
    assert (update.manifest["kind"], update.reason.split(":")[0]) == (
        "HTTPRoute",
        f"metadata.labels.{names.MANAGED_BY_LABEL}",
    )


@pytest.mark.parametrize("policy, action", [(NOTICED, Update), (POLICY, Delete)])
def test_it_leaves_with_a_pause(routed: PureCluster, policy: Policy, action: type) -> None:
    routed.policy = policy
    del routed.objects[ROUTE_PLACE]["metadata"]["labels"]
    routed.edit_service(publication=PAUSED)
    decision = decided(routed)
    assert isinstance(decision.actions[0], action), decision.actions
    assert not decision.rollout.serves


def test_nothing_is_published_by_taking_the_labels_off_a_notice(routed: PureCluster) -> None:
    routed.edit_service(publication=PAUSED)
    routed.settle(NOW)
    routed.objects[ROUTE_PLACE]["metadata"]["managedFields"] = WRITTEN
    assert routed.face() is Face.NOTICE
    del routed.objects[ROUTE_PLACE]["metadata"]["labels"]
    del routed.objects["AcceptanceAct", "", "act-1"]
    routed.edit_service(publication={"paused": None})
    decision = decided(routed)
    assert decision.facts.face is Face.NOTICE
    assert decision.rollout.face is Face.NOTICE


@pytest.mark.parametrize(
    "namespace, name, ours",
    [(NAMESPACE, NAME, True), (NAMESPACE, "shop", False), ("shop", NAME, False), (None, NAME, False)],
)
def test_by_that_name_a_route_that_leads_to_the_eservice_is_ours_whoever_wrote_it(
    routed: PureCluster, namespace: str | None, name: str, ours: bool
) -> None:
    route = routed.objects[ROUTE_PLACE]
    without_a_trace(route)
    backend = {"name": name, "port": 80} | ({"namespace": namespace} if namespace else {})
    route["spec"]["rules"] = [{"backendRefs": [backend]}]
    assert is_managed(route) is ours
    world = seen(routed)
    assert (("HTTPRoute", ROUTE) in world.children) is ours
    assert [str(claim.owner) for claim in world.claims] == ([] if ours else [f"HTTPRoute {ROUTES}/{ROUTE}"])


def test_by_another_name_it_is_not(routed: PureCluster) -> None:
    route = routed.objects.pop(ROUTE_PLACE)
    without_a_trace(route)
    route["metadata"]["name"] = "shop"
    routed.objects["HTTPRoute", ROUTES, "shop"] = route
    assert not is_managed(route)
    assert [str(claim.owner) for claim in seen(routed).claims] == [f"HTTPRoute {ROUTES}/shop"]


def test_another_eservices_route_without_labels_is_still_that_eservices(routed: PureCluster) -> None:
    route = routed.objects.pop(ROUTE_PLACE)
    del route["metadata"]["labels"]
    route["metadata"]["name"] = "shop.sales"
    routed.objects["HTTPRoute", ROUTES, "shop.sales"] = route
    assert [str(claim.owner) for claim in seen(routed).claims] == ["EService shop/sales"]
    route["metadata"]["name"] = "shop.sales.preview"
    assert not seen(routed).claims, "a preview is no claim"


def test_what_is_left_of_one_that_is_gone_is_known_without_labels(routed: PureCluster) -> None:
    del routed.objects[ROUTE_PLACE]["metadata"]["labels"]
    observer = Observer(stored(routed), replace(POLICY))
    assert not seen(routed).leftovers, "of one that is there it is the route"
    assert [left.ref.name for left in observer.orphans(KEY)] == [ROUTE]
    labels = {names.OWNER_UID_LABEL: "uid-of-an-earlier-one"}
    routed.objects[ROUTE_PLACE]["metadata"]["labels"] = labels
    assert [left.ref.name for left in seen(routed).leftovers] == [ROUTE]
    desired: Manifest = copy.deepcopy(routed.objects[ROUTE_PLACE])
    desired["metadata"]["labels"] = {names.OWNER_UID_LABEL: worlds.eservice()["metadata"]["uid"]}
    assert not is_ours(routed.objects[ROUTE_PLACE], desired)
