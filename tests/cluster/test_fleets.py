# SPDX-License-Identifier: Apache-2.0
"""The fleet of a template as the store has it: what the brake counts."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import datetime
from typing import Any

from eservice_operator.api.base import EServiceRef
from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.counting import Part, PublicService
from eservice_operator.core.dates import instant
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.tally import Tally
from eservice_operator.core.world import TemplateWorld, World
from tests.support import worlds
from tests.support.worlds import NAME, NAMESPACE, TEMPLATE, image

HELD = "0123456789"
PLACE = EServiceRef(namespace=NAMESPACE, name=NAME)
BY_STATUS = worlds.BY_INGRESS
"""Of an Ingress the status is believed."""


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


def placed(name: str, **patch: Any) -> Manifest:
    """The registration of an e-service, in the namespace of this file unless it says otherwise."""
    return worlds.registration(metadata={"name": name, "uid": f"of-{name}"}, **patch)


def stored(*objects: Manifest, policy: Policy = BY_STATUS) -> tuple[Store, Observer]:
    """Each e-service with its registration."""
    store = Store(INDEXES)
    named = {obj["spec"]["registration"] for obj in objects if obj["kind"] == "EService"}
    for obj in (worlds.template(), *objects, *map(placed, sorted(named))):
        store.upsert(obj)
    return store, Observer(store, policy)


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
    bodies = (
        one for one in gc.get_objects() if issubclass(type(one), dict) and one.get("kind") == "EService"
    )
    metadata = (body.get("metadata") for body in bodies)
    return sum(isinstance(one, dict) and str(one.get("uid")).startswith("uid-kept-") for one in metadata)


def test_only_the_newest_version_of_an_object_is_kept_and_nothing_of_one_that_is_gone() -> None:
    store, observer = stored(*(placed(f"kept-{number}") for number in range(10)))
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
    _, observer = stored(public("a"), rogue, decided("a"), decided("b"))
    fleet = fleet_of(observer)
    found = {one.spec.registration: fleet.forsaken(one) for one in fleet.decisions}
    assert found == {"a": False, "b": True}


DUE = worlds.at("2026-11-01", "00:00")
"""The instant that the decisions of this file promise."""


def due(observer: Observer, now: datetime = DUE) -> list[str]:
    """The registrations whose decisions the brake counts."""
    world = observer.template(ObjectKey("EServiceTemplate", "", TEMPLATE))
    assert isinstance(world, TemplateWorld)
    known = KnownTemplate(world.template, world.catalogue)
    return sorted(one.subject[0] for one in world.fleet.tally(known, now, worlds.POLICY).counted())


def changed(body: Manifest, **patch: Any) -> Manifest:
    """A later version of an object."""
    version = str(int(body["metadata"]["resourceVersion"]) + 1)
    later: Manifest = worlds.merged(body, {"metadata": {"resourceVersion": version}} | patch)
    return later


def decided_late(name: str) -> Manifest:
    later: Manifest = worlds.merged(decided(name), {"spec": {"effectiveAt": "2026-12-01T00:00:00Z"}})
    return later


def tally_of(observer: Observer, now: datetime = DUE, policy: Policy = worlds.POLICY) -> Tally:
    world = observer.eservice(ObjectKey("EService", NAMESPACE, "a"))
    assert isinstance(world, World)
    return world.fleet(TEMPLATE).tally(world.templates[TEMPLATE], now, policy)


def test_a_fleet_is_counted_once_for_an_instant_a_template_and_a_policy() -> None:
    store, observer = stored(public("a"), public("b"), decided("a"), decided("b"))
    first = tally_of(observer)
    store.upsert(changed(public("b"), status=public("b", up=False)["status"]))
    store.upsert(changed(decided("b"), status={"state": "Effective", "effectiveSince": instant(DUE)}))
    assert tally_of(observer) is first, "a state of one of them is counted by itself"
    assert [one.part for one in first.counted() if one.subject[0] == "b"] == [Part.GONE]
    assert tally_of(observer, DUE + worlds.SECOND) is not first
    assert tally_of(observer, DUE) is not first, "only the last instant is kept"
    assert tally_of(observer, policy=replace(worlds.POLICY, clock_trusted=False)) is not tally_of(observer)
    kept = tally_of(observer)
    store.upsert(changed(worlds.template(), spec={"lifecycle": {"brake": {"atLeast": 9}}}))
    assert tally_of(observer) is not kept


def test_what_says_when_a_decision_takes_effect_is_counted_anew() -> None:
    put_off = worlds.deferral("2026-12-31", spec={"eService": {"name": "a"}})
    at_a = decided("a") | {"spec": decided("a")["spec"] | {"eService": {"namespace": NAMESPACE, "name": "a"}}}
    store, observer = stored(public("a"), public("b"), at_a, decided("b"))
    assert due(observer) == ["a", "b"]
    store.upsert(put_off)
    assert due(observer) == ["b"], "deferred"
    store.delete(changed(put_off))
    assert due(observer) == ["a", "b"]
    leaving = changed(public("b"))
    store.delete(leaving)
    assert due(observer) == ["a"], "nobody is left whom it is about"
    store.upsert(changed(leaving))
    assert due(observer) == ["a", "b"]
    elsewhere = {"namespaces": [{"name": "elsewhere", "environment": "Production"}]}
    store.upsert(changed(placed("b"), spec=elsewhere))
    assert due(observer) == ["a"], "the e-service of that name is somebody else's"


def test_the_kept_tally_is_that_of_a_fresh_look() -> None:
    store, observer = stored(*(public(name, "2.0.0") for name in "abcd"), *(decided(name) for name in "ab"))
    assert due(observer) == ["a", "b", "c", "d"]
    for change, expected in (
        (changed(decided("a"), status={"state": "Closed", "reason": "Renewed"}), "abcd"),
        (public("a", "2.0.0", up=False, resourceVersion="2"), "bcd"),
        (decided("c"), "bcd"),
        (changed(decided_late("b")), "cd"),
        (public("d", "2.0.0", deletionTimestamp="2026-11-01T08:00:00Z", resourceVersion="2"), "c"),
    ):
        store.upsert(change)
        assert due(observer) == list(expected)
        assert due(Observer(store, BY_STATUS)) == list(expected)
    store.delete(changed(decided("c")))
    assert due(observer) == ["c"], "it is about to be decided upon again"
    store.delete(changed(public("c", "2.0.0")))
    assert due(observer) == []


def test_the_world_of_an_e_service_can_ask_for_it() -> None:
    _, observer = stored(public("a"), public("b"), decided("b"))
    world = observer.eservice(ObjectKey("EService", NAMESPACE, "a"))
    assert isinstance(world, World)
    fleet = world.fleet(TEMPLATE)
    assert len(fleet.services) == 2
    assert [one.spec.registration for one in fleet.decisions] == ["b"]
