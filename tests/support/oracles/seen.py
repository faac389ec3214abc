# SPDX-License-Identifier: Apache-2.0
"""What the judges are told: each version of each object, in the order of the watch of its kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from eservice_operator.api.names import FINALIZER_MANAGER, MANAGER, OWNER_UID_LABEL, STATUS_MANAGER
from eservice_operator.core.actions import Manifest
from tests.support.audit import Request

Place = tuple[str, str, str]
"""Kind, namespace and name."""
OURS = frozenset({MANAGER, STATUS_MANAGER, FINALIZER_MANAGER})
REACT = 20.0
"""Seconds of an operator's readiness within which it takes back what nothing supports any more."""


def place_of(obj: Manifest) -> Place:
    metadata = obj["metadata"]
    return obj["kind"], metadata.get("namespace", ""), metadata["name"]


def shown(place: Place) -> str:
    """``Kind namespace/name``, as people write it."""
    kind, namespace, name = place
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def labels_of(obj: Manifest) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Manifest) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def owner_uid(obj: Manifest) -> str:
    return labels_of(obj).get(OWNER_UID_LABEL, "")


@dataclass(frozen=True)
class Seen:
    """One version of an object; ``before`` is the one that it replaced, None where none is known.

    What is ``gone`` is the last version. ``at`` is monotonic seconds, ``first`` what was there at the start.
    """

    obj: Manifest
    before: Manifest | None = None
    gone: bool = False
    first: bool = False
    at: float = 0.0

    @property
    def place(self) -> Place:
        return place_of(self.obj)

    @property
    def version(self) -> int:
        """Its place in the order of all writes to the cluster."""
        return int(self.obj["metadata"]["resourceVersion"])

    @cached_property
    def text(self) -> str:
        """All of it, for what may be nowhere in it."""
        return json.dumps(self.obj, ensure_ascii=False)

    def entries(self) -> list[dict[str, Any]]:
        """What the operator has written to it, by ``managedFields``, in this version alone."""
        known = {_mark(entry) for entry in _managed(self.before)} if self.before else set()
        return [] if self.first or self.gone else [e for e in _managed(self.obj) if _mark(e) not in known]


def _managed(obj: Manifest | None) -> Iterator[dict[str, Any]]:
    entries = (obj or {"metadata": {}})["metadata"].get("managedFields") or ()
    return (entry for entry in entries if entry.get("manager") in OURS)


def _mark(entry: dict[str, Any]) -> tuple[str, ...]:
    """Of two versions: a write of ours moves the time, or is the first of its kind."""
    return tuple(str(entry.get(name, "")) for name in ("manager", "operation", "subresource", "time"))


@dataclass
class Cluster:
    """What is there by now, as far as it was told, and for how long an operator was there to see to it."""

    present: dict[Place, Manifest] = field(default_factory=dict)
    ended: dict[Place, int] = field(default_factory=dict)
    """The last resourceVersion of what is gone."""
    served: float = 0.0
    """Seconds in which a followed operator said that it is ready."""
    now: float = 0.0
    """Monotonic seconds."""
    complete: float = -1.0
    """Up to when everything was told, of all kinds: what each watch tells can be put side by side.

    Known when a test asks whether all was kept, at its end at the latest.
    """

    def ripe(self, at: float, *, rest: bool) -> bool:
        """Whether all was told by now that came before what was seen at that time."""
        return rest or at <= self.complete

    def of(self, kind: str, namespace: str | None = None) -> Iterator[Manifest]:
        """Objects of a kind, in all namespaces or in one."""
        return (
            obj for place, obj in self.present.items() if place[0] == kind and namespace in (None, place[1])
        )


class Judge(Protocol):
    """One oracle; each answer is a sentence about what was broken."""

    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        """Judge one version."""

    def asked(self, request: Request, cluster: Cluster) -> Iterable[str]:
        """Judge one request of the operator's."""

    def tick(self, cluster: Cluster, *, rest: bool) -> Iterable[str]:
        """Judge what time has shown; at ``rest`` nothing can come any more that would excuse it."""


class Silent:
    """A judge that has nothing to say."""

    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        del seen, cluster
        return ()

    def asked(self, request: Request, cluster: Cluster) -> Iterable[str]:
        del request, cluster
        return ()

    def tick(self, cluster: Cluster, *, rest: bool) -> Iterable[str]:
        del cluster, rest
        return ()


@dataclass
class Suspicions:
    """What must not last: each from when, in seconds of an operator's readiness, it was seen on and on."""

    react: float = REACT
    _since: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def last(self, found: Iterable[str], cluster: Cluster, *, rest: bool) -> Iterator[str]:
        """Those of what is found now that have lasted too long; each is told once."""
        current = set(found)
        self._since = {what: since for what, since in self._since.items() if what in current}
        self._told &= current
        for what in sorted(current):
            lasted = cluster.served - self._since.setdefault(what, cluster.served)
            if (rest or lasted > self.react) and what not in self._told:
                self._told.add(what)
                yield f"{what}, after {lasted:.1f} s of an operator that is ready"
