# SPDX-License-Identifier: Apache-2.0
"""People with every right in their own namespace, on the real API server: what they cannot open by it.

What they can is written in docs/access.md, under "What is not promised".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import (
    API_VERSION,
    ESERVICE_LABEL,
    GRANT_LABEL,
)
from eservice_operator.api.uses import WebServiceRef
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.access.naming import audience_of, grant_child, wall_of
from eservice_operator.core.actions import Manifest, Ref
from tests.access.people import RBAC, Person, marks_of, person_of
from tests.access.stage import GRANTED, Front, binding_ref, requests
from tests.access.test_story import asking, opened, shown
from tests.support.fleet import Planned, namespace
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess
from tests.support.register import CODE, NAME, Register
from tests.support.site import Site, gates, says

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

NO_GRANT = (403, "nogrant")
OPENERS = ("NetworkPolicy", "Role", "RoleBinding")


def audience(register: Register) -> str:
    return audience_of(WebServiceRef(namespace=register.namespace, name=NAME))


def account(place: str, name: str, **labels: str) -> Manifest:
    metadata = {"name": name, "namespace": place, "labels": labels}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def moved(manifest: Manifest, place: str, **metadata: object) -> Manifest:
    """The same object elsewhere, with other metadata."""
    return manifest | {"metadata": manifest["metadata"] | {"namespace": place} | metadata}


def right_to_invoke(place: str, name: str, planned: Planned, **metadata: object) -> list[Manifest]:
    """A Role and its binding, as a grant has them."""
    named = {"name": name, "namespace": place, **metadata}
    rule = {"apiGroups": ["eservice.dev"], "resources": ["webservices/v5"], "verbs": ["invoke"]}
    subject = {"kind": "ServiceAccount", "name": planned.name, "namespace": planned.namespace}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": name}
    of = {"apiVersion": f"{RBAC}/v1", "metadata": named}
    return [
        of | {"kind": "Role", "rules": [rule | {"resourceNames": [NAME]}]},
        of | {"kind": "RoleBinding", "roleRef": reference, "subjects": [subject]},
    ]


def open_door(place: str, name: str, **metadata: object) -> Manifest:
    """A NetworkPolicy that lets everybody in, and out."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    named = {"name": name, "namespace": place, **metadata}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": named, "spec": spec}


async def in_the_way(register: Register) -> set[str]:
    """What there is in the holder's namespace that opens or closes."""
    found = set()
    for kind in OPENERS:
        items, _ = await register.site.api.list(resource_of(kind), register.namespace)
        found |= {f"{kind} {item['metadata']['name']}" for item in items}
    return found


ONLY_THE_WALL = {f"NetworkPolicy {wall_of(NAME)}"}


async def test_a_consumer_cannot_write_where_it_counts(register: Register, consumer: Person) -> None:
    planned = await asking(register, "address")
    await register.site.until(register.wall, lambda _: True, "the register is closed")
    elsewhere = register.namespace
    record = {"apiVersion": API_VERSION, "kind": "ConnectionTest", "metadata": {"name": "activation-1"}}
    written: list[Manifest] = [
        record | {"spec": register.tested(planned)["spec"] | {"observed": True}},
        register.grant(planned),
        register.web_service(spec={"isolation": "Observe"}),
        register.tested(planned, "v6"),
        planned.registration(spec={"institution": {"name": "UR", "code": CODE}}),
        *right_to_invoke(elsewhere, grant_child(planned.name), planned),
        open_door(elsewhere, "open"),
        namespace(elsewhere, "90000054163"),
        account(elsewhere, planned.name),
    ]
    for manifest in written:
        await consumer.may_not_make(manifest)


def copied(register: Register, planned: Planned, live: Manifest) -> list[Manifest]:
    """All that a grant and its e-service have, in the namespace of the e-service, with their true owner."""
    own, ours = planned.namespace, marks_of(live)
    ours["labels"] |= {GRANT_LABEL: planned.name}
    named = {"eservice.dev/institution": CODE, "eservice.dev/environment": "production"}
    told = {"name": binding_ref(planned, register.use()).name, "namespace": own} | ours
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own, "labels": named}},
        moved(register.web_service(), own),
        moved(register.grant(planned), own),
        *right_to_invoke(own, grant_child(planned.name), planned, **ours),
        open_door(own, grant_child(planned.name), **ours),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": told, "data": {"uri": "https://register"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": told, "stringData": {"password": "1"}},
        account(own, planned.name),
    ]


