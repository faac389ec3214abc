# SPDX-License-Identifier: Apache-2.0
"""Which Gateway serves an e-service, where the Agency lets it choose; and one that is silent or not there."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import Condition
from eservice_operator.api.reasons import ConditionType, Phase
from eservice_operator.core.actions import Action, Update, target_of
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.faces import Face
from eservice_operator.core.gateway_driver import gateway_of
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.releases import read_snapshot
from eservice_operator.core.world import Observed
from tests.core.strategies_worlds import decisions, instants, maybe, publications, registrations, several
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NAMESPACE, NOTICED, NOW, POLICY, at

LATER = at("2026-10-20")
PUBLIC, PARTNER = POLICY.gateway, GatewayRef("partner-system", "partner")
CHOICE = {"namespace": "partner-system", "name": "partner"}
ALLOWING = replace(POLICY, allowed_gateways=(PARTNER,))


def parent(cluster: PureCluster) -> dict[str, Any]:
    (ref,) = cluster.one("HTTPRoute")["spec"]["parentRefs"]
    return dict(ref)


def published(cluster: PureCluster) -> Condition:
    condition = find(cluster.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    return condition


def sources(cluster: PureCluster) -> list[str]:
    """The namespaces that may send requests to its Pods."""
    (rule,) = cluster.one("NetworkPolicy")["spec"]["ingress"]
    return [
        source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for source in rule["from"]
    ]


@pytest.mark.parametrize(
    "allowed, chosen, admitted",
    [
        (PARTNER, PARTNER, True),
        (PARTNER, GatewayRef("partner-system", "partner", "https"), True),
        (PARTNER, GatewayRef("partner-system", "other"), False),
        (PARTNER, GatewayRef("elsewhere", "partner"), False),
        (GatewayRef("partner-system", "partner", "https"), PARTNER, False),
        (
            GatewayRef("partner-system", "partner", "https"),
            GatewayRef("partner-system", "partner", "http"),
            False,
        ),
    ],
)
def test_who_may_use_a_gateway_may_use_each_of_its_listeners(
    allowed: GatewayRef, chosen: GatewayRef, admitted: bool
) -> None:
    assert replace(POLICY, allowed_gateways=(allowed,)).allows(chosen) is admitted
    assert POLICY.allows(PUBLIC)


def test_an_allowed_gateway_serves_in_the_place_of_the_public_one(cluster: PureCluster) -> None:
    cluster.policy = ALLOWING
    cluster.edit_service(publication={"gateway": CHOICE | {"section": "https"}})
    cluster.settle(NOW)
    assert parent(cluster) == GatewayRef("partner-system", "partner", "https").parent_ref()
    assert published(cluster).message == "served by Gateway partner-system/partner"
    assert sources(cluster) == ["gateway-system", "partner-system"]


def test_any_other_is_refused_by_a_gate_that_names_those_allowed(cluster: PureCluster) -> None:
    cluster.policy = ALLOWING
    cluster.edit_service(publication={"gateway": {"namespace": "kube-system", "name": "internal"}})
    cluster.settle(NOW)
    assert not cluster.of_kind("HTTPRoute")
    (gate,) = cluster.status.gates
    assert (gate.gate.value, gate.reason, gate.owner.value) == (
        "HostAllowed",
        "GatewayNotAllowed",
        "Institution",
    )
    assert gate.message == (
        "Gateway kube-system/internal is not one that the Agency allows:"
        " gateway-system/public, partner-system/partner"
    )


def test_a_public_one_moves_in_place_and_only_to_what_is_allowed(public: PureCluster) -> None:
    uid = public.one("HTTPRoute")["metadata"]["uid"]
    public.edit_service(publication={"gateway": CHOICE})
    public.settle(LATER)
    assert parent(public) == PUBLIC.parent_ref()
    assert public.gates() == ["HostAllowed"]
    assert published(public).status.value == "True", "what is public stays"
    public.policy = ALLOWING
    public.settle(LATER)
    assert parent(public) == PARTNER.parent_ref()
    assert public.one("HTTPRoute")["metadata"]["uid"] == uid
    assert not public.gates()
    public.edit_service(publication={"gateway": None})
    public.settle(LATER)
    assert parent(public) == PUBLIC.parent_ref()
    assert sources(public) == ["gateway-system"]


def test_a_move_waits_for_every_gate_as_a_change_of_hosts_does(public: PureCluster) -> None:
    public.policy = ALLOWING
    public.edit_service(publication={"gateway": CHOICE, "support": None})
    public.settle(LATER)
    assert public.gates() == ["Catalogued"]
    assert parent(public) == PUBLIC.parent_ref()


@pytest.mark.parametrize("policy", [POLICY, NOTICED], ids=["no notice page", "a notice page"])
def test_a_gateway_that_is_no_longer_allowed_keeps_what_it_serves_and_gets_nothing_new(
    cluster: PureCluster, policy: Any
) -> None:
    cluster.policy = replace(policy, allowed_gateways=(PARTNER,))
    cluster.edit_service(publication={"gateway": CHOICE})
    cluster.settle(NOW)
    cluster.policy = policy
    cluster.settle(LATER)
    assert parent(cluster) == PARTNER.parent_ref()
    assert cluster.gates() == ["HostAllowed"]
    assert cluster.routed()
    cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    cluster.settle(LATER)
    assert [parent(cluster)] == [PARTNER.parent_ref()] if policy.notice else not cluster.of_kind("HTTPRoute")
    cluster.edit_service(publication={"paused": None})
    cluster.settle(LATER)
    assert not cluster.routed(), "to come back it passes its gates"


def test_a_forged_snapshot_brings_no_route_to_a_gateway(public: PureCluster) -> None:
    forged = copy.deepcopy(next(iter(public.of_kind("ControllerRevision").values())))
    forged["metadata"] |= {"name": "forged", "uid": "uid-forged"}
    forged |= {"revision": 99, "data": forged["data"] | {"gateway": CHOICE}}
    public.objects["ControllerRevision", NAMESPACE, "forged"] = forged
    public.edit_service(productionRequest=None)
    public.settle(LATER)
    assert parent(public) == PUBLIC.parent_ref()


def test_a_snapshot_remembers_its_gateway(cluster: PureCluster) -> None:
    cluster.policy = ALLOWING
    cluster.edit_service(publication={"gateway": CHOICE})
    cluster.settle(NOW)
    data = cluster.one("ControllerRevision")["data"]
    assert data["gateway"] == CHOICE
    assert read_snapshot(data, 1).gateway == PARTNER
    with pytest.raises(ValueError, match="gateway"):
        read_snapshot(data | {"gateway": {"namespace": "A B"}}, 1)
    without = {key: value for key, value in data.items() if key != "gateway"}
    assert read_snapshot(without, 1).gateway is None


# a gateway that is silent, or not there


def test_silence_means_something_after_half_a_minute(cluster: PureCluster) -> None:
    cluster.gateway_answers = False
    decision = cluster.settle(NOW)
    assert published(cluster).reason == "AwaitingGateway"
    assert decision is not None
    assert decision.next_at == NOW + timedelta(seconds=30)
    cluster.settle(NOW + timedelta(seconds=29))
    assert published(cluster).reason == "AwaitingGateway"
    cluster.settle(NOW + timedelta(seconds=30))
    assert published(cluster).reason == "GatewayNotAnswering"
    assert published(cluster).message == (
        "Gateway gateway-system/public has not answered yet, for more than 30 s: does its controller run?"
    )
    ready = find(cluster.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status.value, ready.reason) == ("False", "GatewayNotAnswering")
    cluster.gateway_answers = True
    cluster.settle(LATER)
    assert published(cluster).reason == "Published"


def test_a_gateway_that_served_it_goes_on_serving_while_it_is_silent(public: PureCluster) -> None:
    public.gateway_answers = False
    public.edit_service(publication={"path": "/declare"})
    public.settle(LATER)
    public.settle(LATER + timedelta(minutes=1))
    assert (published(public).status.value, published(public).reason) == ("True", "GatewayNotAnswering")
    assert public.status.public_url == f"https://{HOST}/declare"


def test_a_gateway_that_is_not_there_serves_nothing_whatever_it_said(public: PureCluster) -> None:
    public.missing_gateways = frozenset({PUBLIC})
    public.settle(LATER)
    assert (published(public).status.value, published(public).reason) == ("False", "GatewayNotFound")
    assert published(public).message == "Gateway gateway-system/public does not exist"
    assert public.routed(), "the route stays, for when it comes back"
    assert public.phase() is Phase.INSTALLING, "nobody took it off"
    public.missing_gateways = frozenset()
    public.settle(LATER)
    assert published(public).status.value == "True"
    assert [note.reason for note in public.told] == ["GatewayNotFound", "Published"]


# what is to move to a gateway that is not there

NEXT = GatewayRef("gateway-system", "next")


def waiting(cluster: PureCluster, by: str) -> str:
    """Why its public route does not move; whether it is under way is the institution's to say."""
    ready = find(cluster.status.conditions, ConditionType.READY)
    stays = find(cluster.status.conditions, ConditionType.ROUTE_IN_PLACE)
    assert ready is not None
    assert stays is not None
    assert (ready.status.value, ready.reason) == ("False" if by == "choice" else "True", "GatewayNotFound")
    assert (find(cluster.status.conditions, ConditionType.RECONCILING) is not None) is (by == "choice")
    assert (stays.status.value, stays.reason) == ("False", "GatewayNotFound")
    assert stays.message in ready.message
    return stays.message.removeprefix("the public route cannot move: ")


