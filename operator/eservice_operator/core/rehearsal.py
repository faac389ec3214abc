# SPDX-License-Identifier: Apache-2.0
"""What becomes of a world by the writes of a decision, when Pods start and the gateway agrees at once.

Nothing is written anywhere: each step answers a new world. Only children and finalizers are told of here;
records that several e-services share are the forecast's to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.core.actions import Action, Create, Delete, Manifest, SetFinalizer, Update
from eservice_operator.core.dates import instant
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import Snapshot, read_snapshot
from eservice_operator.core.world import Observed, World


def carry_out(world: World, action: Action, now: datetime, policy: Policy) -> World:
    """The world once a write to a child, or of our finalizer, is done; others change nothing here."""
    match action:
        case Create(manifest=manifest):
            uid = f"rehearsed-{manifest['kind']}-{manifest['metadata']['name']}"
            return _with_child(world, _settled(manifest, uid, 1, now, policy))
        case Update(manifest=manifest, uid=uid):
            known = world.children.get((manifest["kind"], manifest["metadata"]["name"]))
            generation = 1 if known is None else known.generation + 1
            return _with_child(world, _settled(manifest, uid, generation, now, policy))
        case Delete(ref=ref, uid=uid):
            return _without(world, (ref.kind, ref.name), uid)
        case SetFinalizer(present=present):
            return _finalized(world, present=present)
        case _:
            return world


def _with_child(world: World, body: Manifest) -> World:
    key = body["kind"], body["metadata"]["name"]
    children = {**world.children, key: Observed(body)}
    if body["kind"] != "ControllerRevision":
        return replace(world, children=children)
    snapshot = read_snapshot(body["data"], int(body["revision"]))
    others = (one for one in world.snapshots if not _same(one, snapshot))
    return replace(world, children=children, snapshots=_ordered((*others, snapshot)))


def _without(world: World, key: tuple[str, str], uid: str) -> World:
    if any(left.uid == uid for left in world.leftovers):
        return replace(world, leftovers=tuple(left for left in world.leftovers if left.uid != uid))
    child = world.children.get(key)
    children = {other: body for other, body in world.children.items() if other != key}
    if child is None or key[0] != "ControllerRevision":
        return replace(world, children=children)
    try:
        gone = read_snapshot(child.body.get("data") or {}, int(child.body.get("revision", 0)))
    except ValueError:
        return replace(world, children=children)
    kept = (one for one in world.snapshots if not _same(one, gone))
    return replace(world, children=children, snapshots=_ordered(kept))


def _same(one: Snapshot, other: Snapshot) -> bool:
    return one.name == other.name and one.content == other.content


def _ordered(snapshots: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The newest last, as worlds have them."""
    return tuple(sorted(snapshots, key=lambda one: one.revision))


def _finalized(world: World, *, present: bool) -> World:
    metadata = world.service.metadata
    others = tuple(name for name in metadata.finalizers if name != names.FINALIZER)
    finalizers = (*others, names.FINALIZER) if present else others
    kept = metadata.model_copy(update={"finalizers": finalizers})
    return replace(world, service=world.service.model_copy(update={"metadata": kept}))


def _settled(manifest: Manifest, uid: str, generation: int, now: datetime, policy: Policy) -> Manifest:
    """A child as it is once the cluster has done its part."""
    body = {**manifest, "metadata": {**manifest["metadata"], "uid": uid, "generation": generation}}
    reaction = REACTIONS.get(manifest["kind"])
    return body if reaction is None else body | {"status": reaction(body, now, policy)}


def _started(body: Manifest, now: datetime, _policy: Policy) -> Manifest:
    """All Pods of a Deployment are there."""
    replicas = int(body["spec"].get("replicas") or 0)
    condition = {"type": "Available", "status": "True", "lastTransitionTime": instant(now)}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    return counts | {"observedGeneration": body["metadata"]["generation"], "conditions": [condition]}


def _accepted(body: Manifest, now: datetime, _policy: Policy) -> Manifest:
    """The gateway serves a route."""
    generation = body["metadata"]["generation"]
    answers = [
        {
            "type": kind,
            "status": "True",
            "reason": kind,
            "message": "",
            "observedGeneration": generation,
            "lastTransitionTime": instant(now),
        }
        for kind in ("Accepted", "ResolvedRefs")
    ]
    return {"parents": [{"parentRef": ref, "conditions": answers} for ref in body["spec"]["parentRefs"]]}


Reaction = Callable[[Manifest, datetime, Policy], Manifest]
REACTIONS: dict[str, Reaction] = {"Deployment": _started, "HTTPRoute": _accepted}
