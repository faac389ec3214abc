# SPDX-License-Identifier: Apache-2.0
"""What the brake counts where Gateways publish: routes, and of EServices only who stands for a registration.

The admin of an institution writes any EService in its namespace, with any status: neither others' decisions
are held for it, nor its own by fewer than there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.eservice import EService
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.cluster import fleets
from eservice_operator.cluster.counted import PublicOf, counted_of
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.counting import PublicService
from eservice_operator.core.dates import instant
from eservice_operator.core.driver import Shown
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.faces import Face
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.public_record import decision_text
from eservice_operator.core.releases import snapshot_of
from tests.cluster.test_fleets import DUE, changed, decided, due, public, services, stored
from tests.support import worlds
from tests.support.worlds import DAY, TEMPLATE

ELSEWHERE = "somebodys-own"
OVERDUE = "2.0.0"


def route(name: str, version: str = "3.0.0", face: Face = Face.LIVE, *, served: bool = True) -> Manifest:
    """The public route of an e-service, as the operator writes it and its Gateway answers."""
    spec = {"registration": name, "template": {"name": TEMPLATE, "version": version}}
    service = EService.model_validate(public(name) | worlds.eservice(metadata={"name": name}, spec=spec))
    shown = Shown(face, snapshot_of(service))
    body = driver_of(worlds.NOTICED).build(Owner.of(service.metadata), shown)
    said = [
        {"type": kind, "status": str(served), "observedGeneration": 1}
        for kind in ("Accepted", "ResolvedRefs")
    ]
    metadata = {"uid": f"route-{name}", "generation": 1, "resourceVersion": "1"}
    metadata["labels"] = body["metadata"]["labels"] | {names.OWNER_UID_LABEL: f"uid-{name}"}
    parent = {"parentRef": body["spec"]["parentRefs"][0], "conditions": said}
    whole: Manifest = worlds.merged(body, {"metadata": metadata, "status": {"parents": [parent]}})
    return whole


def seen(*objects: Manifest) -> tuple[Store, Observer]:
    return stored(*objects, policy=worlds.POLICY)


def without_status(name: str) -> Manifest:
    return public(name) | {"status": {"observedGeneration": -1}}


FORGED: dict[str, Callable[[str], Manifest]] = {
    "nothing": without_status,
    "that it is off": lambda name: public(name, up=False),
    "an overdue version": lambda name: public(name, OVERDUE),
    "another template": lambda name: public(name, template="other"),
}


@pytest.mark.parametrize("said", FORGED)
def test_a_route_is_believed_and_not_what_the_status_says(said: str) -> None:
    _, observer = seen(FORGED[said]("a"), route("a"))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    assert due(observer) == []


def test_what_is_overdue_by_its_route_counts_whatever_its_status_hides() -> None:
    _, observer = seen(*(forge(f"e{n}") for n, forge in enumerate(FORGED.values())), public("z"))
    assert due(observer) == [], "nothing is on a route"
    routes = [route(f"e{n}", OVERDUE) for n in range(len(FORGED))]
    _, observer = seen(*(forge(f"e{n}") for n, forge in enumerate(FORGED.values())), *routes)
    assert due(observer) == [f"e{n}" for n in range(len(FORGED))]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param([], id="no route"),
        pytest.param([route("a", face=Face.NOTICE)], id="the notice page"),
        pytest.param([route("a", served=False)], id="refused by its Gateway"),
        pytest.param([changed(route("a"), metadata={"namespace": worlds.NAMESPACE})], id="its own route"),
        pytest.param(
            [changed(route("a"), metadata={"labels": {names.OWNER_UID_LABEL: "earlier"}})],
            id="that of an earlier one",
        ),
    ],
)
def test_a_status_alone_serves_nobody(made: list[Manifest]) -> None:
    _, observer = seen(public("a", OVERDUE), *made)
    assert [one.published for one in services(observer)] == [False]
    assert due(observer) == []


def test_only_the_e_service_that_stands_for_a_registration_counts() -> None:
    """Who names others' registrations elsewhere, its own once more, or one that nobody has."""
    forged = [
        public("rogue", OVERDUE, namespace=ELSEWHERE),
        *(_again(number, creationTimestamp="2026-10-30T08:00:00Z") for number in range(20)),
    ]
    store, observer = seen(public("a"), route("a"), *forged)
    store.upsert(_named(public("nobodys", OVERDUE), "not-there"))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    assert due(observer) == []