@pytest.mark.parametrize(
    "target, missing, why",
    [
        (NEXT, NEXT, "Gateway gateway-system/next does not exist"),
        (replace(NEXT, section="https"), NEXT, "Gateway gateway-system/next does not exist"),
        (
            replace(NEXT, section="http"),
            replace(NEXT, section="http"),
            "Gateway gateway-system/next has no listener http",
        ),
        (
            replace(PUBLIC, section="http"),
            replace(PUBLIC, section="http"),
            "Gateway gateway-system/public has no listener http",
        ),
    ],
)
@pytest.mark.parametrize("by", ["setting", "choice"])
def test_what_is_public_stays_where_it_is_until_the_next_gateway_is_there(
    public: PureCluster, target: GatewayRef, missing: GatewayRef, why: str, by: str
) -> None:
    uid = public.one("HTTPRoute")["metadata"]["uid"]
    snapshots = set(public.of_kind("ControllerRevision"))
    public.missing_gateways = frozenset({missing})
    if by == "setting":
        public.policy = replace(public.policy, gateway=target)
    else:
        public.policy = replace(public.policy, allowed_gateways=(target,))
        public.edit_service(publication={"gateway": target.fields()})
    public.settle(LATER)
    assert parent(public) == PUBLIC.parent_ref()
    assert published(public).status.value == "True"
    assert published(public).reason == "Published"
    assert published(public).message == f"served by Gateway gateway-system/public; it cannot move: {why}"
    assert waiting(public, by) == why
    assert not public.gates()
    assert "gateway-system" in sources(public), "where its requests come from"
    public.missing_gateways = frozenset()
    public.settle(LATER)
    assert parent(public) == target.parent_ref()
    assert public.one("HTTPRoute")["metadata"]["uid"] == uid
    assert published(public).message == f"served by Gateway {target.namespace}/{target.name}"
    assert public.reason(ConditionType.READY) == ("True", "Succeeded")
    assert find(public.status.conditions, ConditionType.ROUTE_IN_PLACE) is None
    if by == "setting":
        assert set(public.of_kind("ControllerRevision")) == snapshots, "nothing of the wait is remembered"


