# SPDX-License-Identifier: Apache-2.0
"""The releases of an EService that are remembered, and what it asks for by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.eservice import EService
from eservice_operator.api.uses import Use
from eservice_operator.cluster import indexes
from eservice_operator.cluster.compact import compact
from eservice_operator.cluster.reading import Reading
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.releases import Snapshot, read_snapshot
from eservice_operator.core.unread import last_known

SNAPSHOT_KIND = "ControllerRevision"


def snapshots_of(owner: ObjectMeta, reading: Reading) -> tuple[Snapshot, ...]:
    """The remembered releases of an EService, the newest last; those that cannot be read are left out."""
    bodies = reading.store.by_index(SNAPSHOT_KIND, indexes.OWNER, owner.uid)
    home = (body for body in bodies if body["metadata"].get("namespace") == owner.namespace)
    read = [_snapshot(body, reading) for body in home]
    return tuple(sorted((one for one in read if one is not None), key=lambda one: one.revision))


def known_service(key: ObjectKey, reading: Reading) -> EService | None:
    """The EService of a key; as it was last known where its spec cannot be read."""
    read = reading.one(EService, key)
    if read is None or isinstance(read, EService):
        return read
    metadata, _ = reading.envelope(key)
    body = reading.store.get(key.kind, key.namespace, key.name) or {}
    return last_known(body, snapshots_of(metadata, reading))


def uses_of(service: EService, snapshots: Iterable[Snapshot]) -> tuple[Use, ...]:
    """What it asks for: by its spec, and by the releases that are remembered; each once."""
    asked = (*service.spec.uses, *(use for snapshot in snapshots for use in snapshot.uses))
    found: list[Use] = []
    for use in asked:
        if use not in found:
            found.append(use)
    return tuple(found)


def _snapshot(body: Manifest, reading: Reading) -> Snapshot | None:
    def make() -> Snapshot | None:
        try:
            read = read_snapshot(body.get("data") or {}, int(body.get("revision", 0)))
        except ValueError:
            return None
        return replace(
            read, template=compact(read.template), workload=compact(read.workload), uses=compact(read.uses)
        )

    known = reading.remember(body, make)
    return known if isinstance(known, Snapshot) else None