IN_EFFECT = RememberedDecision.model_validate(
    {
        "name": "a-production-001",
        "template": {"name": TEMPLATE, "version": OVERDUE},
        "effectiveAt": instant(DUE - 9 * DAY),
        "effectiveSince": instant(DUE - 9 * DAY),
    }
)
RECORDS = {
    "in effect for long": IN_EFFECT,
    "ended": IN_EFFECT.model_copy(update={"effective_at": None, "effective_since": None}),
    "a later one": IN_EFFECT.model_copy(update={"name": "a-production-002"}),
}


def recording(decision: RememberedDecision | None, face: Face = Face.NOTICE) -> Manifest:
    """The route of an e-service, with the record of a decision about it."""
    body = route("a", face=face)
    body["metadata"]["annotations"] |= decision_text(decision)
    return body


@pytest.mark.parametrize("record", RECORDS)
def test_a_decision_without_a_status_counts_as_its_route_records_it(record: str) -> None:
    """By its spec alone it would be about to take effect."""
    store, observer = seen(without_status("a"), recording(None), decided("a"))
    assert due(observer) == ["a"]
    store.upsert(changed(recording(RECORDS[record])))
    assert due(observer) == [], "also where the record comes later"
    _, observer = seen(without_status("a"), decided("a"), recording(RECORDS[record]))
    assert due(observer) == []
    held = decided("a") | {"status": {"observedGeneration": 1, "state": "Scheduled", "reason": "Scheduled"}}
    _, observer = seen(without_status("a"), held, recording(RECORDS[record]))
    assert due(observer) == ["a"], "one that was judged counts as it says"


def test_the_record_of_an_earlier_e_service_is_as_good() -> None:
    """Restored, it has another UID, and is led to by another route."""
    earlier = changed(recording(IN_EFFECT), metadata={"labels": {names.OWNER_UID_LABEL: "earlier"}})
    _, observer = seen(without_status("a"), decided("a"), earlier)
    assert due(observer) == []


def test_of_an_ingress_and_of_an_institution_no_record_is_believed() -> None:
    forged = changed(recording(IN_EFFECT), metadata={"namespace": worlds.NAMESPACE})
    _, observer = seen(without_status("a"), decided("a"), forged)
    assert due(observer) == ["a"]
    _, observer = stored(without_status("a"), decided("a"), recording(IN_EFFECT))
    assert due(observer) == ["a"]


def test_what_changes_on_a_route_is_counted_anew() -> None:
    store, observer = seen(public("a"), route("a", OVERDUE))
    assert due(observer) == ["a"]
    off = changed(route("a", OVERDUE, Face.NOTICE))
    store.upsert(off)
    assert due(observer) == []
    store.upsert(changed(changed(route("a", OVERDUE))))
    assert due(observer) == ["a"]
    store.upsert(changed(changed(changed(route("a")))))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    store.delete(changed(changed(changed(changed(off)))))
    assert services(observer) == [PublicService("a", "3.0.0", False)], "by its status: it was public once"


def test_a_registration_that_comes_later_or_moves_is_counted_anew() -> None:
    store, observer = seen(public("a"), route("a"))
    registration = worlds.registration(metadata={"name": "a", "uid": "of-a"})
    elsewhere = {"namespaces": [{"name": ELSEWHERE, "environment": "Production"}]}
    store.upsert(changed(registration, spec=elsewhere))
    assert services(observer) == []
    store.upsert(changed(changed(registration)))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    store.delete(changed(changed(changed(registration))))
    assert services(observer) == [PublicService("a", "3.0.0", True)], "it is served, and decided upon"


