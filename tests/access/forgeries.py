# SPDX-License-Identifier: Apache-2.0
"""What somebody with every right in a namespace can make there that looks like access, and what is there."""

from __future__ import annotations

from eservice_operator.api.names import GRANT_LABEL
from eservice_operator.api.uses import WebServiceRef
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.access.naming import audience_of, grant_child, wall_of
from eservice_operator.core.actions import Manifest
from tests.access.people import marks_of
from tests.access.stage import binding_ref
from tests.support.fleet import Planned
from tests.support.rbac import account as subject
from tests.support.rbac import bound, rule
from tests.support.register import CODE, NAME, Register
from tests.support.site import Site, poll

OPENERS = ("NetworkPolicy", "Role", "RoleBinding")
EVERYWHERE = {"ConfigMap kube-root-ca.crt", "ServiceAccount default"}
"""What the controller manager puts into every namespace."""
ONLY_THE_WALL = {f"NetworkPolicy {wall_of(NAME)}"}
"""What is in the way of a register that nobody is let into."""


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
    invoke = rule("eservice.dev", ["webservices/v5"], ["invoke"]) | {"resourceNames": [NAME]}
    return bound(named, [invoke], subject(planned.namespace, planned.name))


def open_door(place: str, name: str, **metadata: object) -> Manifest:
    """A NetworkPolicy that lets everybody in, and out."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]}
    named = {"name": name, "namespace": place, **metadata}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": named, "spec": spec}


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


async def in_the_way(register: Register) -> set[str]:
    """What there is in the holder's namespace that opens or closes."""
    found = set()
    for kind in OPENERS:
        items, _ = await register.site.api.list(resource_of(kind), register.namespace)
        found |= {f"{kind} {item['metadata']['name']}" for item in items}
    return found


async def contents(site: Site, place: str) -> dict[str, str]:
    """What there is in a namespace that a grant could change, each with its version.

    What the cluster puts into every namespace is waited for, as it comes on its own time.
    """
    found: dict[str, str] = {}

    async def furnished() -> bool:
        found.clear()
        for kind in ("ConfigMap", "NetworkPolicy", "ServiceAccount", "Deployment", *OPENERS):
            items, _ = await site.api.list(resource_of(kind), place)
            found.update((f"{kind} {one['metadata']['name']}", _version(one)) for one in items)
        return found.keys() >= EVERYWHERE

    await poll(furnished, lambda: f"{sorted(EVERYWHERE)} in {place}: {sorted(found)}")
    return found


def _version(obj: Manifest) -> str:
    return str(obj["metadata"]["resourceVersion"])
