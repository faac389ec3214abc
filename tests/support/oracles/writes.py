# SPDX-License-Identifier: Apache-2.0
"""Oracle: the operator writes to nothing that is not its own, and to what people own only where it may.

Who wrote a version is read off ``managedFields``; which requests there were is read off the audit log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from eservice_operator.api.names import GROUP, MANAGED_BY_LABEL, MANAGER
from eservice_operator.cluster.resources import CHILDREN, OWN, RESOURCES
from eservice_operator.core.actions import Manifest
from eservice_operator.core.manifests import CANDIDATE_SUFFIX
from tests.support.audit import Request
from tests.support.oracles.routes import homes
from tests.support.oracles.seen import Cluster, Place, Seen, Silent, labels_of, owner_uid, shown

CHILD_KINDS = frozenset(resource.kind for resource in CHILDREN) | {"Secret"}
OWN_KINDS = frozenset(resource.kind for resource in OWN)
RECORDS = frozenset({"EServiceIdentifier", "UnpublishDecision", "ConnectionTest"})
"""Kinds of the contract of which the operator makes objects itself."""
OWNERS = frozenset({"EService", "WebService", "WebServiceGrant"})
KINDS = {resource.plural: resource.kind for resource in RESOURCES.values()}
ELSEWHERE = frozenset(
    {"events", "leases", "tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews"}
)
"""What it writes to that is no object of anybody."""
CREATED = 201
REMEMBERED = 60.0
"""Seconds for which it is known what an object was that is gone, once who removed it was judged."""
MAY_OWN = {"f:status": None, "f:metadata": {"f:finalizers"}}
"""Fields of an object of people that are the operator's."""


def is_marked(obj: Manifest) -> bool:
    """Whether an object says that it belongs to one of ours, by its labels or by an owner reference."""
    labelled = labels_of(obj).get(MANAGED_BY_LABEL) == MANAGER and bool(owner_uid(obj))
    references = obj["metadata"].get("ownerReferences") or ()
    return labelled or any(str(one.get("apiVersion", "")).startswith(f"{GROUP}/") for one in references)


def _was_ours(obj: Manifest) -> bool:
    """A route lies where nobody else writes: one that we wrote is ours whatever was taken off it.

    So is one that leads to the very e-service that its name says.
    """
    return is_marked(obj) or (obj["kind"] == "HTTPRoute" and (_written(obj) or _leads_home(obj)))


def _leads_home(route: Manifest) -> bool:
    named = tuple(route["metadata"]["name"].split(".")[:2])
    return any(named in {home, (home[0], home[1].removesuffix(CANDIDATE_SUFFIX))} for home in homes(route))


def _written(obj: Manifest) -> bool:
    return any(entry.get("manager") == MANAGER for entry in obj["metadata"].get("managedFields") or ())


