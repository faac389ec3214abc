# SPDX-License-Identifier: Apache-2.0
"""One child that a tenant keeps from being made keeps no other from being put right."""

from __future__ import annotations

from functools import partial

import pytest

from eservice_operator.core.actions import Manifest, Ref
from tests.adversarial.cast import Cast, Part, Persona
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.site import PERSON, Site, message, says

pytestmark = pytest.mark.cluster

PORTS = [{"port": 80, "protocol": "TCP"}]
OPEN: Manifest = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}


async def make_a_stranger(site: Site, admin: Persona, ref: Ref) -> Manifest:
    """Take off a child of the operator's all that says whose it is."""
    bare = {"labels": {"app": "mine"}, "ownerReferences": []}
    ops = [{"op": "replace", "path": f"/metadata/{key}", "value": value} for key, value in bare.items()]
    version = (await site.see(ref))["metadata"]["resourceVersion"]
    ops.append({"op": "replace", "path": "/metadata/resourceVersion", "value": version})
    return await admin.api.json_patch(ref, ops, field_manager=PERSON)


async def test_a_child_that_is_blocked_leaves_nothing_as_a_tenant_wrote_it(
    register: Register, cast: Cast, operator: OperatorProcess
) -> None:
    """The ServiceAccount is a stranger; then the public Service leads to the tenant's Pods, past the wall."""
    site, admin = register.site, cast[Part.ADMIN]
    planned = site.planned("blocked")
    await site.published(planned)
    await operator.at_rest()
    account = Ref("v1", "ServiceAccount", planned.namespace, planned.name)
    service = account._replace(kind="Service")
    wall = Ref("networking.k8s.io/v1", "NetworkPolicy", planned.namespace, planned.name)
    before = {ref: await site.see(ref) for ref in (service, wall)}
    foreign = await make_a_stranger(site, admin, account)
    said = f"{account} exists and is not ours"
    told = await site.until(planned.ref, lambda obj: says(obj, "Stalled", "True", "NameCollision"), "told")
    assert said in message(told, "Stalled")
    attacks = {service: {"selector": {"app": "mine"}, "ports": PORTS}, wall: OPEN}
    for ref, spec in attacks.items():
        metadata = {"name": ref.name, "namespace": ref.namespace}
        body = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "spec": spec}
        assert not _is_as(before[ref], await admin.apply(body)), f"{ref} was written"
    for ref in attacks:
        await site.until(ref, partial(_is_as, before[ref]), "put right beside what is blocked")
    seen = await site.see(planned.ref)
    assert says(seen, "Stalled", "True", "NameCollision")
    assert said in message(seen, "Stalled"), "which is still told"
    assert (await site.see(account))["metadata"]["labels"] == foreign["metadata"]["labels"], "and left alone"
    await site.delete(account)
    mended = "mended once it is gone, for which the operator looks each minute"
    await site.until(planned.ref, lambda obj: not says(obj, "Stalled", "True"), mended, within=100.0)
    await operator.at_rest()


def _is_as(before: Manifest, live: Manifest) -> bool:
    return bool(live["spec"] == before["spec"])
