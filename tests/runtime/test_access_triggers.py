# SPDX-License-Identifier: Apache-2.0
"""Whom a change concerns that access rests on: everybody whose answer it changes, and nobody by a status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.ownership import MARKS
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.access.case import AgentCase
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import use_standing
from eservice_operator.core.access.worlds import AssignmentWorld, GrantWorld, WebServiceWorld
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from eservice_operator.core.records import record_status
from eservice_operator.core.world import RecordWorld, World
from eservice_operator.runtime.triggers import triggers_for
from tests.support import access, holders, worlds
from tests.support.holders import CONSUMER, CONSUMER_TEST, HOLDER, HOLDER_TEST, REGISTER
from tests.support.worlds import NAME, NOW, POLICY, RIGA, merged

GRANT = ObjectKey("WebServiceGrant", HOLDER, "address")
TEST_GRANT = ObjectKey("WebServiceGrant", HOLDER_TEST, "address")
AGENTS = ObjectKey("WebServiceGrant", HOLDER, "evry")
WEB_SERVICE = ObjectKey("WebService", HOLDER, REGISTER)
TEST_SERVICE = ObjectKey("WebService", HOLDER_TEST, REGISTER)
ASSIGNMENT = ObjectKey("AgentAssignment", HOLDER, "evry")
SERVICE = ObjectKey("EService", CONSUMER, NAME)
TWIN = ObjectKey("EService", CONSUMER_TEST, NAME)
APPLICATION = ObjectKey("EService", "evry-production", NAME)
CUSTOMER = ObjectKey("EService", "ogre-production", NAME)
RECORD = ObjectKey("ConnectionTest", "", holders.connection_test()["metadata"]["name"])
GRANTS = (GRANT, TEST_GRANT, AGENTS)
OURS = (*GRANTS, WEB_SERVICE, TEST_SERVICE, ASSIGNMENT, SERVICE, TWIN, APPLICATION, CUSTOMER, RECORD)

TIMES = Times(NOW, RIGA)
keys_for = triggers_for((POLICY.gateway,))


def at(key: ObjectKey, *uses: Manifest) -> Manifest:
    metadata = {"namespace": key.namespace, "uid": f"uid-{key.namespace}"}
    own = {
        "uses": list(uses),
        "registration": key.namespace,
        "publication": {"hosts": [f"{key.namespace}.latvija.example"]},
    }
    return worlds.eservice(metadata=metadata, spec=own)


def ordering() -> Manifest:
    return {"name": "persons", "webService": {"namespace": HOLDER, "name": REGISTER}, "agent": "evry"}


def everything() -> tuple[Manifest, ...]:
    consumer = {"namespace": APPLICATION.namespace, "name": NAME}
    agents = holders.grant("evry", spec={"consumer": consumer, "agent": {"assignment": "evry"}})
    registrations = (
        worlds.registration(metadata={"name": key.namespace, "uid": f"uid-{key.namespace}"})
        for key in (APPLICATION, CUSTOMER)
    )
    return (
        *holders.granted(),
        agents,
        holders.assignment(),
        at(APPLICATION, holders.USE),
        at(CUSTOMER, ordering()),
        holders.connection_test(),
        *registrations,
    )


def filled(objects: Iterable[Manifest]) -> Store:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(slim(obj))
    return store


def said(store: Store) -> dict[ObjectKey, Any]:
    """What is decided and said of each of ours, as far as access goes."""
    observer = Observer(store, POLICY)
    return {key: _said(key, observer) for key in OURS}


def _said(key: ObjectKey, observer: Observer) -> Any:
    world = observer.access.grant(key) if key.kind == "WebServiceGrant" else None
    if isinstance(world, GrantWorld):
        return standings(world.case, TIMES), world.case.offer and world.case.offer.pods
    offered = observer.access.web_service(key) if key.kind == "WebService" else None
    if isinstance(offered, WebServiceWorld):
        orders = [(one.consumer.place, one.consumer.code, one.use) for one in offered.orders]
        return offered.offer, [standings(one, TIMES) for one in offered.grants], orders
    assigned = observer.access.assignment(key) if key.kind == "AgentAssignment" else None
    if isinstance(assigned, AssignmentWorld):
        return _of_agent(assigned.agent)
    record = observer.record(key) if key.kind == "ConnectionTest" else None
    if isinstance(record, RecordWorld):
        (ready,) = record_status(record, NOW, POLICY).conditions
        return ready.reason
    asking = observer.eservice(key) if key.kind == "EService" else None
    if isinstance(asking, World):
        access = asking.access
        uses = [use_standing(one, access.consumer, TIMES) for one in access.uses]
        told = [(one.answer, one.message, one.versions, one.offer and one.offer.pods) for one in uses]
        connected = [
            one.agent and [grant.consumer and grant.consumer.pods for grant in one.agent.connections]
            for one in uses
        ]
        return told, connected, [_of_agent(case) for case in access.served]
    return None


def _of_agent(case: AgentCase) -> Any:
    orders = [(one.consumer.place, one.consumer.code, one.use) for one in case.orders]
    return case.assignment.spec, [standings(one, TIMES) for one in case.connections], orders


VERSIONS = count(10)


def newer(body: Manifest | None, patch: Manifest | None = None) -> Manifest:
    version = {"metadata": {"resourceVersion": str(next(VERSIONS))}}
    return dict(merged(merged(body, patch or {}), version))


def change(store: Store, before: Manifest | None, after: Manifest | None) -> set[ObjectKey]:
    """Make the change in the store, and answer whom it wakes."""
    if after is None:
        assert before is not None
        made = store.delete(slim(newer(before)))
    else:
        made = store.upsert(slim(newer(after)))
    assert made is not None
    return set(keys_for(made, store))


def edited(kind: str, place: str, name: str, patch: Manifest) -> tuple[Manifest, Manifest]:
    (found,) = (
        one
        for one in everything()
        if (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) == (kind, place, name)
    )
    return found, merged(found, patch)


LEAVING = {"metadata": {"deletionTimestamp": "2026-10-13T08:00:00Z"}}
EDITS = [
    ("WebService", HOLDER, REGISTER, {"spec": {"isolation": "Observe"}}),
    ("WebService", HOLDER, REGISTER, LEAVING),
    ("WebService", HOLDER_TEST, REGISTER, {"spec": {"holder": {"code": "90000000000"}}}),
    ("WebServiceGrant", HOLDER, "address", {"spec": {"refused": {"reason": "no"}}}),
    ("WebServiceGrant", HOLDER, "address", LEAVING),
    ("WebServiceGrant", HOLDER_TEST, "address", {"spec": {"validUntil": "2026-10-01"}}),
    ("WebServiceGrant", HOLDER, "evry", {"spec": {"validUntil": "2026-10-01"}}),
    ("AgentAssignment", HOLDER, "evry", {"spec": {"customers": []}}),
    ("EService", CONSUMER, NAME, {"spec": {"uses": []}}),
    ("EService", CONSUMER_TEST, NAME, {"spec": {"uses": []}}),
    ("EService", "evry-production", NAME, {"spec": {"uses": []}}),
    ("EService", "ogre-production", NAME, {"spec": {"uses": []}}),
    ("EService", CONSUMER, NAME, LEAVING),
    ("EService", "evry-production", NAME, LEAVING),
    ("EService", "ogre-production", NAME, LEAVING),
    ("Service", HOLDER, REGISTER, {"spec": {"selector": {"app": "another"}}}),
    ("Service", HOLDER_TEST, REGISTER, {"spec": {"selector": None}}),
    ("Namespace", "", HOLDER, {"metadata": {"labels": {"eservice.dev/institution": "1"}}}),
    ("Namespace", "", HOLDER_TEST, {"metadata": {"labels": {"eservice.dev/environment": "production"}}}),
    ("EServiceRegistration", "", "ogre-production", {"spec": {"institution": {"code": "1"}}}),
    ("EServiceRegistration", "", NAME, {"spec": {"namespaces": []}}),
    ("EServiceRegistration", "", NAME, {"status": {"namespaces": []}}),
    ("EServiceRegistration", "", NAME, {"status": {"conditions": []}}),
]


def unaware(store: Store, make: Callable[[], set[ObjectKey]]) -> set[ObjectKey]:
    """Of whom something else is to be said after a change, and whom nothing wakes.

    What a woken grant or assignment has come to is news in turn.
    """
    before = said(store)
    woken = make()
    after = said(store)
    concerned = {key for key in OURS if before[key] != after[key]}
    for key in concerned & woken:
        body = store.get(*key)
        if body is not None and key.kind in {"WebServiceGrant", "AgentAssignment"}:
            news = store.upsert(newer(body, {"status": {"reason": f"{next(VERSIONS)}"}}))
            assert news is not None
            woken |= set(keys_for(news, store))
    return concerned - woken


@pytest.mark.parametrize("kind, place, name, patch", EDITS)
def test_of_whom_something_else_is_to_be_said_looks_again(
    kind: str, place: str, name: str, patch: Manifest
) -> None:
    store = filled(everything())
    before, after = edited(kind, place, name, patch)
    first = said(store)
    assert not unaware(store, lambda: change(store, before, after))
    assert said(store) != first, "the change changes something"


@pytest.mark.parametrize("position", range(len(everything())))
def test_also_when_it_comes_or_goes(position: int) -> None:
    objects = everything()
    store, lost = filled(objects), objects[position]
    assert not unaware(store, lambda: change(store, lost, None))
    found = merged(lost, {"metadata": {"uid": "uid-another"}})
    assert not unaware(store, lambda: change(store, None, found))


def test_whoever_another_stood_for_stands_for_itself_when_that_goes() -> None:
    elder = worlds.eservice(
        metadata={"name": "elder", "uid": "uid-elder", "creationTimestamp": "2020-01-01T00:00:00Z"}
    )
    for after in (None, merged(elder, LEAVING)):
        store = filled((*everything(), elder))
        first = said(store)
        assert {GRANT, WEB_SERVICE} <= change(store, elder, after)
        assert said(store)[GRANT] != first[GRANT]


def test_the_day_of_a_test_is_over_and_the_grant_that_rests_on_it_looks_again() -> None:
    """Without a ConnectionTest the grant in Production hangs on that in Test, and on the e-service there."""
    objects = [one for one in everything() if one["kind"] != "ConnectionTest"]
    for key, patch in (
        (TEST_GRANT, {"spec": {"validUntil": "2026-10-01"}}),
        (TWIN, {"spec": {"uses": []}}),
        (TEST_SERVICE, {"spec": {"holder": {"code": "90000000000"}}}),
    ):
        store = filled(objects)
        before = store.get(*key)
        assert before is not None
        woken = change(store, before, merged(before, patch))
        if key == TWIN:
            assert TEST_GRANT in woken
            made = store.upsert(newer(store.get(*TEST_GRANT), {"status": {"reason": "x"}}))
            assert made is not None
            woken = set(keys_for(made, store))
        assert {GRANT, SERVICE} <= woken, key


def test_without_a_grant_in_test_it_hangs_on_the_connection_test() -> None:
    objects = [one for one in everything() if one["metadata"].get("namespace") != HOLDER_TEST]
    revoked = {"spec": {"revoked": {"at": "2026-10-01", "reason": "a mistake"}}}
    test = holders.connection_test()
    store = filled(objects)
    assert {GRANT, SERVICE} <= change(store, test, merged(test, revoked))
    store = filled(objects)
    assert not unaware(store, lambda: change(store, test, None))


def test_a_remembered_release_asks_like_a_spec() -> None:
    store = filled(everything())
    data = {"uses": [holders.USE, ordering()]}
    snapshot = Owner(CONSUMER, NAME, "uid").child("apps/v1", "ControllerRevision", "r", {"data": data})
    asked = {SERVICE, GRANT, WEB_SERVICE, ASSIGNMENT, APPLICATION}
    assert set(keys_for(Change(key_of(snapshot), None, snapshot), store)) == asked
    bare = merged(snapshot, {"data": {"uses": []}})
    assert set(keys_for(Change(key_of(bare), None, bare), store)) == {SERVICE}


@pytest.mark.parametrize("key", OURS)
def test_what_is_only_bookkeeping_wakes_nobody_else(key: ObjectKey) -> None:
    store = filled(everything())
    before = store.get(*key)
    assert before is not None
    noted = {"status": {"notices": [{"id": "x"}], "observedGeneration": 1}}
    woken = change(store, before, merged(before, noted))
    assert woken & set(OURS) <= ({key} if key.kind != "EService" else {key, SERVICE, TWIN})


def test_children_and_bindings_wake_whose_they_are() -> None:
    store = filled(everything())
    for kind, owner in (("WebServiceGrant", GRANT), ("WebService", WEB_SERVICE)):
        child = Owner(owner.namespace, owner.name, "uid", kind).child("v1", "NetworkPolicy", "child", {})
        assert set(keys_for(Change(key_of(child), None, child), store)) == {owner}
    annotations = {names.GRANT_ANNOTATION: f"{HOLDER}/address"}
    binding = Owner(CONSUMER, NAME, "uid").child("v1", "ConfigMap", "b", {}, annotations=annotations)
    assert set(keys_for(Change(key_of(binding), binding, None), store)) == {SERVICE, GRANT}
    nowhere = Owner(CONSUMER, NAME, "uid").child(
        "v1", "ConfigMap", "b", {}, annotations={names.GRANT_ANNOTATION: "no/where"}
    )
    assert set(keys_for(Change(key_of(nowhere), None, nowhere), store)) == {SERVICE}


@pytest.mark.parametrize("owner", [GRANT, WEB_SERVICE, SERVICE])
def test_a_child_wakes_its_owner_by_whichever_mark_it_has(owner: ObjectKey) -> None:
    """By either of them it counts as the owner's: whoever writes only one is not overlooked."""
    store = filled(everything())
    known = store.get(*owner)
    assert known is not None
    of = Owner(owner.namespace, owner.name, known["metadata"]["uid"], owner.kind)
    child = of.child("v1", "Role", "c", {})
    marks = {mark: child["metadata"]["labels"][mark] for mark in MARKS}
    by_label = {**child, "metadata": {**child["metadata"], "labels": marks, "ownerReferences": []}}
    by_reference = {**child, "metadata": {**child["metadata"], "labels": {}}}
    for minted in (slim(by_label), slim(by_reference)):
        assert set(keys_for(Change(key_of(minted), None, minted), store)) == {owner}
    elsewhere = slim(merged(by_label, {"metadata": {"namespace": "somewhere"}}))
    assert not set(keys_for(Change(key_of(elsewhere), None, elsewhere), store)), "it is nobody's there"