def test_a_registration_that_comes_later_or_moves_tells_what_its_route_records() -> None:
    """Restored beside a running operator it counts as for one that starts afterwards."""
    earlier = changed(recording(IN_EFFECT), metadata={"labels": {names.OWNER_UID_LABEL: "earlier"}})
    registration = worlds.registration(metadata={"name": "a", "uid": "of-a"})
    elsewhere = {"namespaces": [{"name": ELSEWHERE, "environment": "Production"}]}
    store = Store(INDEXES)
    another = changed(without_status("a"), metadata={"namespace": ELSEWHERE, "uid": "another"})
    for body in (worlds.template(), decided("a"), without_status("a"), another, earlier):
        store.upsert(body)
    observer = Observer(store, worlds.POLICY)
    assert due(observer) == ["a"], "nobody knows whose route it is"
    store.upsert(registration)
    assert due(observer) == due(Observer(store, worlds.POLICY)) == []
    store.upsert(changed(registration, spec=elsewhere))
    assert due(observer) == due(Observer(store, worlds.POLICY)) == ["a"]


def test_without_its_registration_an_e_service_counts_by_its_route() -> None:
    """R8: it is decided upon all the same; and who only names a registration that nobody has, is not."""
    rogues = [_named(public(f"rogue-{number}", OVERDUE, namespace=ELSEWHERE), "a") for number in range(6)]
    store = Store(INDEXES)
    for body in (worlds.template(), *rogues, public("a", OVERDUE), route("a", OVERDUE), public("b", OVERDUE)):
        store.upsert(body)
    observer = Observer(store, worlds.POLICY)
    assert services(observer) == [PublicService("a", OVERDUE, True)]
    assert due(observer) == ["a"]
    store.upsert(changed(route("a", OVERDUE, served=False)))
    assert due(observer) == []
    by_status = Store(INDEXES)
    for body in (worlds.template(), *rogues, public("a", OVERDUE)):
        by_status.upsert(body)
    assert services(Observer(by_status, worlds.BY_INGRESS)) == [], "an Ingress proves nothing"


def test_a_route_of_a_tenant_s_own_has_nobody_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its labels say: each look at a fleet would cost as much as the tenant likes."""
    store, observer = seen(public("a"), route("a"))
    assert services(observer) == [PublicService("a", "3.0.0", True)]
    counted: list[str] = []

    def noted(name: str, reading: Reading, policy: Policy) -> PublicOf | None:
        counted.append(name)
        return counted_of(name, reading, policy)

    monkeypatch.setattr(fleets, "counted_of", noted)
    forged = changed(route("a", OVERDUE), metadata={"namespace": worlds.NAMESPACE, "uid": "forged"})
    store.upsert(forged)
    assert len(services(observer)) == 1
    store.delete(changed(forged))
    assert len(services(observer)) == 1
    assert counted == []
    store.upsert(changed(route("a", OVERDUE)))
    assert services(observer) == [PublicService("a", OVERDUE, True)]
    assert counted == ["a"]


def test_the_next_one_counts_once_the_oldest_goes() -> None:
    younger = changed(_again(1, creationTimestamp="2026-10-30T08:00:00Z"))
    store, observer = seen(public("a"), route("a", OVERDUE), younger)
    assert due(observer) == ["a"]
    store.upsert(public("a", deletionTimestamp="2026-11-01T08:00:00Z", resourceVersion="2"))
    assert services(observer) == [PublicService("a", "2.0.0", False)]


def _named(body: Manifest, registration: str) -> Manifest:
    named: Manifest = worlds.merged(body, {"spec": {"registration": registration}})
    return named


def _again(number: int, **metadata: Any) -> Manifest:
    """Another one for the registration ``a`` beside it, by its status on a version of its own."""
    return _named(public(f"again-{number}", f"2.0.{number}" if number > 1 else OVERDUE, **metadata), "a")
