# SPDX-License-Identifier: Apache-2.0
"""Worlds built from the store: what counts, what is left out, who came first."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.contested import Standing
from eservice_operator.api.parse import InvalidObject
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.world import RecordWorld, RegistrationWorld, TemplateWorld, World
from tests.support import worlds

KEY = ObjectKey("EService", worlds.NAMESPACE, worlds.NAME)
LATER = {"metadata": {"creationTimestamp": "2026-10-30T08:00:00Z"}}
EARLIER = {"metadata": {"creationTimestamp": "2026-01-30T08:00:00Z"}}


def observed(*objects: Manifest) -> Observer:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(obj)
    return Observer(store, worlds.POLICY)


def world_of(*objects: Manifest) -> World:
    world = observed(worlds.eservice(), worlds.registration(), worlds.template(), *objects).eservice(KEY)
    assert isinstance(world, World)
    return world


def child(kind: str, name: str, namespace: str, owner: str, **more: Any) -> Manifest:
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{kind}-{namespace}-{name}",
        "resourceVersion": "5",
        "labels": {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/owner-uid": owner},
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata} | more


def served(world: World) -> list[tuple[str, str]]:
    """Whom a gateway serves one of the hosts."""
    assert all(claim.standing is Standing.SERVES for claim in world.claims)
    return [(claim.host, str(claim.owner)) for claim in world.claims]


def owner_uid() -> str:
    return str(worlds.eservice()["metadata"]["uid"])


def route(name: str, namespace: str, host: str, *, owner: str = "", accepted: bool = True) -> Manifest:
    gateway = {"namespace": "gateway-system", "name": "public"}
    accepts = {"type": "Accepted", "status": "True" if accepted else "False"}
    body = child(
        "HTTPRoute",
        name,
        namespace,
        owner,
        spec={"parentRefs": [gateway], "hostnames": [host]},
        status={"parents": [{"parentRef": gateway, "conditions": [accepts]}]},
    )
    if not owner:
        body["metadata"]["labels"] = {}
    else:
        body["metadata"]["labels"] |= {"eservice.dev/namespace": "other", "eservice.dev/eservice": "theirs"}
    return body


def test_records_are_those_that_name_the_eservice() -> None:
    foreign = worlds.act("foreign", spec={"eService": {"name": "another"}})
    world = world_of(
        worlds.act(), foreign, worlds.verification(), worlds.deferral("2026-12-31"), worlds.decision()
    )
    assert [act.metadata.name for act in world.acts] == ["act-1"]
    assert [one.metadata.name for one in world.verifications] == ["verified-1"]
    assert [one.metadata.name for one in world.deferrals] == ["deferral-1"]
    assert len(world.decisions) == 1
    assert set(world.templates) == {worlds.TEMPLATE}
    assert world.registration is not None


def test_an_act_that_cannot_be_read_accepts_nothing() -> None:
    broken = worlds.act()
    broken["spec"]["image"] = "registry.example/pmlp/address:latest"
    assert world_of(broken).acts == ()


def test_an_eservice_of_which_nothing_can_be_read_says_what_is_wrong() -> None:
    broken = worlds.eservice(spec={"environment": "Moon", "workload": {"port": 99_999}})
    observer = observed(broken)
    world = observer.eservice(KEY)
    assert isinstance(world, InvalidObject)
    assert any("spec.workload.port" in error for error in world.errors)
    metadata, status = observer.envelope(KEY)
    assert (metadata.name, status.observed_generation) == (worlds.NAME, -1)


def test_an_eservice_that_cannot_be_read_is_seen_as_it_last_ran() -> None:
    broken = worlds.eservice(spec={"template": {"version": "four"}, "publication": {"hosts": ["no host"]}})
    ran = worlds.eservice()["spec"]
    data = {
        "image": ran["release"]["image"],
        "template": ran["template"],
        "workload": {"port": 8081},
        "hosts": [worlds.HOST],
        "path": "/",
    }
    snapshot = child("ControllerRevision", "address-1", worlds.NAMESPACE, owner_uid(), data=data, revision=1)
    world = observed(broken, worlds.registration(), worlds.template(), snapshot).eservice(KEY)
    assert isinstance(world, World)
    assert any("spec.template.version" in error for error in world.errors)
    spec = world.service.spec
    assert (spec.registration, spec.environment.value) == (worlds.NAME, "Production")
    assert spec.template.version == ran["template"]["version"]
    assert (spec.workload.port, spec.publication.hosts) == (8081, (worlds.HOST,))
    assert set(world.templates) == {worlds.TEMPLATE}
    assert world.registration is not None


def test_there_is_no_world_of_what_is_not_there() -> None:
    assert observed().eservice(KEY) is None


def test_children_count_only_where_we_put_them() -> None:
    mine = child("Deployment", "address-1", worlds.NAMESPACE, owner_uid())
    forged = child("Deployment", "address-2", "elsewhere", owner_uid())
    stray = child("HTTPRoute", worlds.ROUTE, worlds.NAMESPACE, owner_uid(), spec={})
    public = child("HTTPRoute", worlds.ROUTE, worlds.ROUTES, owner_uid(), spec={})
    world = world_of(mine, forged, stray, public)
    assert set(world.children) == {("Deployment", "address-1"), ("HTTPRoute", worlds.ROUTE)}
    assert world.children["HTTPRoute", worlds.ROUTE].ref.namespace == worlds.ROUTES


def test_a_snapshot_that_is_none_is_left_out() -> None:
    broken = child(
        "ControllerRevision", "address-x", worlds.NAMESPACE, owner_uid(), data={"a": 1}, revision=3
    )
    assert world_of(broken).snapshots == ()


@pytest.mark.parametrize("patch, senior", [(EARLIER, True), (LATER, False)])
def test_the_oldest_has_the_place(patch: Manifest, senior: bool) -> None:
    rival = worlds.eservice(**worlds.merged(patch, {"metadata": {"name": "rival", "uid": "uid-rival"}}))
    assert (world_of(rival).senior is not None) is senior


def test_one_that_cannot_be_read_keeps_its_place() -> None:
    broken = {"metadata": {"name": "rival", "uid": "uid-rival"}, "spec": {"workload": {"port": 99_999}}}
    senior = world_of(worlds.eservice(**worlds.merged(EARLIER, broken))).senior
    assert senior is not None
    assert senior.name == "rival"


def test_a_rival_elsewhere_has_no_place_here() -> None:
    where = {"metadata": {"name": "rival", "uid": "uid-rival", "namespace": "squatter"}}
    assert world_of(worlds.eservice(**worlds.merged(EARLIER, where))).senior is None


def test_a_host_belongs_to_whom_the_register_gives_it_first() -> None:
    theirs = worlds.registration(metadata={"name": "theirs", "uid": "uid-theirs-registration"})
    theirs["spec"]["namespaces"] = [{"environment": "Production", "name": "other"}]
    where = {"metadata": {"name": "theirs", "uid": "uid-theirs", "namespace": "other"}}
    first = worlds.eservice(**worlds.merged(EARLIER, where), spec={"registration": "theirs"})
    (claim,) = world_of(theirs, first).claims
    assert (claim.host, str(claim.owner), claim.standing) == (
        worlds.HOST,
        "EService other/theirs",
        Standing.RESERVED,
    )
    assert world_of(first).claims == ()


def test_whoever_names_a_registration_elsewhere_takes_none_of_its_hosts() -> None:
    where = {"metadata": {"name": "squatter", "uid": "uid-squatter", "namespace": "elsewhere"}}
    assert world_of(worlds.eservice(**worlds.merged(EARLIER, where))).claims == ()


def test_claims_are_known_also_to_hosts_of_remembered_releases() -> None:
    snapshot = {
        "image": worlds.image("b"),
        "template": {"name": worlds.TEMPLATE, "version": "3.0.0"},
        "hosts": ["shop.latvija.example"],
    }
    kept = child("ControllerRevision", "address-x", worlds.NAMESPACE, owner_uid(), data=snapshot, revision=1)
    foreign = route("shop", "shop", "shop.latvija.example")
    assert served(world_of(kept, foreign)) == [("shop.latvija.example", "HTTPRoute shop/shop")]


@pytest.mark.parametrize(
    "foreign, claims",
    [
        (route("shop", "shop", worlds.HOST), [(worlds.HOST, "HTTPRoute shop/shop")]),
        (route("shop", "shop", worlds.HOST, accepted=False), []),
        (route("shop", "shop", "other.latvija.example"), []),
        (
            route("other.theirs", worlds.ROUTES, worlds.HOST, owner="uid-theirs"),
            [(worlds.HOST, "EService other/theirs")],
        ),
    ],
)
def test_a_route_that_a_gateway_accepts_is_a_claim(foreign: Manifest, claims: list[tuple[str, str]]) -> None:
    assert served(world_of(foreign)) == claims


def test_the_own_route_is_no_claim() -> None:
    own = route(worlds.ROUTE, worlds.ROUTES, worlds.HOST, owner=owner_uid())
    assert world_of(own).claims == ()


def test_the_preview_of_another_is_no_claim() -> None:
    preview = route("other.theirs.preview", worlds.ROUTES, worlds.HOST, owner="uid-theirs")
    preview["metadata"]["labels"]["eservice.dev/shows"] = "Preview"
    assert world_of(preview).claims == ()
    preview["metadata"]["namespace"] = "shop"
    assert served(world_of(preview)) == [(worlds.HOST, "HTTPRoute shop/other.theirs.preview")]


def test_the_preview_of_an_earlier_eservice_is_left_over_too() -> None:
    old = [
        route(name, worlds.ROUTES, worlds.HOST, owner="uid-of-the-deleted-one")
        for name in (worlds.ROUTE, f"{worlds.ROUTE}.preview")
    ]
    assert len(observed(*old).orphans(KEY)) == 2
    assert len(world_of(old[1]).leftovers) == 1


def test_a_route_of_an_earlier_eservice_is_left_over() -> None:
    old = route(worlds.ROUTE, worlds.ROUTES, worlds.HOST, owner="uid-of-the-deleted-one")
    assert world_of(old).leftovers
    assert observed(old).orphans(KEY)
    assert not world_of(route(worlds.ROUTE, worlds.ROUTES, worlds.HOST, owner=owner_uid())).leftovers
    assert not observed(route(worlds.ROUTE, worlds.ROUTES, worlds.HOST)).orphans(KEY)


def test_templates_of_the_public_release_and_of_decisions_are_there_too() -> None:
    other = worlds.template(metadata={"name": "older", "uid": "uid-older"})
    decided = worlds.decision(spec={"release": {"template": {"name": "older"}}})
    assert set(world_of(other, decided).templates) == {worlds.TEMPLATE, "older"}


def test_a_template_counts_whom_it_serves_in_production() -> None:
    public = {
        "name": "r",
        "image": worlds.image("a"),
        "template": {"name": worlds.TEMPLATE, "version": "3.0.0"},
    }
    serving = worlds.eservice(status={"release": {"public": public}})
    world = observed(serving, worlds.template()).template(ObjectKey("EServiceTemplate", "", worlds.TEMPLATE))
    assert isinstance(world, TemplateWorld)
    assert dict(world.in_use) == {"2.0.0": 0, "3.0.0": 1}


def test_registrations_see_who_names_the_same_namespace() -> None:
    other = worlds.registration(metadata={"name": "other", "uid": "uid-other"})
    key = ObjectKey("EServiceRegistration", "", worlds.NAME)
    world = observed(worlds.registration(), other).registration(key)
    assert isinstance(world, RegistrationWorld)
    assert [one.metadata.name for one in world.others] == ["other"]
    assert {"eservice-routes", "gateway-system", "kube-system"} <= world.reserved


@pytest.mark.parametrize("own, seen", [((7,), ["EP-000007"]), ((), ["EP-000002"])])
def test_a_registration_sees_its_own_number_or_else_the_highest(
    own: tuple[int, ...], seen: list[str]
) -> None:
    others = [worlds.identifier(number, f"other-{number}") for number in (1, 2)]
    mine = [worlds.identifier(number, worlds.NAME) for number in own]
    observer = observed(worlds.registration(), *others, *mine)
    world = observer.registration(ObjectKey("EServiceRegistration", "", worlds.NAME))
    assert isinstance(world, RegistrationWorld)
    assert sorted(entry.spec.identifier for entry in world.identifiers) == seen


def test_only_the_newest_verification_counts() -> None:
    newer = worlds.verification("verified-2", metadata={"creationTimestamp": "2026-10-13T08:00:00Z"})
    observer = observed(worlds.eservice(), worlds.verification(), newer)
    seen = {
        name: observer.record(ObjectKey("ProductionVerification", worlds.NAMESPACE, name))
        for name in ("verified-1", "verified-2")
    }
    assert all(isinstance(world, RecordWorld) and world.service is not None for world in seen.values())
    assert [world.newest for world in seen.values() if isinstance(world, RecordWorld)] == [False, True]