@pytest.mark.parametrize("policy", [POLICY, NOTICED], ids=["no notice page", "a notice page"])
def test_every_face_is_shown_where_the_route_is_while_it_waits(cluster: PureCluster, policy: Any) -> None:
    cluster.policy = policy
    cluster.settle(NOW)
    cluster.policy, cluster.missing_gateways = replace(policy, gateway=NEXT), frozenset({NEXT})
    cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    cluster.settle(LATER)
    if policy.notice is None:
        assert not cluster.of_kind("HTTPRoute")
        assert published(cluster).message == "paused by the institution: maintenance"
        return
    assert cluster.face() is Face.NOTICE
    assert parent(cluster) == PUBLIC.parent_ref()
    assert published(cluster).message == (
        "paused by the institution: maintenance; the notice page is shown; it cannot move:"
        " Gateway gateway-system/next does not exist"
    )
    cluster.edit_service(publication={"paused": None, "path": "/declare"})
    cluster.settle(LATER)
    assert cluster.routed()
    assert parent(cluster) == PUBLIC.parent_ref()
    assert cluster.status.public_url == f"https://{HOST}/declare"


def test_that_it_cannot_move_is_told_beside_whatever_else_ready_says(public: PureCluster) -> None:
    public.policy, public.missing_gateways = replace(public.policy, gateway=NEXT), frozenset({NEXT})
    public.edit_service(template={"version": "9.9.9"})
    public.settle(LATER)
    assert public.reason(ConditionType.READY) != ("True", "GatewayNotFound")
    assert public.reason(ConditionType.ROUTE_IN_PLACE) == ("False", "GatewayNotFound")
    assert published(public).status.value == "True"


