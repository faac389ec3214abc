# SPDX-License-Identifier: Apache-2.0
"""Who wrote which fields of an object, as the API server records it in ``metadata.managedFields``.

A ``fieldsV1`` is a trie with keys ``f:<name>``, ``k:<key of a list item>``, ``v:<value of a set>`` and the
marker ``.``; ``{}`` is a leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eservice_operator.api.names import FINALIZER_MANAGER, MANAGER, STATUS_MANAGER
from eservice_operator.cluster.nesting import DEEPEST
from eservice_operator.core.actions import Manifest

Fields = dict[str, Any]
Entry = dict[str, Any]

OURS = frozenset({MANAGER, STATUS_MANAGER, FINALIZER_MANAGER})
APART = frozenset({"status", "scale"})
"""Subresources through which others rightly write to our children."""
TOLERATED = (
    ("f:metadata",),
    ("f:status",),
    # `kubectl rollout restart`: undoing it would only restart everything once more
    ("f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt"),
)
"""What other writers may own on our children: labels and annotations, status, the mark of a restart."""


def union(one: Fields, other: Fields) -> Fields:
    """The trie of all paths in either; neither is changed."""
    merged = dict(one)
    for key, fields in other.items():
        merged[key] = union(merged[key], fields) if key in merged else fields
    return merged


def without(fields: Fields, path: tuple[str, ...]) -> Fields:
    """The trie less everything at and below ``path``; branches that become empty go too."""
    head, rest = path[0], path[1:]
    if head not in fields:
        return fields
    kept = {key: value for key, value in fields.items() if key != head}
    branch = without(fields[head], rest) if rest else {}
    if any(key != "." for key in branch):
        return kept | {head: branch}
    return kept


def _intruding(entry: Entry) -> Fields:
    """What a foreign entry owns beyond what is tolerated."""
    fields: Fields = entry.get("fieldsV1") or {}
    for path in TOLERATED:
        fields = without(fields, path)
    return fields


def _is_foreign(entry: Entry) -> bool:
    return entry.get("manager") not in OURS and entry.get("subresource", "") not in APART


def _is_plain(entry: Entry, operation: str) -> bool:
    """Whether it stands for our writes to the object itself by this operation (Apply or Update)."""
    return (
        entry.get("manager") == MANAGER
        and entry.get("operation") == operation
        and not entry.get("subresource")
    )


def foreign_managers(entries: list[Entry]) -> list[str]:
    """Writers other than us that own what only we should, sorted; ``entries`` as in ``managedFields``."""
    return sorted(
        {str(entry.get("manager", "")) for entry in entries if _is_foreign(entry) and _intruding(entry)}
    )


def foreign_selector(entries: list[Entry]) -> bool:
    """Whether somebody other than us owns a part of the selector, by having written it."""
    return any(_is_foreign(one) and "f:selector" in _spec(one) for one in entries)


def _spec(entry: Entry) -> Fields:
    fields: Fields = entry.get("fieldsV1") or {}
    spec: Fields = fields.get("f:spec") or {}
    return spec


def written_at(entries: list[Entry]) -> str:
    """When we last changed the object itself; empty when we never did."""
    own = [entry for entry in entries if _is_plain(entry, "Apply") or _is_plain(entry, "Update")]
    return max((str(entry.get("time", "")) for entry in own), default="")


def own_updates(entries: list[Entry]) -> bool:
    """Whether a plain write of ours (the POST that made the object) still co-owns its fields.

    While it does, a server-side apply that leaves a field out does not remove it.
    """
    return any(_is_plain(entry, "Update") for entry in entries)


def take_over(live: Manifest) -> list[dict[str, Any]]:
    """The JSON patch by which our Apply entry takes over our plain writes and what others own beyond bounds.

    After it, a server-side apply removes what it does not name. Guarded by the resourceVersion of ``live``;
    empty when there is nothing to take over.
    """
    metadata = live["metadata"]
    entries = [_bounded(entry) for entry in metadata.get("managedFields") or []]
    taken: Fields = {}
    kept: list[Entry] = []
    applied: Entry | None = None
    for entry in entries:
        if _is_plain(entry, "Apply"):
            applied = entry
            continue
        rest, moved = _split(entry)
        taken = union(taken, moved)
        if any(key != "." for key in rest):
            kept.append(entry | {"fieldsV1": rest})
    if not taken:
        return []
    mine: Entry = applied or {
        "manager": MANAGER,
        "operation": "Apply",
        "apiVersion": live["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
        "time": metadata["creationTimestamp"],
    }
    kept.append(mine | {"fieldsV1": union(mine.get("fieldsV1") or {}, taken)})
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": kept},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]


def without_others(live: Manifest, status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch, for the subresource, that leaves nothing in a status of ours but what we said in it.

    Nobody else writes there rightly, and a server-side apply removes only what its own entry had. ``live`` is
    what our apply of ``status`` answered; the patch is empty when nobody else has added anything.
    """
    metadata = live["metadata"]
    entries: list[Entry] = metadata.get("managedFields") or []
    own = ("Apply", STATUS_MANAGER)
    writers = {(e.get("operation"), e.get("manager")) for e in entries if e.get("subresource") == "status"}
    if writers <= {own} or live.get("status") == status:
        return []
    return [
        {"op": "replace", "path": "/status", "value": status},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]