def test_a_candidate_of_the_e_service_behind_wakes_whom_its_port_concerns() -> None:
    store = filled(everything())
    candidate = Owner(HOLDER, REGISTER, "uid").child("v1", "Service", f"{REGISTER}-candidate", {"spec": {}})
    assert {WEB_SERVICE, GRANT, SERVICE} <= set(keys_for(Change(key_of(candidate), None, candidate), store))


@pytest.mark.parametrize(
    "kind, reason, concerned",
    [("CredentialsCopied", "CredentialsMissing", {SERVICE, WEB_SERVICE}), ("Ready", "Progressing", set())],
)
def test_that_credentials_are_not_copied_is_news_to_the_consumer(
    kind: str, reason: str, concerned: set[ObjectKey]
) -> None:
    store = filled(everything())
    before = store.get(*GRANT)
    assert before is not None
    said = {"status": {"conditions": [worlds.condition(kind, reason, "False")]}}
    assert change(store, before, merged(before, said)) & {SERVICE, WEB_SERVICE} == concerned


def test_a_role_of_somebody_wakes_the_web_services_beside_it() -> None:
    store = filled(everything())
    role = holders.body("Role", "minted", HOLDER, "rbac.authorization.k8s.io/v1")
    rule = {"apiGroups": ["eservice.dev"], "resources": ["webservices"], "verbs": ["invoke"]}
    assert not set(keys_for(Change(key_of(role), None, slim(role)), store))
    minted = slim(role | {"rules": [rule]})
    assert set(keys_for(Change(key_of(role), slim(role), minted), store)) == {WEB_SERVICE}


