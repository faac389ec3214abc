# SPDX-License-Identifier: Apache-2.0
"""Who else has or wants a host: e-services, routes on our Gateway with and without wildcards, Ingresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from eservice_operator.api.contested import Standing
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.worlds import HOST, NAMESPACE, POLICY, ROUTE, ROUTES

KEY = ObjectKey("EService", NAMESPACE, worlds.NAME)
OUR_UID = str(worlds.eservice()["metadata"]["uid"])
PUBLIC = {"namespace": "gateway-system", "name": "public"}
INTERNAL = {"namespace": "gateway-system", "name": "internal"}
HTTPS_ONLY = [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}]
ELSEWHERE = [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "evil.example"}}]}]


def filled(*objects: Manifest) -> Store:
    store = Store(INDEXES)
    for obj in (worlds.eservice(), worlds.registration(), worlds.template(), *objects):
        store.upsert(slim(obj))
    return store


def seen(*objects: Manifest, gateway: GatewayRef = POLICY.gateway) -> World:
    world = Observer(filled(*objects), replace(POLICY, gateway=gateway)).eservice(KEY)
    assert isinstance(world, World)
    return world


def standings(*objects: Manifest, gateway: GatewayRef = POLICY.gateway) -> dict[str, str]:
    """How everybody stands to the host, by who it is."""
    world = seen(*objects, gateway=gateway)
    assert all(claim.standing.holds for claim in world.claims)
    assert not any(claim.standing.holds for claim in world.contenders)
    claims = (*world.claims, *world.contenders)
    assert {claim.host for claim in claims} <= {HOST}
    return {str(claim.owner): claim.standing.value for claim in claims}


def plain(api: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Manifest:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "5"}
    metadata |= {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def route(
    *hostnames: str,
    name: str = "shop",
    namespace: str = ROUTES,
    parent: dict[str, str] = PUBLIC,
    answered: dict[str, str] | None = None,
    reason: str = "Accepted",
    labels: dict[str, str] | None = None,
    rules: Sequence[Manifest] = ({"backendRefs": [{"name": "shop", "port": 80}]},),
) -> Manifest:
    answer = {"type": "Accepted", "status": "True" if reason == "Accepted" else "False", "reason": reason}
    body = plain(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        name,
        namespace,
        spec={"parentRefs": [parent], "hostnames": list(hostnames), "rules": list(rules)},
        status={"parents": [{"parentRef": answered or parent, "conditions": [answer]}]},
    )
    body["metadata"]["labels"] = labels or {}
    return body


def own_route(**more: Any) -> Manifest:
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/owner-uid": OUR_UID}
    return route(HOST, name=ROUTE, labels=labels, **more)


def ingress(*hosts: str | None, cls: str | None = None, default: bool = False) -> Manifest:
    rules: list[Manifest] = [{"http": {"paths": []}} | ({"host": host} if host else {}) for host in hosts]
    spec: Manifest = {"rules": rules} | ({"ingressClassName": cls} if cls else {})
    if default:
        spec["defaultBackend"] = {"service": {"name": "shop"}}
    return plain("networking.k8s.io/v1", "Ingress", "shop", "shop", spec=spec)


@pytest.mark.parametrize(
    "found, standing",
    [
        (route(HOST), "Serves"),
        (route("other.latvija.example", HOST), "Serves"),
        (route("*.latvija.example"), "Serves"),
        (route("*.example"), "Serves"),
        (route(), "Serves"),
        (route("other.latvija.example"), None),
        (route("*.address.latvija.example"), None),
        (route(HOST, rules=[{"matches": [{"path": {"value": "/deeper"}}]}]), "Serves"),
        (route(HOST, parent=INTERNAL), None),
        (route(HOST, parent=PUBLIC, answered=INTERNAL), None),
        (route(HOST, parent=INTERNAL, answered=PUBLIC), None),
        (route(HOST, namespace="shop", reason="NotAllowedByListeners"), None),
        (route(HOST, reason="NoMatchingParent"), None),
        (route(HOST, reason="RuleMatchConflict"), "Waits"),
        (route(rules=HTTPS_ONLY), None),
        (route(HOST, rules=HTTPS_ONLY), None),
        (route(HOST, rules=ELSEWHERE), "Serves"),
        (route("*.latvija.example", labels={"eservice.dev/fallback": "true"}), None),
        (route(labels={"eservice.dev/fallback": "true"}), None),
        (route(HOST, labels={"eservice.dev/fallback": "true"}), "Serves"),
        (route(namespace="shop", labels={"eservice.dev/fallback": "true"}), "Serves"),
    ],
)
def test_a_route_counts_if_our_gateway_takes_it(found: Manifest, standing: str | None) -> None:
    owner = f"HTTPRoute {found['metadata']['namespace']}/shop"
    assert standings(found) == ({owner: standing} if standing else {})


@pytest.mark.parametrize(
    "ours, theirs, counts", [("", "http", True), ("https", "", True), ("https", "http", False)]
)
def test_another_listener_of_our_gateway_is_no_conflict(ours: str, theirs: str, counts: bool) -> None:
    parent = PUBLIC | ({"sectionName": theirs} if theirs else {})
    found = standings(route(HOST, parent=parent), gateway=GatewayRef("gateway-system", "public", ours))
    assert bool(found) is counts


def test_where_it_chose_another_gateway_what_attaches_to_that_one_counts() -> None:
    partner = {"namespace": "partner-system", "name": "partner"}
    allowing = replace(POLICY, allowed_gateways=(GatewayRef("partner-system", "partner"),))
    mine = worlds.eservice(spec={"publication": {"gateway": partner}})
    mine["metadata"]["resourceVersion"] = "9"
    for parent, policy, counts in (
        (partner, allowing, True),
        (PUBLIC, allowing, False),
        (partner, POLICY, False),
        (PUBLIC, POLICY, True),
    ):
        store = filled(mine, route(HOST, parent=parent))
        world = Observer(store, policy).eservice(KEY)
        assert isinstance(world, World)
        assert bool(world.claims) is counts, (parent, policy)


def test_a_gateway_is_missed_by_the_route_that_is_on_it_once_all_are_known() -> None:
    gateway = TRAEFIK[0]
    assert not seen(own_route()).missing_gateways, "Gateways were not listed yet"
    for present, missing in (((), {GatewayRef("gateway-system", "public")}), ((gateway,), set())):
        store = filled(own_route(), *present)
        store.mark_synced("Gateway")
        world = Observer(store, POLICY).eservice(KEY)
        assert isinstance(world, World)
        assert world.missing_gateways == missing


def test_so_is_that_of_the_candidate_and_each_for_itself() -> None:
    preview = own_route()
    preview["metadata"]["name"] += ".preview"
    preview["spec"]["parentRefs"] = [PUBLIC | {"name": "nope"}]
    store = filled(preview, own_route(), TRAEFIK[0])
    store.mark_synced("Gateway")
    world = Observer(store, POLICY).eservice(KEY)
    assert isinstance(world, World)
    assert world.missing_gateways == {GatewayRef("gateway-system", "nope")}


@pytest.mark.parametrize("section, there", [("https", True), ("http", False), ("", True)])
def test_so_is_one_that_it_may_move_to_and_a_listener_of_that(section: str, there: bool) -> None:
    target, other = (
        GatewayRef("gateway-system", "next", section),
        GatewayRef("gateway-system", "nope", "https"),
    )
    mine = worlds.eservice(spec={"publication": {"gateway": other.fields()}})
    mine["metadata"]["resourceVersion"] = "9"
    following = public_gateway(listener(None))
    following["metadata"] |= {"name": "next", "uid": "uid-next"}
    store = filled(mine, own_route(), public_gateway(), following)
    store.mark_synced("Gateway")
    world = Observer(store, replace(POLICY, gateway=target)).eservice(KEY)
    assert isinstance(world, World)
    assert world.missing_gateways == {other.whole} | (set() if there else {target})


@pytest.mark.parametrize(
    "hostnames, standing", [(["*.latvija.example"], "Beside"), ([], "Beside"), ([HOST], "Serves")]
)
def test_no_wildcard_takes_a_host_that_is_on_our_route(hostnames: list[str], standing: str) -> None:
    assert standings(own_route(), route(*hostnames)) == {"HTTPRoute eservice-routes/shop": standing}
    refused = own_route(reason="NoMatchingParent")
    assert standings(refused, route(*hostnames)) == {"HTTPRoute eservice-routes/shop": "Serves"}


TRAEFIK = [
    plain(
        "gateway.networking.k8s.io/v1", "Gateway", "public", "gateway-system", spec={"gatewayClassName": "t"}
    ),
    plain(
        "gateway.networking.k8s.io/v1",
        "GatewayClass",
        "t",
        spec={"controllerName": "traefik.io/gateway-controller"},
    ),
    plain(
        "networking.k8s.io/v1",
        "IngressClass",
        "traefik",
        spec={"controller": "traefik.io/ingress-controller"},
    ),
    plain("networking.k8s.io/v1", "IngressClass", "nginx", spec={"controller": "k8s.io/ingress-nginx"}),
]


@pytest.mark.parametrize(
    "found, reported",
    [
        (ingress(HOST), True),
        (ingress(HOST, cls="nginx"), True),
        (ingress("other.latvija.example"), False),
        (ingress("*.latvija.example"), True),
        (ingress("*.latvija.example", cls="traefik"), True),
        (ingress("*.latvija.example", cls="nginx"), False),
        (ingress("*.latvija.example", cls="unknown"), False),
        (ingress("*.example"), False),
        (ingress(None), True),
        (ingress(None, cls="traefik"), True),
        (ingress(None, cls="nginx"), False),
        (ingress(default=True), True),
        (ingress(default=True, cls="nginx"), False),
    ],
)
def test_an_ingress_is_reported_and_holds_nothing_back(found: Manifest, reported: bool) -> None:
    assert standings(found, *TRAEFIK) == ({"Ingress shop/shop": "Beside"} if reported else {})


def test_the_class_of_an_ingress_may_be_an_annotation() -> None:
    found = ingress("*.latvija.example")
    found["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "nginx"}
    assert standings(found, *TRAEFIK) == {}


def test_where_the_gateways_controller_is_not_known_every_ingress_counts() -> None:
    assert standings(ingress("*.latvija.example", cls="nginx")) == {"Ingress shop/shop": "Beside"}


def public_gateway(*listeners: Manifest) -> Manifest:
    spec = {"gatewayClassName": "t", "listeners": list(listeners)}
    return plain("gateway.networking.k8s.io/v1", "Gateway", "public", "gateway-system", spec=spec)


def listener(taken: Manifest | None, name: str = "https") -> Manifest:
    return {"name": name} | ({"allowedRoutes": {"namespaces": taken}} if taken is not None else {})


def chosen(key: str, operator: str, *values: str) -> Manifest:
    terms = [{"key": key, "operator": operator, "values": list(values)}]
    return {"from": "Selector", "selector": {"matchExpressions": terms}}


BY_NAME = {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": ROUTES}}}


@pytest.mark.parametrize(
    "taken, of_agency, of_tenant",
    [
        ({"from": "All"}, True, True),
        ({"from": "None"}, False, False),
        ({"from": "Same"}, False, False),
        (None, False, False),
        (BY_NAME, True, False),
        (chosen("tier", "In", "agency"), True, False),
        (chosen("tier", "NotIn", "agency"), False, True),
        (chosen("tier", "Exists"), True, False),
        (chosen("tier", "DoesNotExist"), False, True),
        (chosen("tier", "Near"), False, False),
        ({"from": "Selector"}, False, False),
        ({"from": "Selector", "selector": {}}, True, True),
    ],
)
def test_a_status_alone_holds_nothing_back(taken: Manifest | None, of_agency: bool, of_tenant: bool) -> None:
    """Whoever writes in a namespace that the Gateway does not admit can say "Accepted" there as well."""
    agency = plain("v1", "Namespace", ROUTES)
    agency["metadata"]["labels"] = {"tier": "agency"}
    around = (public_gateway(listener(taken)), agency, plain("v1", "Namespace", "tenant"))
    for namespace, holds in ((ROUTES, of_agency), ("tenant", of_tenant)):
        owner = f"HTTPRoute {namespace}/shop"
        standing = "Serves" if holds else "Beside"
        assert standings(route(HOST, namespace=namespace), *around) == {owner: standing}
        forged = route(HOST, namespace=namespace, reason="RuleMatchConflict")
        assert standings(forged, *around) == ({owner: "Waits"} if holds else {})
        for wide in (["*.latvija.example"], []):
            covering = route(*wide, namespace=namespace)
            assert standings(covering, *around) == ({owner: "Serves"} if holds else {})


@pytest.mark.parametrize(
    "ours, theirs, holds",
    [("", "", True), ("", "open", True), ("", "closed", False), ("open", "", True), ("closed", "", False)],
)
def test_the_listener_that_counts_has_to_admit_it(ours: str, theirs: str, holds: bool) -> None:
    gateway = public_gateway(listener({"from": "All"}, "open"), listener(BY_NAME, "closed"))
    found = route(HOST, namespace="tenant", parent=PUBLIC | ({"sectionName": theirs} if theirs else {}))
    standing = standings(found, gateway, gateway=GatewayRef("gateway-system", "public", ours))
    assert standing == {"HTTPRoute tenant/shop": "Serves" if holds else "Beside"}


def theirs(created: str, **metadata: Any) -> list[Manifest]:
    """Another e-service for the same host, where its registration places it."""
    registration = worlds.registration(metadata={"name": "theirs", "uid": "uid-theirs-registration"})
    registration["spec"]["namespaces"] = [{"environment": "Production", "name": "other"}]
    where = {"name": "theirs", "uid": "uid-theirs", "namespace": "other", "creationTimestamp": created}
    return [registration, worlds.eservice(metadata=where | metadata, spec={"registration": "theirs"})]


EARLIER, LATER = "2026-01-30T08:00:00Z", "2026-10-30T08:00:00Z"


def test_of_two_eservices_each_sees_the_other() -> None:
    assert standings(*theirs(EARLIER)) == {"EService other/theirs": "Reserved"}
    assert standings(*theirs(LATER)) == {"EService other/theirs": "Waits"}


def test_a_later_one_that_is_served_has_the_host() -> None:
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/owner-uid": "uid-theirs"}
    labels |= {"eservice.dev/namespace": "other", "eservice.dev/eservice": "theirs"}
    for shows, standing in (("Live", "Serves"), ("Notice", "Reserved")):
        found = route(HOST, name="other.theirs", labels=labels | {"eservice.dev/shows": shows})
        assert standings(*theirs(LATER), found) == {"EService other/theirs": standing}


def test_one_that_goes_or_was_never_given_the_host_wants_nothing() -> None:
    going = {"deletionTimestamp": "2026-11-01T08:00:00Z"}
    assert standings(*theirs(LATER, **going)) == {}
    assert standings(*theirs(EARLIER, **going)) == {"EService other/theirs": "Reserved"}, "until it is gone"
    _, unregistered = theirs(LATER)
    assert standings(unregistered) == {}


def test_objects_of_others_are_named_with_their_uid() -> None:
    (claim,) = seen(ingress(HOST)).contenders
    assert (claim.uid, claim.standing) == ("uid-shop", Standing.BESIDE)
    assert claim.owner == ("networking.k8s.io/v1", "Ingress", "shop", "shop")
