# SPDX-License-Identifier: Apache-2.0
"""The fleet of a template as the store has it: what the brake counts."""

from __future__ import annotations

import gc

from eservice_operator.api.base import EServiceRef
from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.fleet import Fleet, PublicService
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.world import TemplateWorld, World
from tests.support import worlds
from tests.support.worlds import NAME, NAMESPACE, TEMPLATE, image

HELD = "0123456789"
PLACE = EServiceRef(namespace=NAMESPACE, name=NAME)


def public(
    name: str, version: str = "3.0.0", template: str = TEMPLATE, *, up: bool = True, **metadata: object
) -> Manifest:
    """An e-service that serves the public a version; its spec names another."""
    body = worlds.eservice(
        metadata={"name": name, "uid": f"uid-{name}"} | metadata,
        spec={"registration": name, "template": {"name": "another", "version": "9.0.0"}},
    )
    release = {"name": "r", "image": image("a"), "template": {"name": template, "version": version}}
    body["status"] = {
        "observedGeneration": 1,
        "release": {"public": release},
        "conditions": [worlds.condition("Published", "Published", "True" if up else "False", "why")],
    }
    return body


def decided(name: str, template: str = TEMPLATE) -> Manifest:
    return worlds.decision(
        metadata={"name": f"{name}-production-001", "uid": f"uid-of-{name}"},
        spec={"registration": name, "release": {"template": {"name": template}}},
    )


def stored(*objects: Manifest) -> tuple[Store, Observer]:
    store = Store(INDEXES)
    for obj in (worlds.template(), *objects):
        store.upsert(obj)
    return store, Observer(store, worlds.POLICY)


def fleet_of(observer: Observer, template: str = TEMPLATE) -> Fleet:
    world = observer.template(ObjectKey("EServiceTemplate", "", template))
    assert isinstance(world, TemplateWorld)
    return world.fleet


def services(observer: Observer, template: str = TEMPLATE) -> list[PublicService]:
    return sorted(fleet_of(observer, template).services, key=lambda service: service.registration)


def test_the_public_release_counts_and_not_the_spec() -> None:
    _, observer = stored(public("a"), public("b", "2.0.0", up=False))
    assert services(observer) == [PublicService("a", "3.0.0", True), PublicService("b", "2.0.0", False)]


def test_these_are_not_counted() -> None:
    in_test = public("t")
    in_test["spec"]["environment"] = "Test"
    leaving = public("l", deletionTimestamp="2026-11-01T08:00:00Z", finalizers=["eservice.dev/route"])
    never_public = public("n")
    del never_public["status"]["release"]
    elsewhere = public("e", template="other")
    _, observer = stored(in_test, leaving, never_public, elsewhere)
    assert services(observer) == []


def test_templates_do_not_mix() -> None:
    other = worlds.template(metadata={"name": "other", "uid": "uid-other"})
    _, observer = stored(
        other, public("a"), public("b", template="other"), decided("a"), decided("b", "other")
    )
    for template, name in ((TEMPLATE, "a"), ("other", "b")):
        fleet = fleet_of(observer, template)
        assert [one.registration for one in fleet.services] == [name]
        assert [one.spec.registration for one in fleet.decisions] == [name]


def test_a_decision_that_cannot_be_read_is_left_out() -> None:
    broken = decided("b")
    broken["spec"]["maximumLag"] = "some time"
    _, observer = stored(decided("a"), broken)
    assert [one.spec.registration for one in fleet_of(observer).decisions] == ["a"]


def test_what_changed_is_read_anew() -> None:
    store, observer = stored(public("a"), decided("a"))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    assert fleet_of(observer).decisions[0].status.hold_token is None
    down = public("a", up=False, resourceVersion="2")
    held = worlds.merged(decided("a"), {"metadata": {"resourceVersion": "2"}, "status": {"holdToken": HELD}})
    store.upsert(down)
    store.upsert(held)
    assert services(observer) == [PublicService("a", "3.0.0", False)]
    assert fleet_of(observer).decisions[0].status == UnpublishDecisionStatus(hold_token=HELD)
    store.delete(down | {"metadata": down["metadata"] | {"resourceVersion": "3"}})
    assert services(observer) == []


def kept() -> int:
    """How many e-services with a fleet's name are in memory, whoever holds them."""
    gc.collect()
    bodies = (one for one in gc.get_objects() if type(one) is dict and one.get("kind") == "EService")
    metadata = (body.get("metadata") for body in bodies)
    return sum(isinstance(one, dict) and str(one.get("uid")).startswith("uid-kept-") for one in metadata)


def test_only_the_newest_version_of_an_object_is_kept_and_nothing_of_one_that_is_gone() -> None:
    store, observer = stored()
    for version in range(1, 101):
        for number in range(10):
            store.upsert(public(f"kept-{number}", up=version % 2 == 0, resourceVersion=str(version)))
        assert {one.published for one in services(observer)} == {version % 2 == 0}
    assert kept() == 10
    for number in range(4):
        store.delete(public(f"kept-{number}", resourceVersion="101"))
    assert len(services(observer)) == 6
    assert kept() == 6


def test_one_that_moves_to_another_template_leaves_the_first() -> None:
    store, observer = stored(
        worlds.template(metadata={"name": "other", "uid": "uid-other"}), public("a"), public("b")
    )
    assert len(services(observer)) == 2
    store.upsert(public("a", template="other", resourceVersion="2"))
    assert [one.registration for one in services(observer)] == ["b"]
    assert [one.registration for one in services(observer, "other")] == ["a"]
    store.upsert(public("a", template="other", resourceVersion="3") | {"status": {}})
    assert services(observer, "other") == []


def test_deferrals_are_those_that_name_the_e_service() -> None:
    other = worlds.deferral("2027-01-01", "other", spec={"eService": {"name": "other"}})
    _, observer = stored(decided("a"), worlds.deferral("2026-12-31"), other)
    found = fleet_of(observer).deferrals(PLACE)
    assert [one.metadata.name for one in found] == ["deferral-1"]
    assert fleet_of(observer).deferrals(EServiceRef(namespace=NAMESPACE, name="none")) == ()


def test_a_decision_is_forsaken_when_no_e_service_of_its_registration_is_left() -> None:
    in_test = public("b")
    in_test["spec"]["environment"] = "Test"
    _, observer = stored(public("a"), in_test, decided("a"), decided("b"), decided("c"))
    fleet = fleet_of(observer)
    found = {one.spec.registration: fleet.forsaken(one) for one in fleet.decisions}
    assert found == {"a": False, "b": True, "c": True}


def test_who_names_a_registration_from_elsewhere_keeps_no_decision_alive() -> None:
    rogue = public("b", namespace="somebodys-own")
    registered = [worlds.registration(metadata={"name": name, "uid": f"of-{name}"}) for name in ("a", "b")]
    _, observer = stored(public("a"), rogue, decided("a"), decided("b"), *registered)
    fleet = fleet_of(observer)
    found = {one.spec.registration: fleet.forsaken(one) for one in fleet.decisions}
    assert found == {"a": False, "b": True}


def test_the_world_of_an_e_service_can_ask_for_it() -> None:
    _, observer = stored(public("a"), public("b"), decided("b"))
    world = observer.eservice(ObjectKey("EService", NAMESPACE, "a"))
    assert isinstance(world, World)
    fleet = world.fleet(TEMPLATE)
    assert len(fleet.services) == 2
    assert [one.spec.registration for one in fleet.decisions] == ["b"]
