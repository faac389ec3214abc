# SPDX-License-Identifier: Apache-2.0
"""What access is judged on, as the store has it: whose word is heard, and whose is not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.case import NO_ACCESS, Access, Pods
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import use_standing
from eservice_operator.core.access.worlds import AssignmentWorld, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.world import World
from tests.support import holders, worlds
from tests.support.holders import CONSUMER, HOLDER, HOLDER_TEST, REGISTER
from tests.support.worlds import NAME, NOW, POLICY, RIGA, merged

TIMES = Times(NOW, RIGA)
GRANT = ObjectKey("WebServiceGrant", HOLDER, "address")


def observed(*objects: Manifest) -> Observer:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(slim(obj))
    return Observer(store, POLICY)


def grant_world(*objects: Manifest) -> GrantWorld:
    world = observed(*objects).access.grant(GRANT)
    assert isinstance(world, GrantWorld)
    return world


def web_service_world(*objects: Manifest) -> WebServiceWorld:
    world = observed(*objects).access.web_service(ObjectKey("WebService", HOLDER, REGISTER))
    assert isinstance(world, WebServiceWorld)
    return world


def access(*objects: Manifest) -> Access:
    world = observed(worlds.template(), *objects).eservice(ObjectKey("EService", CONSUMER, NAME))
    assert isinstance(world, World)
    return world.access


def reasons(world: GrantWorld) -> list[str]:
    return [standing.reason.value for standing in standings(world.case, TIMES)]


def instead(*changed: Manifest) -> tuple[Manifest, ...]:
    """What makes the grant allowed, with some of it changed."""
    objects = {
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one
        for one in (*holders.granted(), *changed)
    }
    return tuple(objects.values())


def without(kind: str, place: str | None = None) -> tuple[Manifest, ...]:
    return tuple(
        one
        for one in holders.granted()
        if one["kind"] != kind or one["metadata"].get("namespace", one["metadata"]["name"]) != (place or "")
    )


def test_everything_that_a_grant_rests_on_is_found() -> None:
    world = grant_world(*holders.granted())
    assert reasons(world) == ["Active"]
    offer = world.case.offer
    assert offer is not None
    assert offer.pods == Pods(HOLDER, holders.SELECTOR, ("https",))
    assert [one.grant.metadata.namespace for one in world.case.tested] == [HOLDER_TEST]


def test_the_clusters_own_networks_are_those_that_the_operator_was_told() -> None:
    backend = {"service": None, "url": "https://register.example", "networks": ["10.244.0.0/24"]}
    store = Store(INDEXES)
    for obj in instead(holders.web_service(spec={"backend": backend})):
        store.upsert(slim(obj))
    told = replace(POLICY, cluster_networks=(ip_network("10.244.0.0/16"),))
    found = [Observer(store, policy).access.grant(GRANT) for policy in (POLICY, told)]
    assert [reasons(world) for world in found if isinstance(world, GrantWorld)] == [
        ["Active"],
        ["BackendNotAllowed"],
    ]


@pytest.mark.parametrize(
    "objects, reason",
    [
        (without("Namespace", HOLDER), "HolderNotConfirmed"),
        (without("Service", HOLDER), "BackendNotFound"),
        (without("EService", CONSUMER), "NotRequested"),
        (without("WebServiceGrant", HOLDER_TEST), "TestMissing"),
        (without("EService", "pmlp-test"), "TestMissing"),
        (without("WebService", HOLDER), "WebServiceUnknown"),
        (instead(holders.backend(spec={"selector": None})), "BackendNotFound"),
        (instead(holders.backend(spec={"ports": [{"port": 443}]})), "BackendNotFound"),
        (instead(holders.backend(spec={"ports": [{"port": 8443, "protocol": "UDP"}]})), "BackendNotFound"),
        (instead(holders.backend(spec={"ports": [{"port": 8443}]})), "Active"),
        (instead(worlds.eservice()), "NotRequested"),
    ],
)
def test_what_is_missing_closes(objects: tuple[Manifest, ...], reason: str) -> None:
    assert reasons(grant_world(*objects)) == [reason]


def test_a_connection_test_is_found_by_whom_and_what_it_is_about() -> None:
    tests = [
        holders.connection_test(),
        holders.connection_test("other", registration="another"),
        holders.connection_test("elsewhere", webService={"namespace": HOLDER_TEST}),
    ]
    world = grant_world(*without("WebServiceGrant", HOLDER_TEST), *tests)
    assert [one.metadata.name for one in world.case.tests] == ["passed"]
    assert reasons(world) == ["Active"]


def remembered(uses: Any, owner: str = "") -> Manifest:
    """A release of the e-service of before, which asked for something."""
    service = worlds.eservice()
    uid = owner or service["metadata"]["uid"]
    data = snapshot_of(worlds.world().service).data() | {"uses": uses}
    child = Owner(CONSUMER, NAME, uid).child("apps/v1", "ControllerRevision", "r-1", {"data": data})
    child["metadata"] |= {"uid": "uid-r-1", "resourceVersion": "5"}
    return child | {"revision": 1}


def test_a_remembered_release_still_asks() -> None:
    objects = instead(worlds.eservice(), remembered([holders.USE]))
    assert reasons(grant_world(*objects)) == ["Active"]
    assert [order.use.name for order in web_service_world(*objects).orders] == ["persons"]
    assert [case.use.name for case in access(*objects).uses] == ["persons"]


@pytest.mark.parametrize("uses", [5, "x", [7], [{"webService": 3}], [{"webService": {"namespace": []}}]])
def test_nonsense_in_a_forged_release_is_nobodys_use(uses: Any) -> None:
    objects = instead(worlds.eservice(), remembered(uses))
    assert reasons(grant_world(*objects)) == ["NotRequested"]
    assert not web_service_world(*objects).orders


def test_a_release_of_another_owner_asks_for_nobody() -> None:
    objects = instead(worlds.eservice(), remembered([holders.USE], owner="somebody"))
    assert reasons(grant_world(*objects)) == ["NotRequested"]
    assert not web_service_world(*objects).orders


def test_an_eservice_that_cannot_be_read_keeps_what_it_had() -> None:
    broken = holders.asking(spec={"workload": {"port": 99999}})
    objects = instead(broken, remembered([holders.USE]))
    assert reasons(grant_world(*objects)) == ["Active"]


def test_an_eservice_sees_what_answers_it() -> None:
    found = access(*holders.granted())
    (case,) = found.uses
    standing = use_standing(case, found.consumer, TIMES)
    assert standing.allowed
    assert standing.versions == ("v5",)
    assert access(*instead(worlds.eservice())) is NO_ACCESS


AGENT = {"name": "PMLP", "code": "90000054163"}


def test_an_agents_application_asks_as_any_other_and_serves_besides() -> None:
    agents = holders.grant(spec={"agent": {"assignment": "evry"}})
    mine = holders.assignment(spec={"agent": AGENT})
    assert not access(*instead(agents, mine)).served, "nobody is made one"
    found = access(*instead(agents, mine, holders.asking(spec={"uses": [holders.AS_AGENT]})))
    (case,) = found.uses
    assert use_standing(case, found.consumer, TIMES).allowed
    assert [one.assignment.metadata.name for one in found.served] == ["evry"]


def ordering(place: str = "ogre-production") -> Manifest:
    use = {"name": "persons", "webService": holders.USE["webService"], "agent": "evry"}
    uid = f"uid-eservice-{place}"
    return worlds.eservice(metadata={"namespace": place, "uid": uid}, spec={"uses": [use]})


def test_who_orders_through_an_agent_is_seen_by_both() -> None:
    agents = holders.grant(spec={"agent": {"assignment": "evry"}})
    itself = holders.asking(spec={"uses": [holders.AS_AGENT]})
    objects = instead(agents, holders.assignment(spec={"agent": AGENT}), ordering(), itself)
    world = observed(*objects).access.assignment(ObjectKey("AgentAssignment", HOLDER, "evry"))
    assert isinstance(world, AssignmentWorld)
    assert [order.consumer.place for order in world.agent.orders] == [("ogre-production", NAME)]
    assert [one.grant.metadata.name for one in world.agent.connections] == ["address"]
    (served,) = access(*objects).served
    assert [order.consumer.place for order in served.orders] == [("ogre-production", NAME)]
    (seen,) = web_service_world(*objects).agents
    assert seen.connections
    assert not seen.orders


def test_the_pods_of_an_agents_application_are_those_that_its_services_lead_to() -> None:
    owner = Owner(CONSUMER, NAME, worlds.eservice()["metadata"]["uid"])
    spec = {"selector": {"x": "y"}, "ports": [{"port": 80, "targetPort": 8080}]}
    service = owner.child("v1", "Service", NAME, {"spec": spec})
    service["metadata"] |= {"uid": "uid-s", "resourceVersion": "5"}
    consumer = grant_world(*holders.granted(), service).case.consumer
    assert consumer is not None
    assert consumer.pods == Pods(CONSUMER, {names.ESERVICE_LABEL: NAME}, (8080,))


def own_service(suffix: str = "", release: str = "r1", port: int = 8080, of: str = REGISTER) -> Manifest:
    """A Service of an e-service of the holder's."""
    owner = Owner(HOLDER, REGISTER, "uid-of-register")
    leads = owner.release_selector(release) | {names.ESERVICE_LABEL: of}
    ports = [{"port": 8443, "targetPort": port, "protocol": "TCP"}]
    made = owner.child("v1", "Service", REGISTER + suffix, {"spec": {"selector": leads, "ports": ports}})
    return dict(merged(made, {"metadata": {"uid": f"uid-{suffix}", "resourceVersion": "5"}}))


