# SPDX-License-Identifier: Apache-2.0
"""Which Ingress is our own, where tenants may write labels: by name and owner, as well as by label."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime

import pytest

from eservice_operator.api import names
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.api.seen import Answered
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.ownership import is_managed, is_ours
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Delete, Outcome, Update
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import Policy
from eservice_operator.core.report import report
from eservice_operator.core.sightings import PATIENCE, Sighting, Witnessed
from eservice_operator.core.transitions import notes
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import BY_INGRESS, HOST, NAME, NAMESPACE, NOW, POLICY, at

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


def make_theirs(cluster: PureCluster) -> None:
    """Take off all that says that it is ours; it goes on leading to the e-service."""
    for kept in ("labels", "ownerReferences"):
        cluster.objects[PLACE]["metadata"][kept] = {} if kept == "labels" else []
    cluster.objects[PLACE]["metadata"]["uid"] = "uid-theirs"


def taken_off_by(cluster: PureCluster, what: str) -> datetime:
    """Take it off by what may; answers when it is off."""
    if what == "pause":
        cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
        return NOW
    if what == "suspension":
        suspended = {"reason": "an incident", "since": "2026-10-13"}
        cluster.edit(("EServiceRegistration", "", NAME), spec={"suspended": suspended})
        return NOW
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    cluster.settle(at("2026-11-01"))
    return at("2027-06-02")


def reported(cluster: PureCluster, now: datetime) -> EServiceStatus:
    decision = decide(seen(cluster), now, BY_INGRESS)
    return report(decision, Outcome(()))


def said(status: EServiceStatus, kind: ConditionType) -> tuple[str, str, str]:
    condition = find(status.conditions, kind)
    assert condition is not None
    return condition.status.value, condition.reason, condition.message


@pytest.mark.parametrize("what", ["pause", "suspension", "R8"])
def test_what_is_off_and_not_ours_to_take_off_is_said_and_is_not_final(
    public: PureCluster, what: str
) -> None:
    now = taken_off_by(public, what)
    make_theirs(public)
    public.contenders = seen(public).contenders
    public.settle(now)
    decision = decide(seen(public), now, BY_INGRESS)
    assert not decision.actions, "it is not deleted"
    status = reported(public, now)
    stands, reason, message = said(status, ConditionType.PUBLISHED)
    assert (stands, reason) == ("Unknown", Reason.INGRESS_NOT_OURS)
    lead = {"pause": "paused by", "suspension": "suspended by", "R8": "unpublished by UnpublishDecision"}[
        what
    ]
    assert message.startswith(lead)
    assert f"Ingress {NAMESPACE}/{NAME} is there and is not ours to take off" in message
    assert said(status, ConditionType.STALLED)[1] == Reason.NAME_COLLISION
    assert said(status, ConditionType.READY)[:2] == ("False", Reason.NAME_COLLISION)
    assert status.phase is (Phase.UNPUBLISHED if what == "R8" else Phase.PAUSED)
    assert "NameCollision" in [note.reason for note in notes(EServiceStatus(), status)]
    del public.objects[PLACE]
    after = reported(public, now)
    assert said(after, ConditionType.PUBLISHED)[0] == "False"
    assert find(after.conditions, ConditionType.STALLED) is None


def test_what_answers_from_outside_is_the_graver_word(public: PureCluster) -> None:
    taken_off_by(public, "pause")
    make_theirs(public)
    known = Sighting(Answered.UNMARKED, 200, NOW)
    looked = Witnessed(Face.NOTHING, 0, NOW - PATIENCE, {HOST: known})
    policy = replace(BY_INGRESS, probed=True)
    status = report(decide(replace(seen(public), sightings=looked), NOW, policy), Outcome(()))
    assert said(status, ConditionType.PUBLISHED)[:2] == ("Unknown", Reason.STILL_ANSWERS)
    assert said(status, ConditionType.STALLED)[1] == Reason.NAME_COLLISION


def test_one_of_that_name_for_other_hosts_leaves_a_pause_final(public: PureCluster) -> None:
    taken_off_by(public, "pause")
    make_theirs(public)
    public.objects[PLACE]["spec"]["rules"][0]["host"] = "another.example"
    assert said(reported(public, NOW), ConditionType.PUBLISHED)[:2] == ("False", Reason.PAUSED)


def test_while_it_is_on_the_collision_is_named(public: PureCluster) -> None:
    make_theirs(public)
    public.settle(NOW)
    assert public.reason(ConditionType.STALLED) == ("True", Reason.NAME_COLLISION)
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.NAME_COLLISION)
