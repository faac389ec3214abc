# SPDX-License-Identifier: Apache-2.0
"""However e-services, registrations and verifications come, change and go: whoever is concerned is woken.

That is of whom something else is to be said now than before the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.standings import Standings
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.contests import contenders
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.records import record_status
from eservice_operator.core.world import RecordWorld, World
from eservice_operator.runtime.triggers import triggers_for
from tests.support import worlds
from tests.support.worlds import NOW, POLICY, merged

NAMESPACES, NAMES, REGISTRATIONS = ("one", "two"), ("a", "b", "c"), ("r", "s")
HOME = dict(zip(NAMESPACES, REGISTRATIONS, strict=True))
HOSTS = ("x.example.lv", "y.example.lv")
INSTANTS = ("2026-01-01T08:00:00Z", "2026-01-01T08:00:01Z", "2026-10-12T08:00:00Z")
VERIFICATIONS = ("v", "w", "x")
GONE = {"metadata": {"deletionTimestamp": "2026-10-13T08:00:00Z"}}
keys_for = triggers_for((POLICY.gateway,))
Edit = Manifest | ObjectKey
"""An object as it is from now on, or the key of one that goes."""


def eservice(
    place: tuple[str, str], registration: str, hosts: Sequence[str], made: str, more: Manifest
) -> Manifest:
    """One that names the registration of its namespace, but for those of ``other``."""
    namespace, name = place
    registration = registration or HOME[namespace]
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": made}
    metadata["uid"] = f"uid-{namespace}-{name}-{made}-{registration}"
    spec = {"registration": registration, "publication": {"hosts": list(hosts)}}
    return dict(merged(worlds.eservice(metadata=metadata, spec=spec), more))


def registration(name: str, namespace: str, hosts: Sequence[str], more: Manifest) -> Manifest:
    places = [{"environment": "Production", "name": namespace}]
    spec = {"namespaces": places, "hosts": [{"environment": "Production", "host": host} for host in hosts]}
    status = {"namespaces": [{**place, "state": "Ready"} for place in places]}
    body = worlds.registration(metadata={"name": name, "uid": f"uid-{name}"}, spec=spec, status=status)
    return dict(merged(body, more))


def verification(name: str, service: str, image: str, made: str, more: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": "one", "uid": f"uid-{name}-{made}", "creationTimestamp": made}
    spec = {"eService": service, "image": worlds.image(image)}
    return dict(merged(worlds.verification(name, metadata=metadata, spec=spec), more))


places = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
hosts = st.sets(st.sampled_from(HOSTS), min_size=1).map(sorted)
given_hosts = st.sets(st.sampled_from(HOSTS)).map(sorted)
instants = st.sampled_from(INSTANTS)
unreadable = {"spec": {"publication": {"path": 7}}}
services = st.builds(
    eservice,
    places,
    st.sampled_from(("", "", "", *REGISTRATIONS)),
    hosts,
    instants,
    st.sampled_from(({}, {}, GONE, unreadable, {"metadata": {"annotations": {"a": "b"}}})),
)
registrations = st.builds(
    registration,
    st.sampled_from(REGISTRATIONS),
    st.sampled_from(NAMESPACES),
    given_hosts,
    st.sampled_from(({}, {}, {"status": {"namespaces": []}}, {"status": {"conditions": []}})),
)
verifications = st.builds(
    verification,
    st.sampled_from(VERIFICATIONS),
    st.sampled_from("aaab"),
    st.sampled_from("aaab"),
    instants,
    st.sampled_from(({}, {}, {"spec": {"outcome": "Perhaps"}})),
)
gone = st.one_of(
    places.map(lambda place: ObjectKey("EService", *place)),
    st.sampled_from(REGISTRATIONS).map(lambda name: ObjectKey("EServiceRegistration", "", name)),
    st.sampled_from(VERIFICATIONS).map(lambda name: ObjectKey("ProductionVerification", "one", name)),
)
edits = st.one_of(services, services, registrations, verifications, gone)


class Place:
    """A store, and what is said of everything in it."""

    def __init__(self) -> None:
        self.store = Store(INDEXES)
        self._versions = count(1)
        for body in (worlds.template(), *(registration(HOME[name], name, HOSTS, {}) for name in NAMESPACES)):
            self.store.upsert(slim(self._newer(body)))
        self._observer = Observer(self.store, POLICY)

    def make(self, edit: Edit) -> Change | None:
        """What an edit changes; nothing, where what is to go is not there."""
        if not isinstance(edit, ObjectKey):
            return self.store.upsert(slim(self._newer(edit)))
        body = self.store.get(*edit)
        return None if body is None else self.store.delete(self._newer(body))

    def said(self) -> dict[ObjectKey, Any]:
        kinds = ("EService", "ProductionVerification")
        keys = (key_of(body) for kind in kinds for body in self.store.all(kind))
        return {key: self._said(key) for key in keys}

    def _said(self, key: ObjectKey) -> Any:
        if key.kind == "EService":
            world = self._observer.eservice(key)
            if not isinstance(world, World):
                return world
            decision = decide(world, NOW, POLICY)
            facts = decision.facts
            return decision.rollout.gates, contenders(facts), facts.stands, facts.registered_namespace
        record = self._observer.record(key)
        if not isinstance(record, RecordWorld):
            return record
        (ready,) = record_status(record, NOW, POLICY).conditions
        return ready.reason

    def _newer(self, body: Manifest) -> Manifest:
        return dict(merged(body, {"metadata": {"resourceVersion": str(next(self._versions))}}))


there = st.lists(services | verifications, min_size=6, max_size=10)


def concerned(place: Place, edit: Edit) -> set[ObjectKey]:
    """Of whom something else is to be said after an edit; each of them is woken."""
    before = place.said()
    change = place.make(edit)
    after = place.said()
    woken = set() if change is None else set(keys_for(change, place.store))
    found = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    assert found <= woken, edit
    return found


@given(there, st.lists(edits, min_size=1, max_size=6))
def test_of_whom_something_else_is_to_be_said_is_woken(first: list[Edit], made: list[Edit]) -> None:
    place = Place()
    for edit in first:
        place.make(edit)
    for edit in made:
        concerned(place, edit)


X, Y = HOSTS
EARLY, LATER, LATE = INSTANTS
OLDER = eservice(("one", "a"), "r", [X], EARLY, {})
YOUNGER = eservice(("one", "b"), "r", [Y], LATER, {})
RIVAL = eservice(("two", "c"), "s", [Y], LATE, {})
FIRST, SECOND = verification("v", "a", "a", EARLY, {}), verification("w", "a", "a", LATER, {})
UNREADABLE = verification("w", "a", "a", LATER, {"spec": {"outcome": "Perhaps"}})


@pytest.mark.parametrize(
    "first, edit, whom",
    [
        ([OLDER, YOUNGER, RIVAL], key_of(OLDER), {key_of(YOUNGER), key_of(RIVAL)}),
        ([YOUNGER, RIVAL], OLDER, {key_of(YOUNGER), key_of(RIVAL)}),
        ([OLDER, YOUNGER], merged(OLDER, GONE), {key_of(YOUNGER)}),
        ([OLDER, merged(YOUNGER, GONE)], key_of(OLDER), {key_of(YOUNGER)}),
        ([YOUNGER], RIVAL, {key_of(YOUNGER)}),
        ([YOUNGER, RIVAL], merged(YOUNGER, unreadable), {key_of(YOUNGER), key_of(RIVAL)}),
        ([YOUNGER, RIVAL], registration("r", "one", [X], {}), {key_of(YOUNGER), key_of(RIVAL)}),
        ([YOUNGER, RIVAL], registration("r", "two", HOSTS, {}), {key_of(YOUNGER), key_of(RIVAL)}),
        ([YOUNGER, RIVAL], ObjectKey("EServiceRegistration", "", "r"), {key_of(YOUNGER), key_of(RIVAL)}),
        ([YOUNGER], registration("r", "one", HOSTS, {"status": {"namespaces": []}}), {key_of(YOUNGER)}),
        ([OLDER, FIRST], SECOND, {key_of(FIRST)}),
        ([OLDER, FIRST, SECOND], key_of(SECOND), {key_of(FIRST)}),
        ([OLDER, FIRST, SECOND], UNREADABLE, {key_of(FIRST), key_of(SECOND)}),
        ([OLDER, FIRST, UNREADABLE], verification("x", "a", "a", LATE, {}), {key_of(FIRST)}),
        ([OLDER, FIRST], key_of(OLDER), {key_of(FIRST)}),
        ([OLDER, FIRST], merged(OLDER, unreadable), {key_of(OLDER), key_of(FIRST)}),
    ],
)
def test_so_it_is_in_each_way_in_which_they_concern_each_other(
    first: list[Manifest], edit: Edit, whom: set[ObjectKey]
) -> None:
    place = Place()
    for body in first:
        place.make(body)
    assert concerned(place, edit) >= whom


@given(st.lists(services | gone, max_size=20))
def test_the_senior_is_the_next_older_one_that_stays(made: list[Edit]) -> None:
    place = Place()
    standings = place.store.beside(Standings)
    for edit in made:
        place.make(edit)
    groups: dict[Any, list[tuple[str, str]]] = {}
    for body in place.store.all("EService"):
        group = body["metadata"]["namespace"], body["spec"]["registration"]
        if "deletionTimestamp" not in body["metadata"]:
            rank = body["metadata"]["creationTimestamp"], body["metadata"]["name"]
            groups.setdefault(group, []).append(rank)
    observer = Observer(place.store, POLICY)
    for (namespace, _), ranks in groups.items():
        for older, younger in pairwise(sorted(ranks)):
            world = observer.eservice(ObjectKey("EService", namespace, younger[1]))
            if isinstance(world, World):
                assert world.senior is not None
                assert world.senior.name == older[1]
        first = observer.eservice(ObjectKey("EService", namespace, min(ranks)[1]))
        assert not isinstance(first, World) or first.senior is None
    again = Standings(place.store)
    assert {host: list(standings.naming(host)) for host in HOSTS} == {
        host: list(again.naming(host)) for host in HOSTS
    }, "kept up with the store, it is what is made of it anew"


@pytest.mark.parametrize("answer", [False, True])
def test_what_is_kept_beside_a_store_is_made_once(answer: bool) -> None:
    store = Store(INDEXES)
    made = store.beside(Standings)
    if answer:
        store.upsert(slim(eservice(("one", "a"), "r", HOSTS, INSTANTS[0], {})))
    assert store.beside(Standings) is made
