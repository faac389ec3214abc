# SPDX-License-Identifier: Apache-2.0
"""The candidate on a Gateway of its own: there while people look at it, and never for the public."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType, Gate, Reason
from eservice_operator.cluster.freshness import takes_off
from eservice_operator.core.actions import Delete, Manifest, SetFinalizer, target_of
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.driver import Serving
from eservice_operator.core.faces import Face
from eservice_operator.core.preview import preview_host, preview_serving
from tests.core.test_switching import name_candidate, sign, verify
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, PREVIEWED, ROUTES, at

LATER = at("2026-10-20")
PREVIEW_NAME = f"{NAMESPACE}.{NAME}.preview"
PREVIEW_HOST = f"{NAME}--{NAMESPACE}.preview.agency.example"
URL = f"https://{PREVIEW_HOST}/"
assert PREVIEWED.preview is not None


@pytest.fixture
def candidate(public: PureCluster) -> PureCluster:
    """Release a is public; b waits for its verification, and can be looked at."""
    public.policy = PREVIEWED
    public.settle(NOW)
    public.forget()
    name_candidate(public)
    sign(public)
    public.settle(LATER)
    assert public.gates() == [Gate.VERIFIED]
    return public


def preview_of(cluster: PureCluster) -> Manifest:
    found = cluster.preview()
    assert found is not None
    return found


def test_it_leads_to_the_candidate_on_its_own_gateway_and_host(candidate: PureCluster) -> None:
    body = preview_of(candidate)
    assert (body["metadata"]["namespace"], body["metadata"]["name"]) == (ROUTES, PREVIEW_NAME)
    (parent,) = body["spec"]["parentRefs"]
    assert (parent["namespace"], parent["name"]) == ("gateway-internal", "internal")
    assert body["spec"]["hostnames"] == [PREVIEW_HOST]
    (rule,) = body["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    assert (backend["namespace"], backend["name"], backend["port"]) == (NAMESPACE, f"{NAME}-candidate", 80)
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    grant = candidate.one("ReferenceGrant")
    assert [to["name"] for to in grant["spec"]["to"]] == [NAME, f"{NAME}-candidate"]
    (ingress,) = candidate.one("NetworkPolicy")["spec"]["ingress"]
    let_in = [one["namespaceSelector"]["matchLabels"][names.NAMESPACE_NAME_LABEL] for one in ingress["from"]]
    assert let_in == ["gateway-system", "gateway-internal"]


def test_the_public_route_is_not_touched(candidate: PureCluster) -> None:
    assert "Update HTTPRoute" not in candidate.writes()
    assert candidate.face() is Face.LIVE
    public = candidate.public_route()
    assert public is not None
    assert public["spec"]["parentRefs"] == [POLICY.gateway.parent_ref()]
    assert public["spec"]["rules"][0]["backendRefs"][0]["name"] == NAME


def test_who_verifies_reads_where(candidate: PureCluster) -> None:
    assert candidate.status.preview_url == URL
    assert candidate.reason(ConditionType.PREVIEWED) is None


def test_a_header_is_needed_as_well_where_one_is_set(candidate: PureCluster) -> None:
    preview = PREVIEWED.preview
    assert preview is not None
    candidate.policy = replace(PREVIEWED, preview=replace(preview, header=("X-Preview", "yes")))
    candidate.settle(LATER)
    (match,) = preview_of(candidate)["spec"]["rules"][0]["matches"]
    assert match["path"]["value"] == "/"
    assert match["headers"] == [{"type": "Exact", "name": "X-Preview", "value": "yes"}]


def test_a_first_release_is_previewed_before_anything_is_public(cluster: PureCluster) -> None:
    cluster.policy = PREVIEWED
    cluster.remove(("ProductionVerification", NAMESPACE, "verified-1"))
    decision = cluster.reconcile(NOW)
    assert decision is not None
    cluster.settle(NOW)
    assert cluster.status.preview_url == URL
    assert cluster.face() is Face.NOTHING
    assert cluster.one("ReferenceGrant")
    first = next(i for i, one in enumerate(cluster.log) if target_of(one).kind == "HTTPRoute")
    finalizer = next(i for i, one in enumerate(cluster.log) if isinstance(one, SetFinalizer))
    assert finalizer < first, "else a deletion between the two would leave the route behind"


def test_before_anything_is_public_nothing_is_left_that_lets_routes_in(cluster: PureCluster) -> None:
    cluster.policy = PREVIEWED
    cluster.remove(("ProductionVerification", NAMESPACE, "verified-1"))
    cluster.settle(NOW)
    assert cluster.of_kind("ReferenceGrant")
    cluster.policy = POLICY
    cluster.settle(LATER)
    assert cluster.of_kind("Deployment")
    assert not cluster.of_kind("ReferenceGrant")


def test_the_switch_takes_it_with_the_service_of_the_candidate(candidate: PureCluster) -> None:
    verify(candidate)
    candidate.forget()
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    assert candidate.preview() is None
    assert candidate.status.preview_url is None
    assert candidate.face() is Face.LIVE
    gone = [target_of(one).name for one in candidate.log if isinstance(one, Delete)]
    assert gone[:2] == [PREVIEW_NAME, f"{NAME}-candidate"]


def test_a_candidate_that_is_withdrawn_takes_it(candidate: PureCluster) -> None:
    name_candidate(candidate, "a")
    candidate.settle(LATER)
    assert candidate.preview() is None
    assert candidate.face() is Face.LIVE


def test_it_goes_with_the_setting(candidate: PureCluster) -> None:
    candidate.policy = POLICY
    candidate.settle(LATER)
    assert candidate.preview() is None
    assert candidate.status.preview_url is None
    assert [to["name"] for to in candidate.one("ReferenceGrant")["spec"]["to"]] == [NAME]


def test_a_deleted_e_service_takes_both_routes_before_its_finalizer(candidate: PureCluster) -> None:
    candidate.forget()
    candidate.remove(candidate.service_place)
    assert candidate.settle(LATER) is None
    assert not candidate.of_kind("HTTPRoute")
    assert candidate.writes() == {"Delete HTTPRoute": 2, "SetFinalizer EService": 1}
    assert isinstance(candidate.log[-1], SetFinalizer)


def test_what_an_earlier_one_left_behind_goes_before_a_new_one_comes(candidate: PureCluster) -> None:
    left = copy.deepcopy(preview_of(candidate))
    candidate.objects[candidate.service_place]["metadata"]["finalizers"] = []
    candidate.remove(candidate.service_place)
    candidate.put(
        worlds.eservice(metadata={"uid": "another"}, spec={"release": {"image": worlds.image("b")}})
    )
    candidate.settle(LATER)
    assert preview_of(candidate)["metadata"]["uid"] != left["metadata"]["uid"]


def test_a_gateway_that_refuses_is_quoted_and_holds_nothing_up(candidate: PureCluster) -> None:
    candidate.preview_refused = "NoMatchingListenerHostname"
    candidate.settle(LATER)
    said = find(candidate.status.conditions, ConditionType.PREVIEWED)
    assert said is not None
    assert (said.status, said.reason) == ("False", Reason.ROUTE_REFUSED)
    assert said.message.startswith("Gateway gateway-internal/internal: Accepted=False")
    assert "NoMatchingListenerHostname" in said.message
    assert candidate.status.preview_url is None
    assert candidate.reason(ConditionType.READY) == ("True", Reason.AWAITING_VERIFICATION)
    verify(candidate)
    candidate.settle(LATER)
    assert candidate.public_letter() == "b"
    assert candidate.reason(ConditionType.PREVIEWED) is None


def test_a_gateway_that_never_answers_for_it_is_no_longer_waited_for(candidate: PureCluster) -> None:
    """One that does not exist never will; and the public Gateway's word is none about it."""
    name = PREVIEW_NAME
    written = candidate.objects["HTTPRoute", ROUTES, name]
    written["status"] = {}
    written["writtenAt"] = "2026-10-20T09:00:00Z"
    candidate.gateway_answers = False
    start = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
    decision = decide(candidate.world(), start, candidate.policy)
    assert preview_serving(decision.facts) == Serving(
        served=False,
        reason=Reason.AWAITING_GATEWAY,
        message="Gateway gateway-internal/internal has not answered yet",
    )
    ends = start + timedelta(seconds=30)
    assert decision.next_at == ends, "it is looked at again when the patience ends"
    assert preview_serving(decide(candidate.world(), ends, candidate.policy).facts) == Serving(
        served=False,
        reason=Reason.GATEWAY_NOT_ANSWERING,
        message="Gateway gateway-internal/internal has not answered yet, for more than 30 s:"
        " does its controller run?",
    )