def test_a_binding_of_somebody_to_the_role_of_a_grant_wakes_the_web_services_beside_it() -> None:
    store = filled(everything())
    made = holders.body("RoleBinding", "minted", HOLDER, "rbac.authorization.k8s.io/v1")
    minted = slim(made | {"roleRef": {"kind": "Role", "name": "grant.address"}})
    assert set(keys_for(Change(key_of(minted), None, minted), store)) == {WEB_SERVICE}
    assert set(keys_for(Change(key_of(minted), minted, None), store)) == {WEB_SERVICE}
    for role in ("readers", "address"):
        other = slim(made | {"roleRef": {"kind": "Role", "name": role}})
        assert not set(keys_for(Change(key_of(other), None, other), store))
    cluster = slim(made | {"roleRef": {"kind": "ClusterRole", "name": "grant.address"}})
    assert not set(keys_for(Change(key_of(cluster), None, cluster), store))


def test_a_customer_that_joins_wakes_none_of_the_others() -> None:
    """Each judges by the assignment's spec: a thousand who join one by one are no million looks."""
    store = filled(everything())
    before = store.get(*ASSIGNMENT)
    assert before is not None
    joined = {"status": {"activeCustomers": ["90000025465"], "customerCount": 1, "message": "1 active"}}
    assert change(store, before, merged(before, joined)) == {ASSIGNMENT}
    stands = {"status": {"state": "Active"}}
    assert {CUSTOMER, APPLICATION, WEB_SERVICE} <= change(store, before, merged(before, stands))


