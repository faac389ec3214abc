# SPDX-License-Identifier: Apache-2.0
"""A holder with every right in its own namespace, on the real API server: where it cannot reach.

What it can is written in docs/access.md, under "What is not promised".
"""

from __future__ import annotations

import pytest

from eservice_operator.api.names import ESERVICE_LABEL
from eservice_operator.core.actions import Manifest, Ref
from tests.access.forgeries import (
    ONLY_THE_WALL,
    account,
    audience,
    contents,
    in_the_way,
    open_door,
    right_to_invoke,
)
from tests.access.people import Person
from tests.access.stage import Front, binding_ref
from tests.access.test_story import asking, shown
from tests.support.operator import OperatorProcess
from tests.support.register import CODE, Register
from tests.support.resting import rested
from tests.support.site import says

pytestmark = pytest.mark.cluster


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


async def test_nobody_is_granted_what_they_do_not_ask_for(
    register: Register, holder: Person, operator: OperatorProcess
) -> None:
    site, planned = register.site, register.site.planned("quiet")
    await site.apply(*planned.everything(), register.tested(planned))
    await site.settled(planned, "Published")
    await rested(operator, site)
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
    made = await site.until(policy, lambda obj: "ipBlock" in str(obj["spec"]), "the way out")
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
