# SPDX-License-Identifier: Apache-2.0
"""Who attacks: people with credentials of their own on the real API server, each with the rights of its part.

What a developer, a tester and a verifier may do is what R1 gives the subjects of a registration. The operator
binds nobody yet, so that administrators do; these are the rights that docs/security.md tells them to give.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eservice_operator.api.names import GROUP
from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Forbidden
from eservice_operator.cluster.resources import resource_of
from eservice_operator.core.actions import Manifest
from tests.support.rbac import bound, rule, user
from tests.support.rights import applied
from tests.support.site import PERSON, Site
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

READ = ("get", "list", "watch")
WRITE = (*READ, "create", "update", "patch", "delete")


class Part(StrEnum):
    """Whom somebody plays."""

    ADMIN = "institution admin"
    """``*`` on ``*`` in the namespace of the institution."""
    HOLDER = "holder"
    """``*`` on ``*`` in the namespace of the register."""
    DEVELOPER = "developer"
    """Maintains the EServices of the namespace."""
    TESTER = "tester"
    """Reads the EServices of the institution's namespace for Test, and has nothing in Production."""
    VERIFIER = "verifier"
    """Writes ProductionVerifications of the namespace, and reads the EServices."""
    ON_CALL = "the Agency's on-call"
    """Reads everything of ours, everywhere."""
    ANYBODY = "anybody with an account"
    """Authenticated, and bound to nothing."""
    ANONYMOUS = "anonymous"
    """Without credentials."""


TENANTS = (Part.ADMIN, Part.HOLDER, Part.DEVELOPER, Part.TESTER, Part.VERIFIER)
EVERYBODY = tuple(Part)
Rule = tuple[str, str, tuple[str, ...]]
"""API group, resources (joined by spaces) and verbs."""
RULES: dict[Part, tuple[Rule, ...]] = {
    Part.ADMIN: (("*", "*", ("*",)),),
    Part.HOLDER: (("*", "*", ("*",)),),
    Part.DEVELOPER: (
        (GROUP, "eservices", WRITE),
        (GROUP, "productionverifications", READ),
        ("", "events", READ),
    ),
    Part.TESTER: ((GROUP, "eservices", READ), ("", "events", READ)),
    Part.VERIFIER: ((GROUP, "productionverifications", (*READ, "create")), (GROUP, "eservices", READ)),
}


@dataclass(frozen=True)
class Persona:
    """Somebody at work."""

    part: Part
    namespace: str
    """Where its rights are; of who has none, the institution's."""
    api: KubeApi
    kubeconfig: Path

    async def apply(self, manifest: Manifest, subresource: str = "") -> Manifest:
        """What ``kubectl apply --server-side --force-conflicts`` does; raises what the API server says."""
        return await self.api.apply(manifest, field_manager=PERSON, force=True, subresource=subresource)


@dataclass(frozen=True)
class Cast:
    """Everybody, by part."""

    people: dict[Part, Persona]

    def __getitem__(self, part: Part) -> Persona:
        """Who plays the part."""
        return self.people[part]


@asynccontextmanager
async def cast_of(
    site: Site, cluster: Cluster, folder: Path, homes: dict[Part, str], home: str
) -> AsyncIterator[Cast]:
    """Everybody, with rights in the namespace of their part, or in ``home``."""
    people = {}
    async with AsyncExitStack() as stack:
        for part in Part:
            place = homes.get(part, home)
            name = f"{part.name.lower().replace('_', '-')}-{site.mark}"
            kubeconfig = cluster.user_kubeconfig(name, ["institutions"], folder / name)
            if part is Part.ON_CALL:
                stack.enter_context(_everywhere(cluster, name, folder / f"{name}.json"))
            elif part in RULES:
                await site.apply(*bound({"name": name, "namespace": place}, _rules(RULES[part]), user(name)))
            configuration = await credentials.load(str(kubeconfig), None)
            if part is Part.ANONYMOUS:
                configuration.cert_file = configuration.key_file = None
            api = await stack.enter_async_context(KubeApi(configuration))
            people[part] = Persona(part, place, api, kubeconfig)
            if part is Part.ON_CALL or part in RULES:
                everywhere = part is Part.ON_CALL
                may = partial(_may_read, api, "" if everywhere else place)
                await eventually(may, f"the API server's authorizer has heard of the rights of the {part}")
        yield Cast(people)


async def _may_read(api: KubeApi, place: str) -> bool:
    """Whether somebody may read EServices there, as everybody may who has any rights."""
    try:
        await api.list(resource_of("EService"), place)
    except Forbidden:
        return False
    return True


@contextmanager
def _everywhere(cluster: Cluster, name: str, file: Path) -> Iterator[None]:
    """Rights in the whole cluster, while the block lasts."""
    objects = bound({"name": name}, _rules(((GROUP, "*", READ),)), user(name))
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    applied(cluster, file)
    yield
    applied(cluster, file, "delete")


def _rules(rules: tuple[Rule, ...]) -> list[Manifest]:
    return [rule(group, resources.split(), verbs) for group, resources, verbs in rules]
