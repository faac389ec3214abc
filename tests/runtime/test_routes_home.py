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
from eservice_operator.runtime.routes_home import WrongHome, stay_with_routes
from eservice_operator.runtime.settings import Settings
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAMESPACE, NOW, ROUTES

OTHER = Settings(routes_namespace="public-routes")


@pytest.fixture
def objects() -> dict[str, Manifest]:
    """The EService, its route and its grant, as the API server has them after a publication."""
    cluster = PureCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(NOW)
    return {kind: copy.deepcopy(cluster.one(kind)) for kind in ("EService", "HTTPRoute", "ReferenceGrant")}


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


@pytest.mark.parametrize("kind", ["EService", "HTTPRoute", "ReferenceGrant"])
def test_each_of_the_three_has_to_be_there(objects: dict[str, Manifest], kind: str) -> None:
    del objects[kind]
    stay_with_routes(store(*objects.values()), OTHER)


@pytest.mark.parametrize("kind", ["HTTPRoute", "ReferenceGrant"])
def test_a_label_alone_is_no_proof(objects: dict[str, Manifest], kind: str) -> None:
    objects[kind]["metadata"]["labels"] |= {names.OWNER_UID_LABEL: "another"}
    stay_with_routes(store(*objects.values()), OTHER)


def test_what_was_never_public_has_no_say(objects: dict[str, Manifest]) -> None:
    objects["EService"]["status"]["release"] = {}
    stay_with_routes(store(*objects.values()), OTHER)


def test_nor_does_a_route_in_the_e_services_own_namespace(objects: dict[str, Manifest]) -> None:
    """Whoever writes there needs no grant, and could keep the operator from starting."""
    objects["HTTPRoute"]["metadata"]["namespace"] = NAMESPACE
    objects["ReferenceGrant"]["spec"]["from"][0]["namespace"] = NAMESPACE
    stay_with_routes(store(*objects.values()), OTHER)
