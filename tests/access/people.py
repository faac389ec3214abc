# SPDX-License-Identifier: Apache-2.0
"""People with every right in one namespace, and none outside of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eservice_operator.api.names import ESERVICE_LABEL, MANAGED_BY_LABEL, MANAGER, OWNER_UID_LABEL
from eservice_operator.core.actions import Manifest
from tests.cli.terminal import Terminal
from tests.support.rbac import bound, rule, user
from tests.support.site import PERSON, Site
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster


@dataclass(frozen=True)
class Person:
    """Somebody who may do everything in a namespace, by a Role of ``*`` on ``*``."""

    namespace: str
    terminal: Terminal

    async def makes(self, *manifests: Manifest) -> None:
        """What the API server takes."""
        for manifest in manifests:
            complaint = await self._apply(manifest)
            assert not complaint, complaint

    async def may_do_everything(self) -> bool:
        """Whether the API server's authorizer has heard of their Role."""
        done = await self.terminal.kubectl("auth", "can-i", "*", "*", f"--namespace={self.namespace}")
        assert done.out.split(" - ")[0].strip() in {"yes", "no"}, done.out + done.err
        return done.code == 0

    async def forges_status(self, manifest: Manifest, status: Manifest) -> None:
        """Writes what only the operator should say."""
        metadata = {key: manifest["metadata"][key] for key in ("name", "namespace")}
        body = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": metadata,
            "status": status,
        }
        complaint = await self._apply(body, "--subresource=status")
        assert not complaint, complaint

    async def may_not_make(self, manifest: Manifest) -> None:
        """It is no matter of what the object says: the right is missing."""
        complaint = await self._apply(manifest)
        assert "is forbidden" in complaint or "cannot" in complaint, f"{manifest}: {complaint or 'accepted'}"

    async def is_told(self, manifest: Manifest) -> str:
        """Why the API server does not take it."""
        complaint = await self._apply(manifest)
        assert complaint, f"{manifest} was accepted"
        return complaint

    async def token(self, account: str, audience: str) -> str:
        """A token for whatever they like, of a ServiceAccount of their namespace."""
        asked = ("create", "token", account, f"--namespace={self.namespace}", f"--audience={audience}")
        done = await self.terminal.kubectl(*asked)
        assert done.code == 0, done.err
        return done.out.strip()

    async def _apply(self, manifest: Manifest, *options: str) -> str:
        how = (
            "apply",
            "--server-side",
            "--force-conflicts",
            f"--field-manager={PERSON}",
            *options,
            "-f",
            "-",
        )
        done = await self.terminal.kubectl(*how, given=json.dumps(manifest))
        return "" if done.code == 0 else done.err


def marks_of(owner: Manifest) -> Manifest:
    """Metadata by which children of an EService are known, as whoever forges one copies it."""
    metadata = owner["metadata"]
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"]}
    labels = {
        MANAGED_BY_LABEL: MANAGER,
        OWNER_UID_LABEL: metadata["uid"],
        ESERVICE_LABEL: metadata["name"],
    }
    reference = named | {"uid": metadata["uid"], "controller": True}
    return {"labels": labels, "ownerReferences": [reference]}


async def person_of(site: Site, cluster: Cluster, namespace: str, folder: Path) -> Person:
    """Bind somebody of the namespace's name to everything in it, of which the API server has heard then."""
    name = f"vandal-of-{namespace}"
    metadata = {"name": "everything", "namespace": namespace}
    await site.apply(*bound(metadata, [rule("*", "*", "*")], user(name)))
    kubeconfig = cluster.user_kubeconfig(name, ["institutions"], folder / namespace)
    made = Person(namespace, Terminal(kubeconfig))
    await eventually(made.may_do_everything, f"the rights of {name}")
    return made