def test_behind_a_service_of_an_e_service_are_all_its_pods_whatever_its_release() -> None:
    """Else a release that goes public would cut off every consumer until its policy was written anew."""
    register = worlds.eservice(
        metadata={"name": REGISTER, "namespace": HOLDER, "uid": "uid-of-register"},
        spec={"registration": "register"},
    )
    around = [one for one in holders.granted() if one["kind"] != "Service"]
    candidate = own_service("-candidate", "r2", 9090)
    for services, ports in (
        ([own_service()], (8080,)),
        ([own_service(), candidate], (8080, 9090)),
        ([own_service(release="r2", port=9090), candidate], (9090,)),
    ):
        world = grant_world(*around, register, *services)
        assert world.case.offer is not None
        assert world.case.offer.pods == Pods(HOLDER, {names.ESERVICE_LABEL: REGISTER}, ports)


def test_what_only_says_that_it_is_an_e_services_is_taken_by_its_selector() -> None:
    around = [one for one in holders.granted() if one["kind"] != "Service"]
    register = worlds.eservice(
        metadata={"name": REGISTER, "namespace": HOLDER, "uid": "uid-of-register"},
        spec={"registration": "register"},
    )
    moved = own_service(of="another")
    for objects, selector in (
        ((own_service(),), moved["spec"]["selector"] | {names.ESERVICE_LABEL: REGISTER}),
        ((register, moved), moved["spec"]["selector"]),
    ):
        world = grant_world(*around, *objects)
        assert world.case.offer is not None
        assert world.case.offer.pods == Pods(HOLDER, selector, (8080,))