async def test_a_consumer_grants_itself_nothing(
    register: Register, front: Front, consumer: Person, kubectl: Kubectl, operator: OperatorProcess
) -> None:
    """With a register of its own by the same name, and all that a grant has, in its own namespace."""
    planned = await asking(register, "address")
    live = await register.site.see(planned.ref)
    await consumer.makes(*copied(register, planned, live))
    granted = {"type": "AccessGranted", "status": "True", "reason": "Active", "message": "granted"}
    since = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
    await consumer.forges_status(live, {"phase": "Published", "conditions": [granted | since]})

    token = await consumer.token(planned.name, audience(register))
    await operator.at_rest()
    assert await front.call(token) == NO_GRANT
    assert await front.call(token, f"X-EService-Consumer: {register.namespace}/{NAME}") == NO_GRANT
    assert not await register.may(kubectl, planned)
    assert await in_the_way(register) == ONLY_THE_WALL
    await register.site.gone(binding_ref(planned, register.use()))
    await register.site.until(
        planned.ref,
        lambda obj: "AccessGranted" in gates(obj) and not says(obj, "AccessGranted", "True"),
        "it says how it is",
    )


async def test_a_grant_is_of_one_account_and_of_one_place(
    register: Register, front: Front, consumer: Person, cluster: Cluster, tmp_path: Path
) -> None:
    """Not of another ServiceAccount beside it, and not of an EService that claims its name elsewhere."""
    site, planned = register.site, await asking(register, "address")
    await opened(register, planned)
    await front.until(GRANTED, await front.token(planned, register.use()))
    await consumer.makes(account(consumer.namespace, "helper", **{ESERVICE_LABEL: planned.name}))
    assert await front.call(await consumer.token("helper", audience(register))) == NO_GRANT
    own = await consumer.token(planned.name, audience(register))
    assert await front.call(own, "X-On-Behalf-Of: 90000024455") == (403, "customernotlisted")

    place = f"thief-{site.mark}"
    await site.apply(namespace(place, "90000024455", **{"eservice.dev/environment": "production"}))
    thief = await person_of(site, cluster, place, tmp_path)
    claims = planned.eservice(spec={"uses": [register.use()]})
    await thief.makes(moved(claims, place), account(place, planned.name))
    await site.until(
        Ref(API_VERSION, "EService", place, planned.name),
        lambda obj: "Registered" in gates(obj),
        "it is not its registration",
    )
    assert await front.call(await thief.token(planned.name, audience(register))) == NO_GRANT
    shows = await site.until(register.ref, requests, "the holder sees who asks")
    asks = shows["status"]["requests"]
    assert {one["namespace"] for one in asks} == {planned.namespace}, "and it is no request"
    await thief.may_not_make(account(planned.namespace, planned.name))


async def test_a_holder_cannot_write_in_a_consumers_namespace(register: Register, holder: Person) -> None:
    planned = await asking(register, "address")
    place = planned.namespace
    binding = binding_ref(planned, register.use())
    written: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": binding.name, "namespace": place}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": binding.name, "namespace": place}},
        planned.eservice(spec={"uses": []}),
        open_door(place, "open"),
        account(place, planned.name),
        register.tested(planned, "v6"),
    ]
    for manifest in written:
        await holder.may_not_make(manifest)


