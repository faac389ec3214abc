# SPDX-License-Identifier: Apache-2.0
"""Clusters without the Gateway API: an Ingress beside the e-service, what it cannot do, and the way over."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.cluster.freshness import takes_off
from eservice_operator.core.actions import Create, Manifest, Update
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.driver import Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.ingress_driver import IngressDriver
from eservice_operator.core.manifests import let_in
from eservice_operator.core.outside_in import question_of
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.world import Observed
from tests.core.strategies_worlds import good_clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, plain
from tests.support.worlds import BY_INGRESS, HOST, NAME, NAMESPACE, NOTICED, NOW, POLICY, PREVIEWED

GOLDEN = Path(__file__).parent / "golden_ingress.yaml"
URL = f"https://{HOST}/"
PAUSE = {"paused": {"reason": "maintenance"}}
few = settings(max_examples=max(1, settings().max_examples // 3))


@pytest.fixture
def public(cluster: PureCluster) -> PureCluster:
    """An e-service that an Ingress serves, at rest."""
    cluster.policy = BY_INGRESS
    cluster.settle(NOW)
    return cluster


@pytest.fixture
def routed(cluster: PureCluster) -> PureCluster:
    """An e-service that a Gateway serves, at rest."""
    cluster.settle(NOW)
    cluster.forget()
    return cluster


def change_to(cluster: PureCluster, policy: Policy) -> None:
    cluster.policy = policy
    cluster.settle(NOW)


def close_a_gate(cluster: PureCluster) -> None:
    later = {"creationTimestamp": "2026-10-13T08:00:00Z"}
    cluster.put(
        worlds.verification(
            "later", metadata=later, spec={"outcome": "Failed", "verifiedAt": "2026-10-13T08:00:00Z"}
        )
    )


def published(cluster: PureCluster) -> str:
    condition = find(cluster.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    return condition.message


def let_in_by(cluster: PureCluster) -> list[str]:
    """The namespaces that the NetworkPolicy lets in; none where there are no Pods."""
    return [
        namespace
        for body in cluster.of_kind("NetworkPolicy").values()
        for namespace in let_in(Observed(body))
    ]


def routes(cluster: PureCluster) -> set[str]:
    return {kind for kind, _, _ in cluster.objects if kind in ("HTTPRoute", "Ingress")}


# what it does


def test_the_ingress_is_what_its_file_says(public: PureCluster, request: pytest.FixtureRequest) -> None:
    sent = next(
        one.manifest for one in public.log if isinstance(one, Create) and one.manifest["kind"] == "Ingress"
    )
    text = yaml.safe_dump(plain(sent), sort_keys=True, allow_unicode=True, width=100)
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text


def test_it_publishes_and_says_what_that_is_worth(public: PureCluster) -> None:
    assert routes(public) == {"Ingress"}
    assert (public.phase(), public.status.public_url) == (Phase.PUBLISHED, URL)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert published(public) == (
        f"the Ingress {NAME} of class outside is there, without an address, which some controllers never"
        " write; an Ingress controller does not say whether it serves it"
    )
    assert public.reason(ConditionType.HOST_PROTECTED) == ("False", Reason.INGRESS_TRUST)
    assert public.reason(ConditionType.ROUTE_SUPPORTED) is None
    assert public.reason(ConditionType.READY) == ("True", Reason.SUCCEEDED)


def test_an_address_is_said_and_is_no_more_than_that(public: PureCluster) -> None:
    """Measured: one controller writes it whatever the Ingress leads to, another never does."""
    public.one("Ingress")["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    public.settle(NOW)
    assert published(public).startswith(f"the Ingress {NAME} of class outside is there, with an address;")
    assert published(public).endswith("does not say whether it serves it")
    public.forget()
    public.one("Ingress")["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}]}}
    public.settle(NOW)
    assert not public.statuses, "which one it is, is not written down"


def test_a_class_that_is_not_there_serves_nothing_and_takes_nothing_off(public: PureCluster) -> None:
    public.missing_class = "outside"
    public.settle(NOW)
    assert routes(public) == {"Ingress"}
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.INGRESS_CLASS_NOT_FOUND)
    assert published(public) == f"the Ingress {NAME} is there, and its IngressClass outside does not exist"
    assert public.phase() is Phase.INSTALLING
    assert [note.reason for note in public.told if note.type == "Warning"] == ["IngressClassNotFound"]
    assert public.reason(ConditionType.READY) == ("False", Reason.INGRESS_CLASS_NOT_FOUND)
    assert public.status.public_url is None
    public.edit_service(publication=PAUSE)
    public.settle(NOW)
    assert routes(public) == set(), "nor does it hold up what takes it off"
    public.missing_class = ""
    public.edit_service(publication={"paused": None})
    public.settle(NOW)
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)


def test_a_gateway_asks_for_no_class(routed: PureCluster) -> None:
    routed.missing_class = "outside"
    routed.settle(NOW)
    assert routed.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)


def test_it_needs_no_gateway(public: PureCluster) -> None:
    assert not public.of_kind("ReferenceGrant")
    assert "finalizers" not in public.objects[public.service_place]["metadata"]
    (ingress,) = public.one("NetworkPolicy")["spec"]["ingress"]
    namespaces = [one["namespaceSelector"]["matchLabels"] for one in ingress["from"]]
    assert namespaces == [{names.NAMESPACE_NAME_LABEL: "traefik"}]


def test_a_pause_deletes_it_and_its_end_creates_it(public: PureCluster) -> None:
    public.forget()
    public.edit_service(publication=PAUSE)
    public.settle(NOW)
    assert public.writes() == {"Delete Ingress": 1}
    assert (public.phase(), public.status.public_url) == (Phase.PAUSED, None)
    assert public.reason(ConditionType.HOST_PROTECTED) is None
    public.edit_service(publication={"paused": None})
    public.settle(NOW)
    assert public.writes() == {"Delete Ingress": 1, "Create Ingress": 1}
    assert public.phase() is Phase.PUBLISHED


def test_a_gate_that_closes_holds_back_a_change_and_not_what_runs(public: PureCluster) -> None:
    close_a_gate(public)
    public.settle(NOW)
    assert public.face() is Face.LIVE
    public.edit_service(publication=PAUSE)
    public.settle(NOW)
    public.edit_service(publication={"paused": None})
    public.settle(NOW)
    assert public.face() is Face.NOTHING
    assert public.gates() == [Gate.VERIFIED]


def test_somebody_elses_edit_is_put_right(public: PureCluster) -> None:
    public.vandalise(("Ingress", NAMESPACE, NAME), spec={"defaultBackend": {"service": {"name": "theirs"}}})
    public.settle(NOW)
    assert "defaultBackend" not in public.one("Ingress")["spec"]


def test_it_goes_first_where_a_foreign_finalizer_holds_the_e_service(public: PureCluster) -> None:
    public.objects[public.service_place]["metadata"]["finalizers"] = ["somebody.example/f"]
    public.remove(public.service_place)
    public.settle(NOW)
    assert not public.of_kind("Ingress")


def test_what_it_cannot_do_is_refused_and_named(public: PureCluster) -> None:
    public.edit_service(publication={"gateway": {"namespace": "edge", "name": "other"}})
    change_to(public, replace(BY_INGRESS, preview=PREVIEWED.preview))
    said = find(public.status.conditions, ConditionType.ROUTE_SUPPORTED)
    assert said is not None
    assert (said.status, said.reason) == ("False", Reason.NOT_WITH_INGRESS)
    assert said.message == (
        "an Ingress cannot do it: a Gateway of its own (spec.publication.gateway),"
        " a preview of the candidate (--preview-gateway)"
    )
    public.edit_service(publication={"gateway": None})
    change_to(public, PREVIEWED)
    assert public.reason(ConditionType.ROUTE_SUPPORTED) is None
    assert public.reason(ConditionType.HOST_PROTECTED) is None


@pytest.mark.parametrize("name", ["other", POLICY.gateway.name])
def test_a_gateway_of_its_own_has_one_reason_everywhere(cluster: PureCluster, name: str) -> None:
    """Who asks for another entrance is not let in by this one; what is public stays."""
    cluster.policy = BY_INGRESS
    chosen = {"namespace": POLICY.gateway.namespace, "name": name}
    cluster.edit_service(publication={"gateway": chosen})
    cluster.settle(NOW)
    assert routes(cluster) == set()
    (gate,) = cluster.status.gates
    assert (gate.gate, gate.reason) == (Gate.HOST_ALLOWED, Reason.NOT_WITH_INGRESS)
    assert cluster.reason(ConditionType.PUBLISHED) == ("False", Reason.NOT_WITH_INGRESS)
    assert cluster.reason(ConditionType.ROUTE_SUPPORTED) == ("False", Reason.NOT_WITH_INGRESS)
    cluster.edit_service(publication={"gateway": None})
    cluster.settle(NOW)
    cluster.edit_service(publication={"gateway": chosen})
    cluster.settle(NOW)
    assert routes(cluster) == {"Ingress"}
    assert cluster.reason(ConditionType.READY) == ("True", Reason.NOT_WITH_INGRESS)


REDIRECT = "nginx.ingress.kubernetes.io/permanent-redirect"
ISSUER = "cert-manager.io/cluster-issuer"


def annotate(cluster: PureCluster, *keys: str) -> None:
    """As others do: their writing is not ours, and an apply of ours leaves it alone."""
    cluster.one("Ingress")["metadata"]["annotations"] |= dict.fromkeys(keys, "https://elsewhere.example")


@pytest.mark.parametrize("allowed", [(), (ISSUER,), ("cert-manager.io/*",), ("*",)])
def test_annotations_of_others_go_unless_the_settings_name_them(
    cluster: PureCluster, allowed: tuple[str, ...]
) -> None:
    change_to(cluster, replace(BY_INGRESS, ingress_annotations=allowed))
    before = set(cluster.one("Ingress")["metadata"]["annotations"])
    cluster.forget()
    annotate(cluster, REDIRECT, ISSUER)
    cluster.settle(NOW)
    kept = {REDIRECT, ISSUER} if allowed == ("*",) else {ISSUER} if allowed else set()
    gone = sorted({REDIRECT, ISSUER} - kept)
    assert set(cluster.one("Ingress")["metadata"]["annotations"]) - before == kept
    assert list(cluster.status.removed_annotations) == gone
    told = [(one.reason, one.type) for one in cluster.told]
    assert told == ([("AnnotationsRemoved", "Warning")] if gone else [])
    assert cluster.phase() is Phase.PUBLISHED
    cluster.forget()
    annotate(cluster, *gone)
    cluster.settle(NOW)
    assert not cluster.statuses, "each name is told once"
    cluster.edit_service(publication=PAUSE)
    cluster.settle(NOW)
    assert not cluster.status.removed_annotations


def test_of_many_annotations_the_first_are_listed(public: PureCluster) -> None:
    annotate(public, *(f"a.example/{number:02}" for number in range(20)))
    public.settle(NOW)
    annotate(public, REDIRECT)
    public.settle(NOW)
    assert list(public.status.removed_annotations) == [f"a.example/{number:02}" for number in range(16)]


def test_a_stranger_s_annotation_holds_up_no_pause(public: PureCluster) -> None:
    annotate(public, REDIRECT)
    public.edit_service(publication=PAUSE)
    public.forget()
    public.settle(NOW)
    assert public.writes() == {"Delete Ingress": 1}


@few
@given(good_clusters(), instants())
def test_none_takes_what_is_nobodys(cluster: PureCluster, now: datetime) -> None:
    """A rule without a host, or a default backend, would answer for every host of the controller."""
    cluster.policy = BY_INGRESS
    for action in decide(cluster.world(), now, cluster.policy).actions:
        if isinstance(action, Create | Update) and action.manifest["kind"] == "Ingress":
            spec = action.manifest["spec"]
            assert "defaultBackend" not in spec
            assert spec["rules"]
            assert all(rule["host"] for rule in spec["rules"])


def test_it_shows_nothing_but_an_e_service_under_its_hosts(cluster: PureCluster) -> None:
    owner, release = Owner(NAMESPACE, NAME, "uid"), snapshot_of(cluster.service)
    for shown in (Shown(Face.NOTICE, release), Shown(Face.LIVE, replace(release, hosts=()))):
        with pytest.raises(ValueError, match="under its hosts"):
            IngressDriver(BY_INGRESS).build(owner, shown)


# from the one to the other


def test_an_ingress_comes_beside_the_former_route_until_somebody_deletes_that(routed: PureCluster) -> None:
    """Nobody says whether an Ingress is served, nor where DNS leads."""
    close_a_gate(routed)
    change_to(routed, BY_INGRESS)
    assert routes(routed) == {"Ingress", "HTTPRoute"}, "what was public still is: no gate takes it off"
    assert published(routed).split("; ")[2] == (
        f"the HTTPRoute {NAMESPACE}.{NAME} of before serves it too, until somebody deletes it"
    )
    assert routed.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert routed.reason(ConditionType.RECONCILING) is None, "it waits for people, and holds nobody up"
    del routed.objects["HTTPRoute", POLICY.routes_namespace, f"{NAMESPACE}.{NAME}"]
    routed.settle(NOW)
    assert routes(routed) == {"Ingress"}
    assert "of before" not in published(routed)
    assert let_in_by(routed) == ["traefik"]
    assert all(status.public_url == URL for status in routed.statuses)


def test_both_routes_go_at_once_where_the_e_service_is_off(routed: PureCluster) -> None:
    change_to(routed, BY_INGRESS)
    assert routes(routed) == {"Ingress", "HTTPRoute"}
    routed.edit_service(publication=PAUSE)
    routed.settle(NOW)
    assert routes(routed) == set()


def test_whoever_serves_a_former_route_is_let_in_as_long_as_it_is_there(public: PureCluster) -> None:
    public.gateway_refuses = "NoMatchingParent"
    change_to(public, POLICY)
    assert routes(public) == {"HTTPRoute", "Ingress"}
    assert let_in_by(public) == ["gateway-system", "traefik"]
    public.gateway_refuses = ""
    public.settle(NOW)
    assert routes(public) == {"HTTPRoute"}
    assert let_in_by(public) == ["gateway-system"]


@few
@given(good_clusters(), instants(), st.sampled_from([POLICY, NOTICED, BY_INGRESS]))
def test_whatever_is_called_served_is_let_in(cluster: PureCluster, now: datetime, after: Policy) -> None:
    """A change of the driver cuts nobody off, whichever route serves in the end."""
    cluster.settle(now)
    was_in = let_in_by(cluster)
    said = cluster.reason(ConditionType.PUBLISHED)
    before, cluster.policy = cluster.policy, after
    cluster.gateway_refuses = "NoMatchingParent"
    cluster.settle(now)
    facts = decide(cluster.world(), now, after).facts
    if facts.former is not None and before.publish_by is not after.publish_by and said is not None:
        assert set(was_in) <= set(let_in_by(cluster))


def test_a_gateway_takes_over_once_it_serves(public: PureCluster) -> None:
    public.gateway_answers = False
    public.forget()
    change_to(public, POLICY)
    assert routes(public) == {"HTTPRoute", "Ingress"}
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.AWAITING_GATEWAY)
    assert published(public).endswith(f"until then the Ingress {NAME} of before serves it")
    assert public.reason(ConditionType.RECONCILING) == ("True", Reason.AWAITING_GATEWAY)
    public.gateway_answers = True
    public.settle(NOW)
    assert routes(public) == {"HTTPRoute"}
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert all(status.public_url == URL for status in public.statuses)


def test_a_gateway_that_refuses_is_quoted_and_the_ingress_stays(public: PureCluster) -> None:
    public.gateway_refuses = "NoMatchingParent"
    change_to(public, POLICY)
    assert routes(public) == {"HTTPRoute", "Ingress"}
    assert "NoMatchingParent" in published(public)
    assert public.reason(ConditionType.READY) == ("False", Reason.AWAITING_GATEWAY)


def test_a_gate_keeps_it_from_the_gateway_and_leaves_it_where_it_is(public: PureCluster) -> None:
    """What lies in the e-service's namespace is no proof that it passed."""
    close_a_gate(public)
    change_to(public, replace(POLICY, probed=True))
    assert routes(public) == {"Ingress"}
    assert public.status.public_url == URL
    assert question_of(decide(public.world(), NOW, public.policy)) is None, "it answers, and should"
    assert published(public) == (
        f"the Ingress {NAME} of before serves it; it gets no HTTPRoute before it passes: Verified"
    )
    public.edit_service(publication=PAUSE)
    public.settle(NOW)
    assert routes(public) == set()
    assert public.phase() is Phase.PAUSED