def config_map(name: str, owner: Manifest | None, place: str = CONSUMER, grant: str = "address") -> Manifest:
    """A ConfigMap that says that it is a binding of a grant, and whose child it is."""
    made = holders.body("ConfigMap", name, place, "v1")
    made["metadata"] |= {
        "annotations": {names.GRANT_ANNOTATION: f"{HOLDER}/{grant}"},
        "labels": {names.MANAGED_BY_LABEL: names.MANAGER},
    }
    if owner is not None:
        metadata = {key: owner["metadata"][key] for key in ("name", "uid")}
        made["metadata"]["ownerReferences"] = [
            {"apiVersion": names.API_VERSION, "kind": owner["kind"]} | metadata
        ]
    return made


def bindings(*objects: Manifest) -> list[str]:
    world = grant_world(*objects)
    return [binding.ref.name for binding in (*world.bindings, *world.customers_bindings)]


def test_only_what_is_the_consumers_holds_a_grant() -> None:
    mine, third = holders.asking(), worlds.eservice(metadata={"namespace": "squat", "uid": "uid-squat"})
    own = holders.body("WebService", "own", "squat")
    found = bindings(
        *holders.granted(),
        third,
        config_map("binding", mine),
        config_map("forged", None),
        config_map("other", mine, grant="another"),
        config_map("elsewhere", mine, "squat"),
        config_map("of-a-web-service", own, "squat"),
        config_map("of-a-web-service-beside-it", holders.body("WebService", "own", CONSUMER)),
        config_map("of-a-third", third, "squat"),
    )
    assert found == ["binding"]


