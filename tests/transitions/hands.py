# SPDX-License-Identifier: Apache-2.0
"""What people and vandals do on a path, and the path as a list of commands that somebody can type again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eservice_operator.cluster.errors import ApiError, NotFound
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.site import PERSON, Site

VANDAL = "kubectl-edit"


@dataclass
class Hands:
    """Writes to a site's objects; what the API server refuses is part of the path, and no fault."""

    site: Site
    path: list[str] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0

    def note(self, line: str) -> None:
        self.path.append(line)

    async def apply(self, manifest: Manifest) -> bool:
        """``kubectl apply --server-side``; whether it was accepted."""
        text = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
        self.note(f"kubectl apply --server-side --force-conflicts -f - <<< '{text}'")
        try:
            await self.site.apply(manifest)
        except ApiError as error:
            return self._refuse(error)
        return self._accept()

    async def patch(self, ref: Ref, *changes: Mapping[str, Any]) -> bool:
        """``kubectl patch --type=json``; False too if there is nothing to patch."""
        self.note(f"kubectl patch {_target(ref)} --type=json -p '{json.dumps(changes)}'")
        live = await self.site.api.get(ref)
        if live is None:
            return self._refuse(None)
        version = {"op": "replace", "path": "/metadata/resourceVersion"}
        ops = [*changes, version | {"value": live["metadata"]["resourceVersion"]}]
        try:
            await self.site.api.json_patch(ref, ops, field_manager=VANDAL)
        except ApiError as error:
            return self._refuse(error)
        return self._accept()

    async def delete(self, ref: Ref) -> bool:
        """``kubectl delete --wait=false``; False too if there is nothing to delete."""
        self.note(f"kubectl delete {_target(ref)} --wait=false")
        live = await self.site.api.get(ref)
        if live is None or "deletionTimestamp" in live["metadata"]:
            return self._refuse(None)
        try:
            await self.site.api.delete(ref, uid=live["metadata"]["uid"])
        except NotFound:
            return self._refuse(None)
        return self._accept()

    async def forge_status(self, ref: Ref, status: Manifest) -> bool:
        """``kubectl apply --subresource=status``: what whoever may write a status puts into it."""
        body: Manifest = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": {"name": ref.name}}
        if ref.namespace:
            body["metadata"]["namespace"] = ref.namespace
        body["status"] = status
        self.note(f"kubectl apply --server-side --subresource=status -f - <<< '{json.dumps(body)}'")
        if await self.site.api.get(ref) is None:
            return self._refuse(None)
        try:
            await self.site.api.apply(body, field_manager=PERSON, force=True, subresource="status")
        except ApiError as error:
            return self._refuse(error)
        return self._accept()

    async def see(self, ref: Ref) -> Manifest | None:
        return await self.site.api.get(ref)

    def _accept(self) -> bool:
        self.accepted += 1
        return True

    def _refuse(self, error: ApiError | None) -> bool:
        self.refused += 1
        self.path[-1] += f"  # refused: {error or 'not there'}"[:200]
        return False


def _target(ref: Ref) -> str:
    where = f" -n {ref.namespace}" if ref.namespace else ""
    return f"{ref.kind.lower()} {ref.name}{where}"


def changed(*steps: bool) -> bool:
    """Whether any of several writes was accepted."""
    return any(steps)


def refs(objects: Sequence[Manifest]) -> list[Ref]:
    return [ref_of(obj) for obj in objects]
