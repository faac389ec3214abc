# SPDX-License-Identifier: Apache-2.0
"""R3, R10: a web service closes its Pods, and shows its holder who asks and who calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from ipaddress import ip_network
from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.webservice_status import ContractState, RequestState, WebServiceStatus
from eservice_operator.core.access.case import Pods
from eservice_operator.core.access.holding import build_wall, decide_web_service, web_service_status
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.actions import Action, Create, Delete, Manifest, Outcome, Update
from eservice_operator.core.conditions import find
from tests.core.access.register import (
    APPLICATION,
    CODES,
    NOT_OPEN,
    Register,
    agents_register,
    children,
    consumer,
    granted,
    not_open,
    passed,
)
from tests.support import access, worlds
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, at

PLACE = (NAMESPACE, NAME)
OBSERVE = {"isolation": "Observe"}
OUTSIDE = {"backend": {"service": None, "url": "https://register.ur.example"}}
DONE = Outcome(())


def register(*grants: Manifest, uses: tuple[Manifest, ...] = (access.use("v5"),), **service: Any) -> Register:
    return Register(
        offers=(access.offer(access.web_service(spec=service)),),
        grants=granted(*grants),
        consumers=(consumer(PLACE, *uses),),
        tests=passed(access.connection_test(), access.connection_test("tested-v4", "v4")),
    )


def walled(world: WebServiceWorld) -> WebServiceWorld:
    """The same once the wall stands."""
    wall = build_wall(world.offer.web_service, world.offer.pods or access.PODS)
    return replace(world, children=children(wall))


def status(world: WebServiceWorld, outcome: Outcome = DONE, now: datetime = NOW) -> WebServiceStatus:
    found = web_service_status(decide_web_service(world, now, POLICY), outcome, now, POLICY)
    metadata = {"name": access.REGISTER, "generation": 1}
    before = world.offer.web_service.status
    body = {"kind": "WebService", "metadata": metadata, "status": status_body(found)}
    assert_status_sound(body, before=before)
    return found


def said(found: WebServiceStatus, kind: ConditionType) -> tuple[str, str] | None:
    condition = find(found.conditions, kind)
    return None if condition is None else (condition.status.value, condition.reason)


def actions(world: WebServiceWorld) -> tuple[Action, ...]:
    return decide_web_service(world, NOW, POLICY).actions


# the wall


def test_the_pods_of_a_web_service_are_closed() -> None:
    (action,) = actions(register().web_service())
    assert isinstance(action, Create)
    metadata = action.manifest["metadata"]
    assert (metadata["namespace"], metadata["name"]) == (access.HOLDER, "webservice.population-register")
    assert metadata["labels"]["eservice.dev/web-service"] == access.REGISTER
    assert metadata["ownerReferences"][0]["kind"] == "WebService"
    assert action.manifest["spec"] == {
        "podSelector": {"matchLabels": access.POD_LABELS},
        "policyTypes": ["Ingress"],
    }
    assert actions(walled(register().web_service())) == ()


def test_the_wall_follows_the_selector_of_the_service() -> None:
    world = walled(register().web_service())
    moved = replace(world, offer=replace(world.offer, pods=Pods(access.HOLDER, {"app": "new"}, (8443,))))
    (action,) = actions(moved)
    assert isinstance(action, Update)
    assert action.manifest["spec"]["podSelector"] == {"matchLabels": {"app": "new"}}
    assert said(status(moved), ConditionType.ISOLATED) == ("False", "Progressing")


def test_what_somebody_changes_of_the_wall_is_put_back() -> None:
    world = walled(register().web_service())
    ((key, wall),) = world.children.items()
    opened = replace(wall, body={**wall.body, "spec": {**wall.spec, "podSelector": {}}})
    (action,) = actions(replace(world, children={key: opened}))
    assert isinstance(action, Update)


@pytest.mark.parametrize("spec", [OBSERVE, OUTSIDE])
def test_the_wall_goes_where_none_is_meant_to_be(spec: Manifest) -> None:
    open_to_all = register(**spec).web_service()
    assert actions(open_to_all) == ()
    (action,) = actions(walled(open_to_all))
    assert isinstance(action, Delete)
    ((key, wall),) = walled(open_to_all).children.items()
    metadata = wall.body["metadata"] | {"deletionTimestamp": "2026-10-13T08:00:00Z"}
    leaving = replace(wall, body={**wall.body, "metadata": metadata})
    assert actions(replace(open_to_all, children={key: leaving})) == (), "once is enough"


def test_the_wall_stays_when_the_service_is_gone() -> None:
    world = walled(register().web_service())
    gone = replace(world, offer=replace(world.offer, pods=None))
    assert actions(gone) == ()
    found = status(gone)
    assert said(found, ConditionType.ISOLATED) == ("True", "Isolated")
    assert said(found, ConditionType.BACKEND_FOUND) == ("False", "BackendNotFound")
    assert said(found, ConditionType.READY) == ("True", "BackendNotFound")
    assert said(found, ConditionType.GRANTABLE) == ("False", "BackendNotFound")


def test_the_wall_does_not_wait_for_the_holder_to_be_confirmed() -> None:
    world = register().web_service()
    nobodys = replace(world, offer=replace(world.offer, namespace_labels={}))
    assert isinstance(actions(nobodys)[0], Create)
    found = status(walled(nobodys))
    assert said(found, ConditionType.READY) == ("True", "HolderNotConfirmed")
    assert said(found, ConditionType.GRANTABLE) == ("False", "HolderNotConfirmed")
    assert said(found, ConditionType.HOLDER_CONFIRMED) == ("False", "HolderNotConfirmed")
    assert "kubectl label namespace ur-production" in found.conditions[0].message


def test_one_that_is_being_deleted_leaves_its_wall_to_the_garbage_collector() -> None:
    body = access.web_service(metadata={"deletionTimestamp": "2026-10-13T08:00:00Z"})
    world = register().but(offers=(access.offer(body),)).web_service()
    assert actions(world) == ()


# conditions


def test_everything_in_place() -> None:
    found = status(walled(register(access.grant()).web_service()))
    assert {one.type: (one.status.value, one.reason) for one in found.conditions} == {
        "Ready": ("True", "Succeeded"),
        "Grantable": ("True", "Grantable"),
        "BackendFound": ("True", "BackendFound"),
        "HolderConfirmed": ("True", "HolderConfirmed"),
        "Isolated": ("True", "Isolated"),
        "TestedAsUsable": ("True", "TestedAsUsable"),
    }
    assert found.audience == "webservice.eservice.dev/ur-production/population-register"


@pytest.mark.parametrize(
    "spec,isolated,backend",
    [
        (OBSERVE, ("False", "ObservedOnly"), ("True", "BackendFound")),
        (OUTSIDE, ("False", "OutsideBackend"), ("True", "OutsideBackend")),
    ],
)
def test_what_is_not_enforced_is_said(
    spec: Manifest, isolated: tuple[str, str], backend: tuple[str, str]
) -> None:
    world = register(**spec).web_service()
    if spec is OUTSIDE:
        world = replace(world, offer=replace(world.offer, pods=None))
    found = status(world)
    assert said(found, ConditionType.ISOLATED) == isolated
    assert said(found, ConditionType.BACKEND_FOUND) == backend
    assert said(found, ConditionType.READY) == ("True", "Succeeded")


def test_a_port_that_has_a_name_is_advised_against() -> None:
    world = register().web_service()
    assert world.offer.pods is not None
    called = replace(world.offer.pods, ports=("https",))
    condition = find(status(world).conditions, ConditionType.BACKEND_FOUND)
    advised = find(
        status(replace(world, offer=replace(world.offer, pods=called))).conditions,
        ConditionType.BACKEND_FOUND,
    )
    assert condition is not None
    assert advised is not None
    assert "targetPort" not in condition.message
    assert advised.status.value == "True"
    assert "write its targetPort https as a number" in advised.message


def test_networks_that_were_not_compared_with_the_clusters_own_are_said() -> None:
    networks = {"url": "https://register.ur.example", "networks": ["198.51.100.0/28"]}
    world = register(backend={"service": None} | networks).web_service()
    told = replace(world, offer=replace(world.offer, cluster_networks=(ip_network("10.96.0.0/12"),)))
    without = register(backend=OUTSIDE["backend"]).web_service()
    found = [find(status(one).conditions, ConditionType.BACKEND_FOUND) for one in (world, told, without)]
    assert [one is not None and one.status.value for one in found] == ["True"] * 3
    said_so = ["--cluster-networks is not set" in (one.message if one else "") for one in found]
    assert said_so == [True, False, False]


def test_foreign_invokers_are_named_while_there_are_any() -> None:
    world = walled(register().web_service())
    assert said(status(world), ConditionType.FOREIGN_INVOKERS) is None
    found = status(replace(world, foreign_roles=("mine", "also-mine")))
    condition = find(found.conditions, ConditionType.FOREIGN_INVOKERS)
    assert condition is not None
    assert condition.message.endswith("Role also-mine, mine")
    found = status(replace(world, foreign_roles=("mine",), foreign_bindings=("yours", "theirs")))
    both = find(found.conditions, ConditionType.FOREIGN_INVOKERS)
    assert both is not None
    assert both.message.endswith("Role mine; RoleBinding theirs, yours")
    found = status(replace(world, foreign_bindings=("theirs",)))
    condition = find(found.conditions, ConditionType.FOREIGN_INVOKERS)
    assert condition is not None
    assert condition.message.endswith("no grant does: RoleBinding theirs")


@pytest.mark.parametrize(
    "reason,transient,ready,other",
    [
        ("Conflict", True, Reason.PROGRESSING_WITH_RETRY, ConditionType.RECONCILING),
        ("NameCollision", False, Reason.NAME_COLLISION, ConditionType.STALLED),
        ("Invalid", False, Reason.REJECTED, ConditionType.STALLED),
    ],
)
def test_what_failed_is_said(reason: str, transient: bool, ready: Reason, other: ConditionType) -> None:
    world = register().web_service()
    failure = worlds.failure(actions(world)[0], reason, "no", transient=transient)
    found = status(world, Outcome((), failure))
    assert said(found, ConditionType.READY) == ("False", ready)
    assert said(found, other) == ("True", ready)
    assert said(found, ConditionType.ISOLATED) == ("False", "Progressing")


# requests


@pytest.mark.parametrize(
    "grants,state,reason",
    [
        ((), RequestState.WAITING, "no grant yet"),
        (
            (access.grant(spec={"contractVersions": access.granted("v4")}),),
            RequestState.WAITING,
            "there is a",
        ),
        (
            (access.grant(spec={"contractVersions": access.granted("v5", evidence=None)}),),
            RequestState.PENDING,
            "v5 lacks",
        ),
        ((access.grant(),), RequestState.GRANTED, "granted"),
        ((access.grant(spec={"refused": {"reason": "no law"}}),), RequestState.REFUSED, "refused by the"),
        ((access.grant(spec={"validUntil": "2026-10-12"}),), RequestState.ENDED, "the grant's last day was"),
    ],
)
def test_a_request_says_how_far_it_is(grants: tuple[Manifest, ...], state: RequestState, reason: str) -> None:
    there = register(*grants)
    (request,) = status(there.web_service()).requests
    assert request.state is state
    assert request.message.startswith(reason)
    assert not grants or request.message == there.standing(PLACE).message
    assert (request.namespace, request.e_service, request.contract_version) == (NAMESPACE, NAME, "v5")
    assert request.institution == NAME
    assert request.grant == (None if state is RequestState.WAITING else NAME)


def test_what_is_granted_and_not_open_is_shown_as_its_consumer_reads_it() -> None:
    there = register(access.grant())
    (request,) = status(there.but(grants=(not_open(there.grants[0], "v5"),)).web_service()).requests
    assert (request.state, request.message, request.grant) == (RequestState.PENDING, NOT_OPEN, NAME)


def test_who_has_no_place_asks_for_nothing() -> None:
    crowd = tuple(
        consumer((f"anybody-{number}", "claimant"), access.use("v5"), claims=NAMESPACE)
        for number in range(200)
    )
    there = register()
    found = status(there.but(consumers=(*crowd, *there.consumers)).web_service())
    assert (found.request_count, found.waiting_count) == (1, 1)
    assert [request.namespace for request in found.requests] == [NAMESPACE]


def test_an_e_service_of_another_environment_asks_for_nothing() -> None:
    there = register()
    in_test = access.consumer(access.use("v5"), service=worlds.eservice_in_test())
    assert status(there.but(consumers=(in_test,)).web_service()).request_count == 0


def test_a_use_by_two_names_is_one_request_and_two_versions_are_two() -> None:
    uses = (access.use("v5"), access.use("v5", name="again"), access.use("v4", name="before"))
    found = status(register(access.grant(), uses=uses).web_service())
    assert [(one.contract_version, one.state.value) for one in found.requests] == [
        ("v4", "Waiting"),
        ("v5", "Granted"),
    ]


def test_many_requests_are_counted_and_those_that_wait_come_first() -> None:
    there = register(access.grant())
    crowd = tuple(consumer((f"town-{number:03}", "asks"), access.use("v5")) for number in range(150))
    many = there.but(consumers=(*there.consumers, *crowd))
    found = status(many.web_service())
    assert (found.request_count, found.waiting_count, len(found.requests)) == (151, 150, 100)
    assert {request.state for request in found.requests} == {RequestState.WAITING}
    fewer = status(many.but(consumers=many.consumers[:-1]).web_service())
    assert fewer.requests == found.requests
    assert fewer.requests_hash != found.requests_hash


# contract versions


def test_contract_versions_say_where_they_are_in_life_and_who_is_left() -> None:
    contracts = [
        {"version": "v3", "endOfLife": "2024-05-31"},
        {"version": "v4", "endOfLife": "2026-10-13"},
        {"version": "v5"},
    ]
    grant = access.grant(spec={"contractVersions": access.granted("v3", "v4", "v5")})
    uses = tuple(access.use(version, name=f"as-{version}") for version in ("v3", "v4", "v5"))
    world = register(grant, uses=uses, contracts=contracts).web_service()

    found = status(world)
    assert [(one.version, one.state, one.consumer_count) for one in found.contracts] == [
        ("v3", ContractState.RETIRED, 0),
        ("v4", ContractState.RETIRING, 1),
        ("v5", ContractState.OPEN, 1),
    ]
    assert found.consumer_count == 1
    assert found.next_end == date(2026, 10, 13)
    assert decide_web_service(world, NOW, POLICY).next_at == at("2026-10-14", "00:00")

    after = status(world, now=at("2026-10-14", "00:00"))
    assert [(one.state, one.consumer_count) for one in after.contracts][1] == (ContractState.RETIRED, 0)
    assert after.next_end is None


def test_consumers_of_rest_are_on_every_version_that_is_served() -> None:
    contracts = [{"version": "v1", "endOfLife": "2026-10-12"}, {"version": "v2", "endOfLife": "2027-01-01"}]
    contracts.append({"version": "v3"})
    there = Register(
        offers=(access.offer(access.rest_service(spec={"contracts": contracts})),),
        grants=granted(access.rest_grant()),
        consumers=(consumer(PLACE, access.use(None, web_service=access.ADDRESSES)),),
    )
    found = status(there.web_service(name=access.ADDRESSES))
    assert [one.consumer_count for one in found.contracts] == [0, 1, 1]
    (caller,) = found.contracts[2].consumers
    assert (caller.namespace, caller.e_service, caller.institution) == (*PLACE, NAME)


def test_an_agents_application_is_one_consumer_and_its_customers_are_requests() -> None:
    found = status(agents_register().web_service())
    assert found.consumer_count == 1
    caller = found.contracts[1].consumers[0]
    assert ((caller.namespace, caller.e_service), caller.agent) == (APPLICATION, access.AGENT)
    through = [request for request in found.requests if request.agent]
    assert [(one.e_service, one.state.value, one.grant) for one in through] == [
        (name, "Granted", "evry") for name in ("cesis", "ogre", "rezekne")
    ]


def test_the_customers_of_an_agent_are_left_on_the_versions_that_it_calls() -> None:
    versions = {one.version: one for one in status(agents_register().web_service()).contracts}
    v4, v5 = versions["v4"], versions["v5"]
    assert (v4.consumer_count, v4.customer_count, v4.consumers) == (0, 0, ())
    assert (v5.consumer_count, v5.customer_count) == (1, 3)
    assert [(one.e_service, one.agent, one.customer_count, one.through) for one in v5.consumers] == [
        ("gateway", access.AGENT, 3, None),
        *((name, None, None, access.AGENT) for name in ("cesis", "ogre", "rezekne")),
    ]


def test_customers_that_an_agent_no_longer_serves_are_left_on_nothing() -> None:
    ended = access.assignment(spec={"ended": {"at": "2026-10-13", "reason": "no longer"}})
    assert all(one.customer_count == 0 for one in status(agents_register(ended).web_service()).contracts)


def test_of_many_customers_the_list_has_what_it_has_room_for() -> None:
    there = agents_register()
    names = [f"ogre-{number}" for number in range(120)]
    crowd = [
        consumer((name, name), access.use(None, agent=access.AGENT), code=CODES["Ogre"]) for name in names
    ]
    (_, v5, _) = status(there.but(consumers=(*there.consumers, *crowd)).web_service()).contracts
    assert (v5.consumer_count, v5.customer_count, len(v5.consumers)) == (1, 123, 100)
    assert v5.consumers[0].customer_count == 123


def test_what_ends_by_itself_is_looked_at_then() -> None:
    world = register(access.grant(spec={"validUntil": "2026-10-20"})).web_service()
    assert decide_web_service(world, NOW, POLICY).next_at == at("2026-10-21", "00:00")