async def contents(site: Site, place: str) -> dict[str, str]:
    """What there is in a namespace that a grant could change, each with its version."""
    found: dict[str, str] = {}
    for kind in ("ConfigMap", "NetworkPolicy", "ServiceAccount", "Deployment", *OPENERS):
        items, _ = await site.api.list(resource_of(kind), place)
        found |= {f"{kind} {one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in items}
    return found


async def test_nobody_is_granted_what_they_do_not_ask_for(
    register: Register, holder: Person, operator: OperatorProcess
) -> None:
    site, planned = register.site, register.site.planned("quiet")
    await site.apply(*planned.everything(), register.tested(planned))
    await site.settled(planned, "Published")
    await operator.at_rest()
    before = await contents(site, planned.namespace)
    await holder.makes(register.grant(planned))
    await site.until(
        register.grant_ref(planned), lambda obj: obj["status"].get("reason") == "NotRequested", "it waits"
    )
    await operator.at_rest()
    assert await contents(site, planned.namespace) == before
    assert await in_the_way(register) == ONLY_THE_WALL | {"Role everything", "RoleBinding everything"}


async def test_a_holder_says_active_and_it_is_not(
    register: Register, front: Front, holder: Person, consumer: Person, operator: OperatorProcess
) -> None:
    """Without the test that Production demands, with a Role of its own besides."""
    site, planned = register.site, register.site.planned()
    *others, _ = planned.everything()
    await site.apply(*others, planned.eservice(spec={"uses": [register.use()]}))
    await holder.makes(register.grant(planned), *right_to_invoke(holder.namespace, "own", planned))
    ref = register.grant_ref(planned)
    pending = await site.until(ref, lambda obj: obj["status"].get("reason") == "TestMissing", "no test")
    version = {"version": "v5", "state": "Active", "reason": "Active"}
    await holder.forges_status(
        pending, {"state": "Active", "reason": "Active", "contractVersions": [version]}
    )
    await site.until(ref, lambda obj: obj["status"]["state"] == "Pending", "it says how it is")
    await consumer.makes(account(planned.namespace, planned.name))
    token = await consumer.token(planned.name, audience(register))
    await front.until((403, "accessnotgranted"), token)
    await operator.at_rest()
    assert await front.call(token) == (403, "accessnotgranted")
    for child in register.children(planned):
        assert await site.api.get(child) is None
    assert await site.api.get(binding_ref(planned, register.use())) is None
    await site.until(register.ref, lambda obj: says(obj, "ForeignInvokers", "True"), "its Role is told of")


TOO_FAR = {
    "0.0.0.0/0": "/8 at the widest",
    "::/0": "/8 at the widest",
    "169.254.169.254/32": "loopback, link-local",
    "127.0.0.1/32": "loopback, link-local",
}


async def test_a_holder_lets_nobody_out_to_everywhere(register: Register, holder: Person) -> None:
    planned = await asking(register, "address")
    address = {"service": None, "url": "https://api.ur.example:8443"}
    for network, told in TOO_FAR.items():
        backend = address | {"networks": [network]}
        assert told in await holder.is_told(register.web_service(spec={"backend": backend}))
    backend = address | {"networks": ["198.51.100.0/28"]}
    await holder.makes(register.web_service(spec={"backend": backend}), register.grant(planned))
    site = register.site
    await site.until(register.grant_ref(planned), lambda obj: says(obj, "Active", "True"), "it is open")
    policy = Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, f"access.{planned.name}")
    made = await site.until(policy, lambda _: True, "the way out")
    assert made["spec"]["podSelector"] == {"matchLabels": {ESERVICE_LABEL: planned.name}}
    (rule,) = made["spec"]["egress"]
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert rule["to"] == [{"ipBlock": {"cidr": "198.51.100.0/28"}}]


FILES = {"type", "provider", "protocol", "uri", "host", "port", "contract-version", "audience"}
MOST_TOLD = 4096
"""Bytes that a holder can put into a consumer's namespace."""


async def test_a_holder_says_no_more_than_where_it_answers(register: Register, holder: Person) -> None:
    """However long what it writes may be; lines it cannot break."""
    planned = await asking(register, "address")
    code, email = CODE, "api@ur.example"
    assert await holder.is_told(
        register.web_service(spec={"holder": {"institution": "UR\npassword=1", "code": code, "email": email}})
    )
    told = {"institution": "Ū" * 128, "code": code, "email": email}
    path = "/" + "a" * 511
    body = register.web_service(spec={"holder": told, "backend": {"path": path}})
    await holder.makes(body, register.grant(planned))
    bound = await register.site.until(binding_ref(planned, register.use()), lambda _: True, "it is told")
    assert set(bound["data"]) == FILES
    assert "binaryData" not in bound
    assert sum(len(value.encode()) for value in bound["data"].values()) < MOST_TOLD


async def test_what_is_the_consumers_own_stays_as_it_is(
    register: Register, holder: Person, consumer: Person
) -> None:
    """The binding's name is taken: it is not written over, and the e-service says so."""
    site, planned = register.site, await asking(register, "address")
    ref = binding_ref(planned, register.use())
    own: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "data": {"mine": "1"},
    }
    await consumer.makes(own)
    await holder.makes(register.grant(planned))
    await site.until(planned.ref, lambda obj: says(obj, "Stalled", "True", "NameCollision"), "it says so")
    assert (await site.see(ref))["data"] == {"mine": "1"}
    await shown(register, {planned.name: "Granted"})
