# SPDX-License-Identifier: Apache-2.0
"""One child that cannot be written keeps nothing else of an e-service from being put right, or taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.actions import Create, Delete, Manifest, SetFinalizer, goes_on, target_of
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.difference import first_difference
from tests.core.test_public_record import SERVICE, lead, lead_edited, other, public_name
from tests.core.test_switching import LATER, name_candidate, sign, verify
from tests.support import worlds
from tests.support.pure_cluster import Place, PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE, merged

BLOCKED = ("ServiceAccount", "PodDisruptionBudget", "NetworkPolicy")
POLICY = "NetworkPolicy", NAMESPACE, NAME
MINE = {"selector": {"app": "mine"}}


def block(cluster: PureCluster, kind: str) -> None:
    """Somebody takes off a child all that says whose it is: it is a stranger in the child's place."""
    place = kind, NAMESPACE, NAME
    bare = {"labels": None, "ownerReferences": None, "uid": f"foreign-{kind}"}
    cluster.objects[place] = merged(cluster.objects[place], {"metadata": bare})


def is_as(cluster: PureCluster, place: Place, before: Manifest) -> bool:
    return first_difference({"spec": before["spec"]}, cluster.objects[place]) is None


@pytest.mark.parametrize("kind", BLOCKED)
def test_a_child_that_is_blocked_keeps_no_other_from_being_put_right(public: PureCluster, kind: str) -> None:
    before = {place: public.objects[place] for place in (SERVICE, POLICY)}
    deployment = next(place for place in public.objects if place[0] == "Deployment")
    before[deployment] = public.objects[deployment]
    block(public, kind)
    public.vandalise(SERVICE, spec=MINE)
    public.vandalise(deployment, spec={"template": {"spec": {"containers": []}}})
    if kind != "NetworkPolicy":
        public.vandalise(POLICY, spec={"egress": [{}]})
    public.settle(LATER)
    for place, body in before.items():
        assert place == (kind, NAMESPACE, NAME) or is_as(public, place, body), place
    assert public.reason(ConditionType.STALLED) == ("True", "NameCollision")
    stalled = find(public.status.conditions, ConditionType.STALLED)
    assert stalled is not None
    assert kind in stalled.message, "and it is told"


@pytest.mark.parametrize("kind", BLOCKED)
@pytest.mark.parametrize("gone", ["Service", "Deployment", "NetworkPolicy"])
def test_what_is_public_is_made_again_beside_a_child_that_is_blocked(
    public: PureCluster, kind: str, gone: str
) -> None:
    (place,) = [place for place in public.objects if place[0] == gone]
    before = public.objects.pop(place)
    if gone != kind:
        block(public, kind)
        public.settle(LATER)
        assert is_as(public, place, before)
        assert public.public_letter() == "a"


@pytest.mark.parametrize("kind", BLOCKED)
def test_a_new_release_waits_for_a_child_that_is_blocked(public: PureCluster, kind: str) -> None:
    name_candidate(public)
    sign(public)
    block(public, kind)
    public.settle(LATER)
    assert public.replicas() == {"a": 2}, "it is not even installed"


@pytest.mark.parametrize("lead_away", [lead, lead_edited, None])
@pytest.mark.parametrize("kind", BLOCKED)
def test_a_switch_waits_and_what_leads_elsewhere_does_not(
    public: PureCluster, kind: str, lead_away: object
) -> None:
    """The Service is put right as the one of the release that is public, whatever is about to be that."""
    name_candidate(public)
    sign(public)
    public.settle(LATER)
    verify(public)
    before = public.objects[SERVICE]
    public.pods_start = False
    for deployment in public.of_kind("Deployment").values():
        deployment["status"] |= {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}
        deployment["status"] |= {"availableReplicas": 2}
        deployment["spec"]["replicas"] = 2
    block(public, kind)
    if callable(lead_away):
        lead_away(public, other(public, "c"))
        assert not is_as(public, SERVICE, before)
    assert public_name(public) == before["spec"]["selector"][names.RELEASE_LABEL]
    public.settle(LATER)
    assert is_as(public, SERVICE, before)
    assert public.public_letter() == "a"
    public.objects.pop((kind, NAMESPACE, NAME))
    public.settle(LATER + timedelta(minutes=1))
    assert public.public_letter() == "b"


@pytest.mark.parametrize("kind", BLOCKED)
def test_the_public_route_is_left_beside_a_child_that_is_blocked(public: PureCluster, kind: str) -> None:
    block(public, kind)
    public.edit_service(publication={"paused": {"reason": "maintenance"}})
    public.settle(LATER)
    assert not public.routed()
    public.edit_service(publication={"paused": None})
    public.settle(LATER + DAY)
    assert not public.routed(), "and nothing comes back onto it before that is mended"
    public.objects.pop((kind, NAMESPACE, NAME))
    public.settle(LATER + DAY)
    assert public.routed()


def test_a_new_configuration_waits_for_what_is_before_it(public: PureCluster) -> None:
    """A Deployment that is refused is no memory, and the Service goes on leading to the port of before."""
    public.edit_service(workload={"port": 9090})
    actions = decide(public.world(), LATER, public.policy).actions
    waiting = [target_of(one).kind for one in actions if not goes_on(one)]
    assert waiting == ["Deployment", "ControllerRevision", "Service", "ControllerRevision"]
    assert isinstance(actions[-1], Delete)


def test_the_finalizer_is_there_before_a_route_and_nothing_else_waits_for_it(cluster: PureCluster) -> None:
    cluster.settle(worlds.NOW)
    written = [one for one in cluster.log if isinstance(one, SetFinalizer | Create)]
    at = next(place for place, one in enumerate(written) if isinstance(one, SetFinalizer))
    assert target_of(written[at + 1]).kind == "HTTPRoute"
    cluster.objects[cluster.service_place]["metadata"]["finalizers"] = []
    cluster.vandalise(SERVICE, spec=MINE)
    kinds = [target_of(one).kind for one in decide(cluster.world(), LATER, cluster.policy).actions]
    assert kinds == ["Service", "EService"]
