# SPDX-License-Identifier: Apache-2.0
"""The operator's memory of the cluster: objects by key, secondary indexes, and what a LIST says is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from eservice_operator.cluster.entries import Entries
from eservice_operator.cluster.nesting import DEEPEST
from eservice_operator.cluster.sharing import Shared, Sharing
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey

log = logging.getLogger(__name__)

T = TypeVar("T")
Index = Callable[[Manifest], Iterable[str]]
"""The values under which an object is found."""

BURIED: Final = 4096
"""How many deleted uids are remembered per kind, with the version as of which they were gone."""


class Change(NamedTuple):
    """What happened to one key: ``before`` is None for a new object, ``after`` for one that is gone."""

    key: ObjectKey
    before: Manifest | None
    after: Manifest | None


def key_of(obj: Manifest) -> ObjectKey:
    """The key of an object."""
    metadata = obj["metadata"]
    return ObjectKey(obj["kind"], metadata.get("namespace", ""), metadata["name"])


def version_of(obj: Manifest) -> int:
    """The resourceVersion as the number it is: of two versions of a resource the higher is the later."""
    return int(obj["metadata"]["resourceVersion"])


class _Grave(NamedTuple):
    """As of which version an object was gone; ``left_out``: only LISTs without it say so."""

    version: int
    left_out: bool


class _Shelf:
    """The objects of one kind."""

    def __init__(self, indexes: Mapping[str, Index]) -> None:
        self.objects: dict[ObjectKey, Manifest] = {}
        self.indexes = indexes
        self.found = {name: Entries() for name in indexes}
        self.buried: dict[str, _Grave] = {}
        self.synced = False
        self.followers: list[Callable[[Change], None]] = []

    def put(self, key: ObjectKey, after: Manifest | None) -> Change:
        before = self.objects.get(key)
        if before is not None:
            for name, index in self.indexes.items():
                for value in index(before):
                    self.found[name].discard(value, key)
        if after is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = after
            for name, index in self.indexes.items():
                for value in index(after):
                    self.found[name].add(value, key)
        change = Change(key, before, after)
        for follow in self.followers:
            follow(change)
        return change

    def bury(self, uid: str, version: int, *, left_out: bool) -> None:
        before = self.buried.get(uid, _Grave(0, left_out=True))
        self.buried[uid] = _Grave(max(version, before.version), left_out=left_out and before.left_out)
        if len(self.buried) > BURIED:
            del self.buried[next(iter(self.buried))]


class Store:
    """Objects by kind, namespace and name. Nobody may change what comes out: objects share their parts.

    Fed by LISTs, watches, kopf's events and the answers to our own writes, in any order: an older version
    never replaces a newer one, and a late answer does not bring back an object that was deleted.
    ``indexes`` maps (kind, name of the index) to the function that gives an object's values.
    """

    def __init__(self, indexes: Mapping[tuple[str, str], Index] | None = None) -> None:
        self._declared = dict(indexes or {})
        self._shelves: dict[str, _Shelf] = {}
        self._sharing = Sharing()
        self._doubt: Callable[[str], None] = lambda _: None
        self._beside: dict[Callable[[Store], Any], Any] = {}
        self.too_deep: set[ObjectKey] = set()
        """Objects that are kept without what is nested too deeply in them."""

    def on_left_out_seen(self, doubt: Callable[[str], None]) -> None:
        """Name the kind to somebody when an object is seen that a LIST has left out: a new LIST decides."""
        self._doubt = doubt

    def _shelf(self, kind: str) -> _Shelf:
        shelf = self._shelves.get(kind)
        if shelf is None:
            mine = {name: index for (of, name), index in self._declared.items() if of == kind}
            shelf = self._shelves[kind] = _Shelf(mine)
        return shelf

    def upsert(self, obj: Manifest) -> Change | None:
        """Keep this version unless a later one, or the object's deletion, is known; None: nothing changed."""
        key = key_of(obj)
        shelf = self._shelf(key.kind)
        version = version_of(obj)
        known = shelf.objects.get(key)
        if known is not None and version_of(known) >= version:
            return None
        grave = shelf.buried.get(obj["metadata"]["uid"])
        if grave is not None and grave.version >= version:
            if grave.left_out:
                self._doubt(key.kind)
            self.too_deep.discard(key)
            return None
        shared = self.shared(obj)
        return shelf.put(key_of(shared), shared)

    def shared(self, obj: Manifest) -> Manifest:
        """The object as it would be kept here; whoever holds many until all are there makes them small so."""
        if type(obj) is Shared:
            return obj
        shared, key = self._sharing.share(obj), key_of(obj)
        if not self._sharing.cut:
            self.too_deep.discard(key)
        elif key not in self.too_deep:
            self.too_deep.add(key)
            log.warning("%s: a part of it is nested more than %d levels deep and left out", key, DEEPEST)
        return shared

    def delete(self, obj: Manifest) -> Change | None:
        """Forget the object as of this version; what is known to be later stays."""
        return self._remove(obj, version_of(obj), left_out=False)

    def _remove(self, obj: Manifest, version: int, *, left_out: bool) -> Change | None:
        key = key_of(obj)
        shelf = self._shelf(key.kind)
        shelf.bury(obj["metadata"]["uid"], version, left_out=left_out)
        known = shelf.objects.get(key)
        if known is None or version_of(known) > version:
            return None
        self.too_deep.discard(key)
        return shelf.put(key, None)

    def replace(
        self, kind: str, items: Iterable[Manifest], list_version: str, namespace: str = ""
    ) -> list[Change]:
        """Make the store say what a LIST said, of one ``namespace`` or (empty) of all; what changed by it."""
        changes = []
        present = set()
        for item in items:
            present.add(item["metadata"]["uid"])
            self.exhume(kind, item["metadata"]["uid"], list_version)
            change = self.upsert(item)
            if change is not None:
                changes.append(change)
        return changes + self.prune(kind, present, list_version, namespace)

    def exhume(self, kind: str, uid: str, list_version: str) -> None:
        """Forget that a LIST did not have an object, up to a version as of which another one has it.

        The earlier one left it out by mistake. Without this it would stay unseen until somebody writes to it.
        What we know by itself to be gone stays so: that LIST may have been on its way before.
        """
        buried = self._shelf(kind).buried
        grave = buried.get(uid)
        if grave is not None and grave.left_out and grave.version <= int(list_version):
            del buried[uid]

    def rewind(self, kind: str, items: Iterable[Manifest], namespace: str = "") -> list[Change]:
        """Believe a LIST whatever the versions say: the API server's database was restored."""
        shelf = self._shelf(kind)
        shelf.buried.clear()
        known = {key for key in shelf.objects if not namespace or key.namespace == namespace}
        listed = {key_of(item): item for item in items}
        changes = [shelf.put(key, None) for key in known - set(listed)]
        self.too_deep -= known - set(listed)
        for key, item in listed.items():
            shared = self.shared(item)
            if shelf.objects.get(key) != shared:
                changes.append(shelf.put(key, shared))
        return changes

    def prune(
        self, kind: str, present: Collection[str], list_version: str, namespace: str = ""
    ) -> list[Change]:
        """Forget objects that a LIST as of ``list_version`` does not have; ``present`` are the uids it has.

        What we know in a version later than the list was made after it, and stays.
        """
        shelf = self._shelf(kind)
        limit = int(list_version)
        gone = [
            obj
            for key, obj in shelf.objects.items()
            if obj["metadata"]["uid"] not in present
            and version_of(obj) <= limit
            and (not namespace or key.namespace == namespace)
        ]
        removed = (self._remove(obj, limit, left_out=True) for obj in gone)
        return [change for change in removed if change is not None]

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object, or None when there is none; before ``synced`` None says nothing."""
        return self._shelf(kind).objects.get(ObjectKey(kind, namespace, name))

    def knows(self, kind: str, obj: Manifest) -> bool:
        """Whether this version of the object, or a later one, is here: `upsert` would change nothing."""
        metadata = obj["metadata"]
        known = self.get(kind, metadata.get("namespace", ""), metadata["name"])
        return known is not None and version_of(known) >= version_of(obj)

    def all(self, kind: str) -> list[Manifest]:
        """Every object of the kind, in no particular order."""
        return list(self._shelf(kind).objects.values())

    def by_index(self, kind: str, index: str, value: str) -> list[Manifest]:
        """The objects with this value in the index, by namespace and name."""
        shelf = self._shelf(kind)
        keys = shelf.found[index].of(value)
        return [shelf.objects[key] for key in (sorted(keys) if len(keys) > 1 else keys)]

    def unordered(self, kind: str, index: str, value: str) -> list[Manifest]:
        """The same in no particular order: quicker where there are many."""
        shelf = self._shelf(kind)
        return [shelf.objects[key] for key in shelf.found[index].of(value)]

    def count(self, kind: str, index: str, value: str) -> int:
        """How many they are."""
        return len(self._shelf(kind).found[index].of(value))

    def follow(self, kind: str, follower: Callable[[Change], None]) -> None:
        """Tell somebody of each change of a kind from now on, as soon as it is made."""
        self._shelf(kind).followers.append(follower)

    def beside(self, make: Callable[[Store], T]) -> T:
        """What follows this store beside its indexes; made of all there is when it is first asked for."""
        if make not in self._beside:
            self._beside[make] = make(self)
        kept: T = self._beside[make]
        return kept

    def synced(self, kind: str) -> bool:
        """Whether the kind has been listed in full at least once."""
        return self._shelf(kind).synced

    def mark_synced(self, kind: str) -> None:
        """Say that the kind has been listed in full."""
        self._shelf(kind).synced = True
