# SPDX-License-Identifier: Apache-2.0
"""Which Gateway serves an e-service, where the Agency lets it choose; and one that is silent or not there."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eservice_operator.api.base import Condition
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.conditions import find
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.releases import read_snapshot
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
    public.missing_gateway = PUBLIC
    public.settle(LATER)
    assert (published(public).status.value, published(public).reason) == ("False", "GatewayNotFound")
    assert published(public).message == "Gateway gateway-system/public does not exist"
    assert public.routed(), "the route stays, for when it comes back"
    public.missing_gateway = None
    public.settle(LATER)
    assert published(public).status.value == "True"
