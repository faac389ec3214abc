# SPDX-License-Identifier: Apache-2.0
"""Who may write what, on the real API server: everything that is not in the table is forbidden.

The table is what docs/security.md shows (``python -m tests.adversarial.page``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from eservice_operator.api.kind import Kind
from eservice_operator.api.kinds import BY_KIND, KINDS
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.encoding import APPLY
from eservice_operator.cluster.errors import ApiError, Forbidden
from eservice_operator.cluster.resources import path_of, resource_of
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Manifest, Ref
from tests.adversarial.cast import Cast, Part
from tests.adversarial.permitted import PERMITTED
from tests.contract.manifests import example
from tests.support.register import Register

pytestmark = pytest.mark.cluster

DRY = "fieldManager=attack&force=true&dryRun=All"
VERBS = ("write", "write the status of", "delete", "read")
AT_ONCE = 8
PLACES = 3


class Attack(NamedTuple):
    """Somebody does something to a kind, at home or in any other of the namespaces that are there."""

    part: Part
    verb: str
    kind: Kind
    home: bool

    @property
    def permitted(self) -> bool:
        """Whether the rights of the part cover it."""
        return self.verb in PERMITTED[self.part].get(self.kind.kind, ()) and (
            self.home or self.part is Part.ON_CALL
        )


def attacks() -> Iterator[Attack]:
    """Everybody, everything, everywhere."""
    for part in Part:
        for kind in KINDS:
            for verb in VERBS:
                for home in (True, False) if kind.namespaced else (True,):
                    yield Attack(part, verb, kind, home)


async def attempt(api: KubeApi, attack: Attack, place: str) -> str:
    """``permitted``, ``forbidden``, or what else the API server says."""
    kind = attack.kind.kind
    body = example(kind)
    body["metadata"] = {"name": body["metadata"]["name"]} | ({"namespace": place} if place else {})
    ref = Ref(body["apiVersion"], kind, place, body["metadata"]["name"])
    try:
        match attack.verb:
            case "write":
                await _dry(api, "PATCH", path_of(ref), body)
            case "write the status of":
                named = {key: body[key] for key in ("apiVersion", "kind", "metadata")}
                await _dry(api, "PATCH", path_of(ref, "status"), named | {"status": {}})
            case "delete":
                await _dry(api, "DELETE", path_of(ref), {"dryRun": ["All"]})
            case _:
                await api.list(resource_of(kind), place)
    except Forbidden as refused:
        told = f'cannot {_word(attack.verb)} resource "{BY_KIND[kind].plural}' in refused.message
        return "forbidden" if told else str(refused)
    except ApiError as other:  # such as that there is none: whoever hears that was let through
        return "permitted" if other.status in {404, 409} else str(other)
    return "permitted"


def _word(verb: str) -> str:
    return {"delete": "delete", "read": "list"}.get(verb, "patch")


async def _dry(api: KubeApi, method: str, where: str, body: Manifest) -> None:
    kind = APPLY if method == "PATCH" else "application/json"
    url = f"{where}?{DRY}" if method == "PATCH" else where
    await api._transport.send(Request("attack", method, url, body, content_type=kind))


async def test_nobody_does_more_than_their_part(register: Register, cast: Cast) -> None:
    """There are three places: the institution's in Production and in Test, and a holder's."""
    gate = asyncio.Semaphore(AT_ONCE)
    places = {register.site.namespace, register.namespace, cast[Part.TESTER].namespace}
    assert len(places) == PLACES

    async def judge(attack: Attack, place: str) -> str:
        wanted = "permitted" if attack.permitted else "forbidden"
        async with gate:
            found = await attempt(cast[attack.part].api, attack, place)
        said = f"{attack.part} may {attack.verb} {attack.kind.kind} in {place or 'the cluster'}: {found}"
        return "" if found == wanted else said

    def where(attack: Attack) -> set[str]:
        home = cast[attack.part].namespace
        return ({home} if attack.home else places - {home}) if attack.kind.namespaced else {""}

    asked = (judge(attack, place) for attack in attacks() for place in where(attack))
    wrong = [one for one in await asyncio.gather(*asked) if one]
    assert not wrong, "\n".join(wrong)


async def test_no_tenant_raises_itself(cast: Cast) -> None:
    """A binding to the operator's ClusterRole, a wider CRD: not for who has ``*`` in a namespace either."""
    rbac, extensions = "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1"
    places = {
        f"{rbac}/clusterrolebindings/eservice-operator": "ClusterRoleBinding",
        f"{rbac}/clusterroles/eservice-operator": "ClusterRole",
        f"{extensions}/customresourcedefinitions/eservices.eservice.dev": "CustomResourceDefinition",
    }
    for where, kind in places.items():
        version, _, name = where.rsplit("/", 2)
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
        for part in Part:
            with pytest.raises(Forbidden):
                await _dry(cast[part].api, "PATCH", f"/apis/{where}", body)


async def test_a_binding_in_ones_own_namespace_gives_no_more_than_one_has(
    register: Register, cast: Cast
) -> None:
    """Who holds everything there gains nothing by binding the operator's ClusterRole there."""
    admin, site = cast[Part.ADMIN], register.site
    place = admin.namespace
    metadata = {"name": "self", "namespace": place}
    rbac = "rbac.authorization.k8s.io"
    subject = {"apiGroup": rbac, "kind": "User", "name": f"admin-{site.mark}"}
    bound = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "eservice-operator"},
        "subjects": [subject],
    }
    await admin.apply(bound)
    for attack in attacks():
        if attack.part is Part.ADMIN and not (attack.kind.namespaced and attack.home):
            place = register.namespace if attack.kind.namespaced else ""
            assert await attempt(admin.api, attack, place) == "forbidden", attack
    for part in (Part.DEVELOPER, Part.TESTER, Part.VERIFIER, Part.ON_CALL, Part.ANYBODY, Part.ANONYMOUS):
        with pytest.raises(Forbidden):
            await cast[part].apply(bound)
