# SPDX-License-Identifier: Apache-2.0
"""Another ``--routes-namespace`` ends the start while routes of ours are elsewhere, and nobody else's do."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from eservice_operator.api import names
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.gateway_driver import ROUTE_API
from eservice_operator.core.policy import GatewayRef
from eservice_operator.runtime.routes_home import WrongHome, stay_with_routes
from eservice_operator.runtime.settings import Settings
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAMESPACE, NOW, POLICY, ROUTES

OTHER = Settings(routes_namespace="public-routes")
TENANT = "tenant-b"
PARTNER = GatewayRef("partner-system", "partner")


@pytest.fixture
def objects() -> dict[str, Manifest]:
    """The EService, its route and its grant, as the API server has them after a publication."""
    cluster = PureCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(NOW)
    made = {kind: copy.deepcopy(cluster.one(kind)) for kind in ("EService", "HTTPRoute", "ReferenceGrant")}
    return made | {"Gateway": gateway(POLICY.gateway)}


def gateway(ref: GatewayRef, *admitted: str) -> Manifest:
    """One that takes routes from those namespaces; without any from that of the routes alone."""
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(admitted or (ROUTES,))}
    namespaces = {"from": "Selector", "selector": {"matchExpressions": [named]}}
    spec = {"listeners": [{"name": "https", "allowedRoutes": {"namespaces": namespaces}}]}
    metadata = {"namespace": ref.namespace, "name": ref.name}
    return {"apiVersion": ROUTE_API, "kind": "Gateway", "metadata": metadata, "spec": spec}


def store(*objects: Manifest) -> Store:
    filled = Store(INDEXES)
    for number, obj in enumerate(objects):
        metadata = {"uid": f"uid-{number}", "resourceVersion": "1"} | obj["metadata"]
        filled.upsert(slim(obj | {"metadata": metadata}))
    return filled


def test_our_routes_are_where_the_settings_say_or_it_does_not_begin(objects: dict[str, Manifest]) -> None:
    filled = store(*objects.values())
    stay_with_routes(filled, replace(OTHER, routes_namespace=ROUTES))
    with pytest.raises(
        WrongHome,
        match=rf"--routes-namespace is public-routes, and there are public routes elsewhere: 1 in {ROUTES}\.",
    ):
        stay_with_routes(filled, OTHER)


@pytest.mark.parametrize("kind", ["EService", "HTTPRoute", "ReferenceGrant", "Gateway"])
def test_each_of_the_four_has_to_be_there(objects: dict[str, Manifest], kind: str) -> None:
    del objects[kind]
    stay_with_routes(store(*objects.values()), OTHER)


@pytest.mark.parametrize("kind", ["HTTPRoute", "ReferenceGrant"])
def test_a_label_alone_is_no_proof(objects: dict[str, Manifest], kind: str) -> None:
    objects[kind]["metadata"]["labels"] |= {names.OWNER_UID_LABEL: "another"}
    objects[kind]["metadata"].pop("ownerReferences", None)
    stay_with_routes(store(*objects.values()), OTHER)


def test_what_was_never_public_has_no_say(objects: dict[str, Manifest]) -> None:
    objects["EService"]["status"]["release"] = {}
    stay_with_routes(store(*objects.values()), OTHER)


def test_nor_does_a_route_in_the_e_services_own_namespace(objects: dict[str, Manifest]) -> None:
    """Whoever writes there needs no grant, and could keep the operator from starting."""
    objects["HTTPRoute"]["metadata"]["namespace"] = NAMESPACE
    objects["ReferenceGrant"]["spec"]["from"][0]["namespace"] = NAMESPACE
    objects["Gateway"] = gateway(POLICY.gateway, NAMESPACE)
    stay_with_routes(store(*objects.values()), OTHER)


def test_nor_do_a_grant_and_a_route_in_another_namespace_of_the_tenants(objects: dict[str, Manifest]) -> None:
    """It may write all of them: its grant, a copy of the route, and a Gateway that takes it."""
    objects["ReferenceGrant"]["spec"]["from"].append({"namespace": TENANT})
    objects["HTTPRoute"]["metadata"]["namespace"] = TENANT
    stay_with_routes(store(*objects.values()), OTHER)
    own = GatewayRef(TENANT, "own")
    objects["HTTPRoute"]["spec"]["parentRefs"].append(own.parent_ref())
    stay_with_routes(store(*objects.values(), gateway(own, TENANT)), OTHER)


def test_any_gateway_and_any_listener_that_serves_it_will_do(objects: dict[str, Manifest]) -> None:
    objects["HTTPRoute"]["spec"]["parentRefs"] = [replace(PARTNER, section="https").parent_ref()]
    filled = store(*objects.values(), gateway(PARTNER))
    stay_with_routes(filled, OTHER)
    with pytest.raises(WrongHome):
        stay_with_routes(filled, replace(OTHER, allowed_gateways=(PARTNER,)))
    with pytest.raises(WrongHome):
        stay_with_routes(filled, replace(OTHER, gateway=replace(PARTNER, section="http")))


@pytest.mark.parametrize("kind", ["HTTPRoute", "ReferenceGrant"])
def test_what_lost_its_labels_is_still_ours(objects: dict[str, Manifest], kind: str) -> None:
    del objects[kind]["metadata"]["labels"]
    with pytest.raises(WrongHome):
        stay_with_routes(store(*objects.values()), OTHER)