def test_a_gateway_that_does_not_exist_is_said_and_what_it_said_before_is_void(
    candidate: PureCluster,
) -> None:
    assert PREVIEWED.preview is not None
    assert str(candidate.status.preview_url) == URL
    candidate.missing_gateways = frozenset({PREVIEWED.preview.gateway})
    candidate.settle(LATER)
    said = find(candidate.status.conditions, ConditionType.PREVIEWED)
    assert said is not None
    assert (said.status, said.reason) == ("False", Reason.GATEWAY_NOT_FOUND)
    assert said.message == "Gateway gateway-internal/internal does not exist"
    assert not candidate.status.preview_url
    assert candidate.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    candidate.missing_gateways = frozenset()
    candidate.settle(LATER)
    assert candidate.status.preview_url == URL


def test_a_pause_of_the_public_leaves_it_to_those_who_verify(candidate: PureCluster) -> None:
    candidate.edit_service(publication={"paused": {"reason": "maintenance"}})
    candidate.settle(LATER)
    assert candidate.face() is Face.NOTHING
    assert candidate.status.preview_url == URL


def test_its_end_is_no_grave_step_and_the_end_of_the_public_route_is(candidate: PureCluster) -> None:
    """Only what the public sees is asked of the apiserver once more."""
    candidate.policy = POLICY
    ends = decide(candidate.world(), LATER, candidate.policy)
    assert [target_of(one).name for one in ends.actions if isinstance(one, Delete)] == [PREVIEW_NAME]
    assert not takes_off(ends)
    candidate.edit_service(publication={"paused": {"reason": "maintenance"}})
    assert takes_off(decide(candidate.world(), LATER, candidate.policy))


names_of_services = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
namespaces = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


@given(namespaces, names_of_services)
def test_its_host_is_a_name_that_dns_knows(namespace: str, name: str) -> None:
    label, _, domain = preview_host(namespace, name, "p.example").partition(".")
    assert domain == "p.example"
    assert 0 < len(label) <= 63
    assert label.strip("-") == label
    assert not label.startswith("xn--")


def test_no_two_e_services_share_one() -> None:
    parts = ("a", "b", "a--b", "b--a", "a-b", "xn", "a" * 40, "a" * 39 + "b")
    spaces = (*parts, "a" * 63, "a" * 62 + "b")
    places = list(product(spaces, parts))
    assert len({preview_host(*place, "p.example") for place in places}) == len(places)
    assert preview_host("pmlp", "address", "p.example") == "address--pmlp.p.example"
