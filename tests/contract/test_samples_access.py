# SPDX-License-Identifier: Apache-2.0
"""What the operator makes of the samples: every request is granted but the one that nobody has answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache

import pytest

from eservice_operator.api import names
from eservice_operator.api.agent import CustomerState
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.assigning import assignment_status
from eservice_operator.core.access.holding import decide_web_service, web_service_status
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import use_standing
from eservice_operator.core.access.worlds import AssignmentWorld, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest, Outcome
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.world import World
from tests.contract.manifests import base_samples
from tests.contract.test_samples import WRITTEN_ON, of_kind
from tests.support import access
from tests.support.worlds import POLICY, condition

NOW = datetime.combine(WRITTEN_ON, time(12), UTC)
TIMES = Times(NOW, POLICY.zone)
NOTHING_TO_DO = Outcome(())


def stored(obj: Manifest) -> Manifest:
    """The object as the API server has it, once the operator has carried out the registrations."""
    name = obj["metadata"]["name"]
    metadata = {"uid": f"uid-{key(obj)}", "resourceVersion": "1", "generation": 1}
    metadata |= {"creationTimestamp": "2026-11-01T08:00:00Z"} | obj["metadata"]
    match obj["kind"]:
        case "Namespace":
            labels = {names.ENVIRONMENT_LABEL: name.rpartition("-")[2]} | obj["metadata"]["labels"]
            return obj | {"metadata": metadata | {"labels": labels}}
        case "EServiceRegistration":
            places = [place | {"state": "Ready"} for place in obj["spec"]["namespaces"]]
            status = {"conditions": [condition("Registered", "Registered")], "namespaces": places}
            return obj | {"metadata": metadata, "status": status}
        case _:
            return obj | {"metadata": metadata}


@cache
def observer() -> Observer:
    store = Store(INDEXES)
    for obj in base_samples():
        body = stored(obj)
        store.upsert(slim(access.opened(body) if body["kind"] == "WebServiceGrant" else body))
    return Observer(store, POLICY)


def key(obj: Manifest) -> ObjectKey:
    return ObjectKey(obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def place(obj: Manifest) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


@pytest.mark.parametrize("grant", of_kind("WebServiceGrant", base_samples()), ids=place)
def test_each_grant_is_allowed(grant: Manifest) -> None:
    world = observer().access.grant(key(grant))
    assert isinstance(world, GrantWorld)
    assert [standing.reason for standing in standings(world.case, TIMES)] == ["Active"]


def test_each_use_is_answered_but_one() -> None:
    worlds = {place(one): observer().eservice(key(one)) for one in of_kind("EService", base_samples())}
    waiting = [
        name
        for name, world in worlds.items()
        if isinstance(world, World)
        for case in world.access.uses
        if not use_standing(case, world.access.consumer, TIMES).allowed
    ]
    assert waiting == ["ur-test/company-extract"]


def test_the_register_says_who_asks_and_who_is_left_on_each_version() -> None:
    world = observer().access.web_service(ObjectKey("WebService", "pmlp-test", "population-register"))
    assert isinstance(world, WebServiceWorld)
    status = web_service_status(decide_web_service(world, NOW, POLICY), NOTHING_TO_DO, NOW, POLICY)
    assert [(one.e_service, one.state.value) for one in status.requests if one.agent is None] == [
        ("company-extract", "Waiting"),
        ("parking-permit", "Granted"),
        ("municipal-gateway", "Granted"),
    ]
    assert [(one.version, one.state.value, one.consumer_count) for one in status.contracts] == [
        ("v3", "Retired", 0),
        ("v4", "Retired", 0),
        ("v5", "Open", 2),
    ]


def test_the_agent_calls_for_two_pilots_and_a_third_customer() -> None:
    world = observer().access.assignment(ObjectKey("AgentAssignment", "pmlp-test", "tilts"))
    assert isinstance(world, AssignmentWorld)
    status = assignment_status(world, NOW, POLICY)
    assert (status.application, status.grant) == ("tilts-test/municipal-gateway", "municipal-gateway")
    assert [(one.name.split()[0], one.state) for one in status.customers] == [
        ("Rēzeknes", CustomerState.ACTIVE),
        ("Cēsu", CustomerState.ACTIVE),
        ("Ogres", CustomerState.ACTIVE),
    ]


def test_v4_was_open_until_its_last_day() -> None:
    """The real date: at the end of 2025-10-31, in Riga, v4 is closed to everybody."""
    world = observer().access.web_service(ObjectKey("WebService", "pmlp-production", "population-register"))
    assert isinstance(world, WebServiceWorld)
    for day, state in ((date(2025, 10, 31), "Retiring"), (date(2025, 11, 1), "Retired")):
        at = datetime.combine(day, time(12), UTC)
        status = web_service_status(decide_web_service(world, at, POLICY), NOTHING_TO_DO, at, POLICY)
        assert {one.version: one.state.value for one in status.contracts}["v4"] == state