def test_who_is_listed_wakes_itself_and_who_calls_for_it() -> None:
    """Not all the other customers: an agent of 500 lists them one by one."""
    store = filled(everything())
    before = store.get(*ASSIGNMENT)
    assert before is not None
    town = worlds.registration()["spec"]["institution"] | {"since": "2026-09-01"}
    listed = [{field: town[field] for field in ("name", "code", "since")}]
    counting = {ASSIGNMENT, WEB_SERVICE, APPLICATION}
    with_both = merged(before, {"spec": {"customers": [*before["spec"]["customers"], *listed]}})
    assert change(store, before, with_both) == {*counting, CUSTOMER}, "it is of that institution"
    assert change(store, with_both, merged(with_both, {"spec": {"customers": listed}})) == counting
    assert change(store, with_both, merged(with_both, {"spec": {"customers": []}})) == {*counting, CUSTOMER}
    unlisted = {"spec": {"customers": [], "validUntil": "2027-01-31"}}
    store.upsert(newer(with_both))
    assert {CUSTOMER, AGENTS} <= change(store, with_both, merged(with_both, unlisted)), (
        "it is the end for all"
    )


def test_the_contacts_of_an_institution_are_news_to_its_own_web_services() -> None:
    """Not to those of others that say they are its: no administrator has labelled their namespace so."""
    theirs = holders.web_service(metadata={"namespace": "somebodys-own", "uid": "theirs"})
    home = merged(
        holders.namespace("somebodys-own"),
        {"metadata": {"labels": {"eservice.dev/institution": "90000000000"}}},
    )
    store = filled((*everything(), theirs, home))
    theirs_too = {
        "name": "UR",
        "code": access.HOLDER_CODE,
        "contacts": [{"name": "K", "email": "k@ur.example"}],
    }
    registration = worlds.registration(metadata={"name": "ur", "uid": "ur"}, spec={"institution": theirs_too})
    woken = change(store, None, registration)
    assert {key for key in woken if key.kind == "WebService"} == {WEB_SERVICE, TEST_SERVICE}
    for key in (WEB_SERVICE, TEST_SERVICE):
        world = Observer(store, POLICY).access.web_service(key)
        assert isinstance(world, WebServiceWorld)
        assert world.contact_domains == {"ur.example"}
        assert world.contact == "api@ur.example"
    settled = merged(registration, {"status": {"namespaces": [], "conditions": []}})
    assert not {key for key in change(store, registration, settled) if key.kind == "WebService"}
    contacts = [{"name": "K", "email": "k@vzd.example"}]
    elsewhere = merged(registration, {"spec": {"institution": {"contacts": contacts}}})
    woken = change(store, registration, elsewhere)
    assert {key for key in woken if key.kind == "WebService"} == {WEB_SERVICE, TEST_SERVICE}


def test_whoever_can_be_anybody_is_woken_by_whom_is_listed() -> None:
    store = filled(everything())
    registration = store.get("EServiceRegistration", "", CUSTOMER.namespace)
    before = store.get(*ASSIGNMENT)
    assert before is not None
    assert CUSTOMER not in change(store, before, merged(before, {"spec": {"customers": []}}))
    store.upsert(newer(registration, {"spec": {"institution": None}}))
    assert CUSTOMER in change(store, before, before)