@dataclass
class OnlyItsOwn(Silent):
    """What the operator made bears its label and the UID of an owner; the rest it leaves alone."""

    _owners: set[str] = field(default_factory=set)
    _made: list[Seen] = field(default_factory=list)
    _gone: dict[Place, list[tuple[Manifest, float]]] = field(default_factory=dict)
    """What is gone, and when: the audit log may tell a moment later who removed it."""
    _deletes: list[tuple[Place, float]] = field(default_factory=list)
    _created: set[Place] = field(default_factory=set)
    """What the operator made, by the audit log: no watch need have told of what came and went already."""

    @override
    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        kind = seen.place[0]
        if kind in OWNERS:
            self._owners.add(seen.obj["metadata"]["uid"])
        if seen.gone:
            self._gone.setdefault(seen.place, []).append((seen.obj, seen.at))
        entries = seen.entries()
        if not entries:
            return
        if kind in CHILD_KINDS:
            yield from self._of_child(seen)
        elif kind in OWN_KINDS:
            yield from _of_people(seen, entries)
        elif kind == "Namespace" and seen.before is not None:
            yield from _of_namespace(seen, entries)

    def _of_child(self, seen: Seen) -> Iterator[str]:
        if seen.before is None:
            if not (labels_of(seen.obj).get(MANAGED_BY_LABEL) == MANAGER and owner_uid(seen.obj)):
                yield f"{shown(seen.place)} was made without the label and the UID of its owner"
            self._made.append(seen)
        elif not _was_ours(seen.before):
            yield f"{shown(seen.place)} was written to, and said before that it is somebody else's"
        elif not _was_ours(seen.obj):
            yield f"{shown(seen.place)} was written to, and says now that it is somebody else's"

    @override
    def asked(self, request: Request, cluster: Cluster) -> Iterable[str]:
        if not request.writes or not request.succeeded or request.resource in ELSEWHERE:
            return
        kind = KINDS.get(request.resource)
        if not _may(kind, request):
            yield f"the operator may not {request.what} {request.namespace}/{request.name}"
        elif kind is not None and request.code == CREATED:
            self._created.add((kind, request.namespace, request.name))
        elif request.verb == "delete" and kind is not None:
            self._deletes.append(((kind, request.namespace, request.name), cluster.now))

    @override
    def tick(self, cluster: Cluster, *, rest: bool) -> Iterable[str]:
        for seen in [one for one in self._made if cluster.ripe(one.at, rest=rest)]:
            self._made.remove(seen)
            if owner_uid(seen.obj) not in self._owners:
                yield f"{shown(seen.place)} was made for an owner that there never was: {owner_uid(seen.obj)}"
        ripe = [one for one in self._deletes if cluster.ripe(one[1], rest=rest)]
        self._deletes = [one for one in self._deletes if one not in ripe]
        for place, _ in ripe:
            known = [obj for obj, _ in self._gone.get(place, ())]
            known += filter(None, [cluster.present.get(place)])
            if known and not any(map(_was_ours, known)):
                yield f"{shown(place)} was removed, and was somebody else's"
            elif not known and place not in self._created:
                yield f"{shown(place)} was removed, and nobody had seen it"
        for place in list(self._gone):
            self._gone[place] = [one for one in self._gone[place] if cluster.complete - one[1] < REMEMBERED]
            if not self._gone[place]:
                del self._gone[place]


def _may(kind: str | None, request: Request) -> bool:
    """Whether the operator makes such requests at all."""
    if kind in OWN_KINDS:
        made = request.verb == "create" and kind in RECORDS
        return made or request.verb in {"patch", "update"}  # which fields, the watch tells
    if kind == "Namespace":
        return request.verb in {"create", "patch"}
    return kind in CHILD_KINDS


def _of_people(seen: Seen, entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """In an object of people the status and finalizers are ours; and what it made, it made whole."""
    if seen.place[0] in RECORDS and seen.before is None:
        return
    made = seen.place[0] in RECORDS and seen.before is not None and _written(seen.before)
    for path in () if made else _beyond(entries):
        yield f"{shown(seen.place)}: the operator wrote {path}, which is for people to write"


def _beyond(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for head, fields in (entry.get("fieldsV1") or {}).items():
            if head not in MAY_OWN:
                yield head
                continue
            inner = MAY_OWN[head]
            yield from (f"{head}.{one}" for one in fields if inner is not None and one not in inner | {"."})


GOVERNED = (f"f:{GROUP}/", "f:pod-security.kubernetes.io/")


def _of_namespace(seen: Seen, entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Of a namespace that was there the governed labels are ours, and nothing else."""
    for entry in entries:
        for head, fields in (entry.get("fieldsV1") or {}).items():
            labels = fields.get("f:labels", {}) if head == "f:metadata" else {}
            strange = [head] if head != "f:metadata" else [one for one in fields if one != "f:labels"]
            strange += [one for one in labels if one != "." and not one.startswith(GOVERNED)]
            for one in strange:
                yield f"{shown(seen.place)}: the operator wrote {one}, which is for administrators"