def test_who_orders_through_the_agent_holds_its_grant_too() -> None:
    agents = holders.grant(spec={"agent": {"assignment": "evry"}})
    orders, other = ordering(), ordering("cesis-production")
    other["spec"]["uses"] = [holders.USE]
    maps = [
        config_map(place, one, place)
        for place, one in (("ogre-production", orders), ("cesis-production", other))
    ]
    there = [*instead(agents, holders.assignment()), orders, other, *maps]
    assert bindings(*there) == ["ogre-production"]
    assert bindings(*instead(holders.grant()), orders, other, *maps) == []


def role(name: str, place: str = HOLDER, **rule: Any) -> Manifest:
    rules = [{"apiGroups": ["eservice.dev"], "resources": ["webservices/v5"], "verbs": ["invoke"]} | rule]
    return holders.body("Role", name, place, "rbac.authorization.k8s.io/v1") | {"rules": rules}


def test_the_roles_of_others_are_named() -> None:
    forged = role("labelled", verbs=["*"])
    forged["metadata"]["labels"] = {names.MANAGED_BY_LABEL: names.MANAGER}
    grant = holders.grant()["metadata"]
    owner = Owner(HOLDER, grant["name"], grant["uid"], "WebServiceGrant")
    ours = owner.child("", "Role", "grant.address", {})
    world = web_service_world(
        *holders.granted(),
        holders.grant("second", metadata={"uid": "uid-second"}),
        forged,
        role("minted"),
        role("of-this-one", resourceNames=[REGISTER]),
        role("of-another", resourceNames=["another"]),
        role("elsewhere", HOLDER_TEST),
        role("readers", verbs=["get"]),
        role("administrators", apiGroups=["*"], resources=["*"], verbs=["*"]),
        merged(role("grant.address"), {"metadata": ours["metadata"]}),
        role("grant.second"),
    )
    assert world.foreign_roles == ("grant.second", "labelled", "minted", "of-this-one")


def binding(name: str, role: str = "grant.address", place: str = HOLDER, kind: str = "Role") -> Manifest:
    made = holders.body("RoleBinding", name, place, "rbac.authorization.k8s.io/v1")
    subject = {"kind": "ServiceAccount", "name": "vandal", "namespace": "elsewhere"}
    return made | {"roleRef": {"kind": kind, "name": role}, "subjects": [subject]}


def test_the_bindings_of_others_to_the_role_of_a_grant_are_named() -> None:
    grant = holders.grant()["metadata"]
    owner = Owner(HOLDER, grant["name"], grant["uid"], "WebServiceGrant")
    ours = owner.child("", "Role", "grant.address", {})["metadata"]
    forged = binding("labelled")
    forged["metadata"]["labels"] = {names.MANAGED_BY_LABEL: names.MANAGER}
    world = web_service_world(
        *holders.granted(),
        holders.grant("second", metadata={"uid": "uid-second"}),
        merged(role("grant.address"), {"metadata": ours}),
        merged(binding("grant.address"), {"metadata": ours}),
        merged(binding("copied"), {"metadata": ours | {"name": "copied"}}),
        binding("minted"),
        forged,
        binding("grant.second", "grant.address"),
        binding("nothing-yet", "grant.second"),
        holders.grant("third", metadata={"uid": "uid-third"}),
        role("grant.third"),
        binding("grant.third", "grant.third"),
        binding("elsewhere", place=HOLDER_TEST),
        binding("to-another", "readers"),
        binding("of-the-cluster", kind="ClusterRole"),
    )
    assert world.foreign_bindings == ("copied", "grant.second", "grant.third", "labelled", "minted")