def test_neither_is_there(public: PureCluster) -> None:
    public.policy, public.missing_gateways = replace(public.policy, gateway=NEXT), frozenset({NEXT, PUBLIC})
    public.settle(LATER)
    assert parent(public) == PUBLIC.parent_ref()
    assert (published(public).status.value, published(public).reason) == ("False", "GatewayNotFound")
    assert published(public).message == (
        "Gateway gateway-system/public does not exist; it cannot move:"
        " Gateway gateway-system/next does not exist"
    )


def test_a_first_publication_waits_on_the_route_for_its_gateway(cluster: PureCluster) -> None:
    cluster.policy, cluster.missing_gateways = replace(POLICY, gateway=NEXT), frozenset({NEXT})
    cluster.settle(NOW)
    assert parent(cluster) == NEXT.parent_ref()
    assert (published(cluster).status.value, published(cluster).reason) == ("False", "GatewayNotFound")
    assert published(cluster).message == "Gateway gateway-system/next does not exist"


gateways = st.sampled_from([PUBLIC, NEXT, replace(PARTNER, section="https")])
BOTH = st.sampled_from([POLICY, NOTICED])


@st.composite
def public_ones(draw: st.DrawFn) -> PureCluster:
    """An e-service that went public in order; what was written since is not carried out yet."""
    cluster = PureCluster(policy=replace(draw(BOTH), allowed_gateways=(PARTNER,)))
    cluster.put(worlds.template(), worlds.registration(), worlds.act(), worlds.verification())
    cluster.put(worlds.eservice())
    cluster.settle(NOW)
    cluster.put(*draw(several(decisions, 1)))
    if draw(st.booleans()):
        cluster.put(draw(registrations()))
    chosen = draw(maybe(gateways))
    cluster.edit_service(
        publication=draw(publications()) | {"gateway": None if chosen is None else chosen.fields()}
    )
    return cluster


@given(public_ones(), instants(), gateways, st.frozensets(gateways))
def test_no_decision_moves_a_route_to_a_gateway_that_is_not_there(
    cluster: PureCluster, now: datetime, target: GatewayRef, missing: frozenset[GatewayRef]
) -> None:
    """And none that takes, or swaps what is shown, waits for a Gateway or differs by it in anything else."""
    policy, world = (
        replace(cluster.policy, gateway=target),
        replace(cluster.world(), missing_gateways=missing),
    )
    decision = decide(world, now, policy)
    free = decide(replace(world, missing_gateways=frozenset()), now, policy)
    assert decision.rollout.face is free.rollout.face
    swap, wanted = (_on_route(one) for one in (decision, free))
    if isinstance(swap, Update):
        moved = swap.manifest["spec"]["parentRefs"] != parents_of(cluster)
        assert not (moved and world.lacks(gateway_of(Observed(swap.manifest)) or target))
        assert isinstance(wanted, Update)
        assert _shown(swap) == _shown(wanted)
    elif isinstance(wanted, Update):
        assert decision.rollout.face is decision.facts.face, "only the move is left out"
    else:
        assert swap == wanted
    beside = ("HTTPRoute", "NetworkPolicy")
    others, wanted_others = (
        [action for action in one.actions if target_of(action).kind not in beside] for one in (decision, free)
    )
    assert others == wanted_others


def parents_of(cluster: PureCluster) -> Any:
    return cluster.one("HTTPRoute")["spec"]["parentRefs"]


def _on_route(decision: Decision) -> Action | None:
    return next((one for one in decision.actions if target_of(one).kind == "HTTPRoute"), None)


def _shown(swap: Update) -> dict[str, Any]:
    """All that the route shows, wherever it is; its hash is that of the whole."""
    spec = {key: value for key, value in swap.manifest["spec"].items() if key != "parentRefs"}
    return spec | {"labels": swap.manifest["metadata"]["labels"]}