@pytest.mark.parametrize("policies", [(POLICY, BY_INGRESS), (NOTICED, BY_INGRESS), (BY_INGRESS, POLICY)])
def test_what_is_off_leaves_nothing_behind(policies: tuple[Policy, Policy], cluster: PureCluster) -> None:
    before, after = policies
    change_to(cluster, before)
    assert routes(cluster)
    cluster.policy = after
    cluster.edit_service(publication=PAUSE)
    cluster.settle(NOW)
    assert routes(cluster) == set()


def test_the_end_of_a_notice_needs_no_other_route(cluster: PureCluster) -> None:
    change_to(cluster, NOTICED)
    cluster.edit_service(publication=PAUSE)
    cluster.settle(NOW)
    assert routes(cluster) == {"HTTPRoute"}
    change_to(cluster, BY_INGRESS)
    assert routes(cluster) == set()


def test_to_take_a_former_route_off_is_a_grave_step_and_to_replace_it_is_not(routed: PureCluster) -> None:
    routed.policy = BY_INGRESS
    taking = copy.deepcopy(routed)
    taking.edit_service(publication=PAUSE)
    assert takes_off(decide(taking.world(), NOW, BY_INGRESS))
    first = routed.reconcile(NOW)
    assert first is not None
    assert not takes_off(first)


def test_an_ingress_that_anybody_wrote_opens_no_gate(cluster: PureCluster) -> None:
    """Its label is no memory: else whoever may write Ingresses would pass by every gate onto the Gateway."""
    close_a_gate(cluster)
    cluster.settle(NOW)
    assert cluster.gates() == [Gate.VERIFIED]
    forged: Manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "uid": "forged",
            "labels": {
                names.OWNER_UID_LABEL: cluster.objects[cluster.service_place]["metadata"]["uid"],
                names.SHOWS_LABEL: "Live",
            },
        },
        "spec": {"rules": [{"host": "another.latvija.example"}]},
    }
    cluster.objects["Ingress", NAMESPACE, NAME] = forged
    cluster.settle(NOW)
    assert not cluster.of_kind("HTTPRoute")
    assert cluster.status.public_url is None
    assert cluster.reason(ConditionType.PUBLISHED) == ("False", Reason.VERIFICATION_FAILED)
