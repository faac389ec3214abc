# SPDX-License-Identifier: Apache-2.0
"""Whom a change concerns."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.triggers import left_behind, triggers_for
from tests.support import worlds

SERVICE = ObjectKey("EService", worlds.NAMESPACE, worlds.NAME)
TEMPLATE = ObjectKey("EServiceTemplate", "", worlds.TEMPLATE)
REGISTRATION = ObjectKey("EServiceRegistration", "", worlds.NAME)
ACT = ObjectKey("AcceptanceAct", "", "act-1")
VERIFICATION = ObjectKey("ProductionVerification", worlds.NAMESPACE, "verified-1")


keys_for = triggers_for((worlds.POLICY.gateway,))


def store() -> Store:
    filled = Store(INDEXES)
    objects = (
        worlds.eservice(),
        worlds.template(),
        worlds.registration(),
        worlds.act(),
        worlds.verification(),
        worlds.deferral("2026-12-31"),
        worlds.decision(),
    )
    for obj in objects:
        filled.upsert(obj)
    return filled


def plain(kind: str, name: str, namespace: str = "", **metadata: Any) -> Manifest:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **place, **metadata}}


def made(obj: Manifest) -> Change:
    return Change(key_of(obj), None, obj)


OWNED = {"eservice.dev/eservice": worlds.NAME}
PUBLIC = OWNED | {"eservice.dev/namespace": worlds.NAMESPACE}


@pytest.mark.parametrize(
    "changed, woken",
    [
        (worlds.template(), {TEMPLATE, SERVICE}),
        (worlds.registration(), {REGISTRATION, SERVICE}),
        (worlds.act(), {ACT, SERVICE}),
        (worlds.verification(), {VERIFICATION, SERVICE}),
        (worlds.deferral("2026-12-31"), {ObjectKey("UnpublishDeferral", "", "deferral-1"), SERVICE}),
        (worlds.decision(), {SERVICE, TEMPLATE}),
        (plain("Namespace", worlds.NAMESPACE), {REGISTRATION}),
        (plain("Deployment", "address-1", worlds.NAMESPACE, labels=OWNED), {SERVICE}),
        (plain("EndpointSlice", "address-x", worlds.NAMESPACE, labels=OWNED), {SERVICE}),
        (plain("HTTPRoute", worlds.ROUTE, worlds.ROUTES, labels=PUBLIC), {SERVICE}),
        (plain("HTTPRoute", "shop", "shop") | {"spec": {"hostnames": [worlds.HOST]}}, {SERVICE}),
        (plain("Deployment", "somebody's", worlds.NAMESPACE), set()),
    ],
)
def test_a_change_wakes_whom_it_concerns(changed: Manifest, woken: set[ObjectKey]) -> None:
    assert set(keys_for(made(changed), store())) == woken


def test_an_eservice_wakes_its_template_and_the_records_about_it() -> None:
    woken = set(keys_for(made(worlds.eservice()), store()))
    assert woken == {SERVICE, TEMPLATE, ACT, VERIFICATION, ObjectKey("UnpublishDeferral", "", "deferral-1")}


def test_an_eservice_wakes_those_who_want_its_host() -> None:
    """Only who may get it says anything of others: anybody can name any host and any registration."""
    filled, theirs = store(), ObjectKey("EService", "other", "theirs")
    other = worlds.eservice(
        metadata={"name": "theirs", "namespace": "other", "uid": "uid-theirs"},
        spec={"registration": "theirs"},
    )
    filled.upsert(other)
    assert theirs not in set(keys_for(made(worlds.eservice()), filled))
    filled.upsert(
        worlds.registration(
            metadata={"name": "theirs", "uid": "uid-registration"},
            spec={"namespaces": [{"environment": "Production", "name": "other"}]},
        )
    )
    assert theirs in set(keys_for(made(worlds.eservice()), filled))


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}
REFUSED = {"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners"}


def claiming(*hosts: str, answer: Manifest = ACCEPTED, **status: Any) -> Manifest:
    parent = {"parentRef": {"name": "public"}, "conditions": [answer], **status}
    body = plain("HTTPRoute", "shop", "shop")
    return body | {"spec": {"hostnames": list(hosts)}, "status": {"parents": [parent]}}


def named(*hosts: str | None, **spec: Any) -> Manifest:
    rules = [{"host": host} if host else {} for host in hosts]
    return plain("Ingress", "shop", "shop") | {"spec": {"rules": rules, **spec}}


@pytest.mark.parametrize(
    "changed, wakes",
    [
        (claiming(worlds.HOST, answer=REFUSED), True),
        (claiming("*.address.latvija.example"), False),
        (claiming("other.latvija.example"), False),
        (claiming(), False),
        (claiming(answer=REFUSED), False),
        (named(worlds.HOST), True),
        (named("other.latvija.example", "*.latvija.example"), False),
        (named("other.latvija.example"), False),
        (named(None), False),
        (named(defaultBackend={}), False),
    ],
)
def test_who_claims_a_host_wakes_whom_it_belongs_to(changed: Manifest, wakes: bool) -> None:
    assert set(keys_for(made(changed), store())) == ({SERVICE} if wakes else set())
    gone = Change(key_of(changed), changed, None)
    assert set(keys_for(gone, store())) == ({SERVICE} if wakes else set())


def test_a_claim_that_says_the_same_wakes_nobody() -> None:
    before = claiming(worlds.HOST)
    for after, wakes in (
        (claiming(worlds.HOST, controllerName="example.com/gateway"), False),
        (claiming(worlds.HOST, answer=REFUSED), True),
        (claiming("other.latvija.example"), True),
        (before | {"metadata": before["metadata"] | {"labels": {"eservice.dev/fallback": "true"}}}, True),
    ):
        assert set(keys_for(Change(key_of(before), before, after), store())) == (
            {SERVICE} if wakes else set()
        )


def test_an_eservice_wakes_those_on_whose_route_its_host_still_is() -> None:
    filled = store()
    labels = {"eservice.dev/eservice": "theirs", "eservice.dev/namespace": "other"}
    kept = plain("HTTPRoute", "other.theirs", worlds.ROUTES, labels=labels, uid="u", resourceVersion="1")
    filled.upsert(kept | {"spec": {"hostnames": [worlds.HOST]}})
    assert ObjectKey("EService", "other", "theirs") in set(keys_for(made(worlds.eservice()), filled))


def test_an_identifier_wakes_its_registration() -> None:
    identifier = plain("EServiceIdentifier", "ep-000007") | {
        "spec": {"identifier": "EP-000007", "registration": worlds.NAME}
    }
    assert set(keys_for(made(identifier), store())) == {
        ObjectKey("EServiceIdentifier", "", "ep-000007"),
        REGISTRATION,
    }


COUNTED = {"version": "2.0.0", "stage": "Supported", "eServices": 1}


@pytest.mark.parametrize(
    "after, woken",
    [
        (worlds.template(status={"eServices": 1, "versions": [COUNTED]}), {TEMPLATE}),
        (
            worlds.template(status={"versions": [COUNTED | {"publishedAt": "2024-03-01"}]}),
            {TEMPLATE, SERVICE},
        ),
        (worlds.template(lifecycle={"maximumLag": "P24M"}), {TEMPLATE, SERVICE}),
        (None, {TEMPLATE, SERVICE}),
    ],
)
def test_a_template_that_only_counts_anew_wakes_no_eservice(
    after: Manifest | None, woken: set[ObjectKey]
) -> None:
    before = worlds.template(status={"versions": [COUNTED | {"eServices": 0}]})
    assert set(keys_for(Change(TEMPLATE, before, after), store())) == woken


def test_a_route_whose_eservice_is_gone_wakes_it_at_the_start() -> None:
    filled = store()
    ours = {"app.kubernetes.io/managed-by": "eservice-operator"}
    orphan = ours | {"eservice.dev/eservice": "gone", "eservice.dev/namespace": "shop"}
    for name, labels in (("shop.gone", orphan), (worlds.ROUTE, PUBLIC | ours), ("foreign", {})):
        filled.upsert(
            plain("HTTPRoute", name, worlds.ROUTES, labels=labels, uid=f"uid-{name}", resourceVersion="1")
        )
    assert set(left_behind(filled)) == {ObjectKey("EService", "shop", "gone")}


def ours(gateway: str) -> Manifest:
    labels = PUBLIC | {"app.kubernetes.io/managed-by": "eservice-operator"}
    route = plain("HTTPRoute", worlds.ROUTE, worlds.ROUTES, labels=labels, uid="u", resourceVersion="1")
    return route | {"spec": {"parentRefs": [{"namespace": "gateway-system", "name": gateway}]}}


def gateway(name: str, namespace: str = "gateway-system", admits: str = "All") -> Manifest:
    listeners = [{"name": "https", "allowedRoutes": {"namespaces": {"from": admits}}}]
    body = plain("Gateway", name, namespace, uid=f"uid-{name}", resourceVersion="1")
    return body | {"spec": {"listeners": listeners}}


@pytest.mark.parametrize(
    "hosts, within",
    [
        ((), True),
        (("*.latvija.example",), True),
        (("*.example",), True),
        (("*.address.latvija.example",), False),
    ],
)
def test_a_route_for_many_hosts_wakes_whom_it_covers_if_our_gateway_takes_it(
    hosts: tuple[str, ...], within: bool
) -> None:
    """Anybody may write such a route, and say of it what they like: of other Gateways it wakes nobody."""
    for found, at, wakes in (
        (gateway("public"), "gateway-system", within),
        (gateway("public", admits="Same"), "gateway-system", False),
        (gateway("internal"), "gateway-system", False),
        (gateway("public", "shop", "Same"), "shop", False),
        (None, "gateway-system", False),
    ):
        filled = store()
        name = "public"
        if found is not None:
            filled.upsert(found)
            name = found["metadata"]["name"]
        for answer in (ACCEPTED, REFUSED):
            route = claiming(*hosts, answer=answer, parentRef={"namespace": at, "name": name})
            for change in (made(route), Change(key_of(route), route, None)):
                woken = set(keys_for(change, filled))
                assert woken == ({SERVICE} if wakes and answer is ACCEPTED else set()), (found, answer)


def test_a_gateway_that_admits_others_now_wakes_those_on_it() -> None:
    filled = store()
    filled.upsert(ours("public"))
    before, after = gateway("public", admits="Same"), gateway("public")
    assert set(keys_for(Change(key_of(after), before, after), filled)) == {SERVICE}


def test_a_gateway_that_comes_or_goes_wakes_those_on_it() -> None:
    filled = store()
    filled.upsert(ours("public"))
    for name, wakes in (("public", True), ("internal", False)):
        found = gateway(name)
        for change in (made(found), Change(key_of(found), found, None)):
            assert set(keys_for(change, filled)) == ({SERVICE} if wakes else set())
        same = Change(key_of(found), found, found | {"status": {"conditions": []}})
        assert set(keys_for(same, filled)) == set()


def test_a_class_that_comes_or_goes_wakes_those_on_it() -> None:
    filled = store()
    ingress = plain("Ingress", worlds.NAME, worlds.NAMESPACE, labels=OWNED, uid="u", resourceVersion="1")
    filled.upsert(ingress | {"spec": {"ingressClassName": "outside"}})
    for name, wakes in (("outside", True), ("inside", False)):
        found = plain("IngressClass", name, uid=f"uid-{name}", resourceVersion="1")
        for change in (made(found), Change(key_of(found), found, None)):
            assert set(keys_for(change, filled)) == ({SERVICE} if wakes else set())
        same = Change(key_of(found), found, found | {"spec": {"controller": "other"}})
        assert set(keys_for(same, filled)) == set()


def test_one_of_ours_that_comes_wakes_those_that_may_wait_to_move_there() -> None:
    filled = store()
    filled.upsert(ours("before"))
    found = gateway("public")
    assert set(keys_for(made(found), filled)) == {SERVICE}
    taken_from = Change(key_of(found), found, found | {"spec": {"listeners": []}})
    assert set(keys_for(taken_from, filled)) == {SERVICE}
    assert set(keys_for(made(gateway("internal")), filled)) == set()