def without_annotations(live: Manifest, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON patch that takes these annotations off, whoever owns them; empty where none is there.

    Guarded by the resourceVersion of ``live``.
    """
    metadata = live["metadata"]
    there = sorted(set(keys).intersection(metadata.get("annotations") or ()))
    paths = (key.replace("~", "~0").replace("/", "~1") for key in there)
    return without_fields(live, (f"/metadata/annotations/{path}" for path in paths))


def without_fields(live: Manifest, pointers: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON patch that takes these fields off, whoever owns them; empty where none is named.

    Guarded by the resourceVersion of ``live``.
    """
    ops = [{"op": "remove", "path": pointer} for pointer in pointers]
    version = {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": live["metadata"]["resourceVersion"],
    }
    return [*ops, version] if ops else []


def without_finalizer(live: Manifest, finalizer: str) -> list[dict[str, Any]]:
    """The JSON patch that takes this finalizer off, whoever owns it; empty where it is not there."""
    metadata = live["metadata"]
    finalizers = metadata.get("finalizers") or []
    if finalizer not in finalizers:
        return []
    return [
        {"op": "remove", "path": f"/metadata/finalizers/{finalizers.index(finalizer)}"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
    ]


def _bounded(entry: Entry) -> Entry:
    """The entry, what lies too deep in its fields owned as a whole.

    Whoever may write the object may write any trie of a thousand levels, or of more than are read: it would
    keep us from putting the object right.
    """
    return entry | {"fieldsV1": _down_to(entry.get("fieldsV1"), DEEPEST)}


def _down_to(fields: Any, levels: int) -> Fields:
    if not levels or not isinstance(fields, dict):
        return {}
    return {key: _down_to(value, levels - 1) for key, value in fields.items()}


def _split(entry: Entry) -> tuple[Fields, Fields]:
    """What an entry keeps, and what our Apply entry takes from it."""
    fields: Fields = entry.get("fieldsV1") or {}
    if _is_plain(entry, "Update"):
        return {}, fields
    if not _is_foreign(entry):
        return fields, {}
    rest: Fields = {}
    for path in TOLERATED:
        rest = union(rest, _only(fields, path))
    return rest, _intruding(entry)


def _only(fields: Fields, path: tuple[str, ...]) -> Fields:
    """The trie of what ``fields`` has at and below ``path``."""
    head, rest = path[0], path[1:]
    if head not in fields:
        return {}
    branch = _only(fields[head], rest) if rest else fields[head]
    if rest and not branch:
        return {}
    return {key: fields[key] for key in (".",) if key in fields} | {head: branch}
