# SPDX-License-Identifier: Apache-2.0
"""Which Ingress is our own, where tenants may write labels: by name and owner, as well as by label."""

from __future__ import annotations

import copy

import pytest

from eservice_operator.api import names
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.sight import is_managed, is_ours
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Delete, Manifest, Update
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import BY_INGRESS, NAME, NAMESPACE, NOW, POLICY

KEY = ObjectKey("EService", NAMESPACE, NAME)
PLACE = ("Ingress", NAMESPACE, NAME)


@pytest.fixture
def public() -> PureCluster:
    """An e-service that an Ingress serves, at rest."""
    cluster = PureCluster(policy=BY_INGRESS)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(NOW)
    return cluster


def seen(cluster: PureCluster, *, listed: bool = False, policy: Policy = BY_INGRESS) -> World:
    """The world as it is read from a store; ``listed`` once it knows all IngressClasses."""
    store = Store(INDEXES)
    if listed:
        store.mark_synced("IngressClass")
    for number, body in enumerate(cluster.objects.values()):
        stored = copy.deepcopy(body)
        stored["metadata"] = {"uid": f"uid-of-{number}"} | stored["metadata"] | {"resourceVersion": "5"}
        store.upsert(slim(stored))
    world = Observer(store, policy).eservice(KEY)
    assert isinstance(world, World)
    return world


def decided(cluster: PureCluster) -> Decision:
    return decide(seen(cluster), NOW, BY_INGRESS)


@pytest.mark.parametrize("gone", [names.OWNER_UID_LABEL, names.MANAGED_BY_LABEL])
def test_it_is_our_own_without_a_label_and_leaves_with_a_pause(public: PureCluster, gone: str) -> None:
    del public.objects[PLACE]["metadata"]["labels"][gone]
    (update,) = [one for one in decided(public).actions if isinstance(one, Update)]
    assert (update.manifest["kind"], update.reason.split(":")[0]) == ("Ingress", f"metadata.labels.{gone}")
    public.edit_service(publication={"paused": {"reason": "maintenance"}})
    (delete,) = [one for one in decided(public).actions if isinstance(one, Delete)]
    assert (delete.ref.kind, delete.ref.name) == ("Ingress", NAME)


@pytest.mark.parametrize("kept", ["labels", "ownerReferences"])
def test_either_proves_to_the_writer_that_it_is_ours(public: PureCluster, kept: str) -> None:
    desired = copy.deepcopy(public.objects[PLACE])
    live = copy.deepcopy(desired)
    live["metadata"] = {kept: live["metadata"][kept]}
    assert is_managed(live)
    assert is_ours(live, desired)
    desired["metadata"]["labels"][names.OWNER_UID_LABEL] = "another"
    assert not is_ours(live, desired)


def test_an_owner_reference_proves_nothing_of_any_other_kind(public: PureCluster) -> None:
    desired: Manifest = public.one("Service")
    live = copy.deepcopy(desired)
    del live["metadata"]["labels"]
    assert not is_managed(live)
    assert not is_ours(live, desired)


def test_labels_hide_no_other_ingress(public: PureCluster) -> None:
    assert not seen(public).contenders
    other = copy.deepcopy(public.objects[PLACE])
    other["metadata"] |= {"name": "shop", "uid": "uid-shop"}
    public.objects["Ingress", NAMESPACE, "shop"] = other
    assert [claim.owner.name for claim in seen(public).contenders] == ["shop"]


def test_a_class_is_missing_once_all_are_known(public: PureCluster) -> None:
    assert not seen(public).missing_class, "they were not listed yet"
    assert seen(public, listed=True).missing_class == "outside"
    assert not seen(public, listed=True, policy=POLICY).missing_class, "no Ingress publishes"
    there = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "outside"}}
    public.objects["IngressClass", "", "outside"] = there
    assert not seen(public, listed=True).missing_class
