# SPDX-License-Identifier: Apache-2.0
"""Oracle: nothing is open to a consumer without a holder's grant that lives (R3).

What is open: in the holder's namespace the NetworkPolicy, Role and RoleBinding of a grant; beside the
consumer the ConfigMap of a binding, its Secret with credentials, and the ways out of its NetworkPolicy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from typing_extensions import override

from eservice_operator.api.names import (
    CREDENTIALS_ANNOTATION,
    EGRESS_ANNOTATION,
    ESERVICE_LABEL,
    GRANT_ANNOTATION,
    MANAGED_BY_LABEL,
    MANAGER,
)
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.support.audit import Request
from tests.support.fleet import today
from tests.support.oracles.seen import (
    Cluster,
    Place,
    Seen,
    Silent,
    Suspicions,
    annotations_of,
    labels_of,
    owner_uid,
    place_of,
    shown,
)

GRANT = "WebServiceGrant"
HOLDERS = frozenset({"NetworkPolicy", "Role", "RoleBinding"})
LATE = 5.0
"""Seconds after a grant's end in which a write may be under way that was decided before, whoever has read the
grant meanwhile: looks at other grants of the same web service read it, too."""
FAR_TOO_LATE = 60.0
"""Seconds after a grant's end in which that is excused at all, on a machine that is busy."""
OPENINGS = {"networkpolicies": "NetworkPolicy", "roles": "Role", "rolebindings": "RoleBinding"}
CREATED = 201


def lives(grant: Manifest, day: date) -> bool:
    """Whether its holder stands by a grant, whatever else it may lack."""
    spec = grant["spec"]
    ended = str(spec.get("validUntil", day)) < str(day)
    return "deletionTimestamp" not in grant["metadata"] and "refused" not in spec and not ended


def is_of_grant(obj: Manifest) -> bool:
    """Whether an object is one of those by which a grant opens the holder's side."""
    named = obj["metadata"]["name"].startswith("grant.")
    return obj["kind"] in HOLDERS and named and labels_of(obj).get(MANAGED_BY_LABEL) == MANAGER


def is_binding(obj: Manifest) -> bool:
    ours = labels_of(obj).get(MANAGED_BY_LABEL) == MANAGER
    return obj["kind"] == "ConfigMap" and ours and GRANT_ANNOTATION in annotations_of(obj)


def _is_copy(obj: Manifest) -> bool:
    return obj["kind"] == "Secret" and labels_of(obj).get(MANAGED_BY_LABEL) == MANAGER


def _is_way_out(obj: Manifest) -> bool:
    return (
        obj["kind"] == "NetworkPolicy"
        and obj["metadata"]["name"].startswith("access.")
        and labels_of(obj).get(MANAGED_BY_LABEL) == MANAGER
    )


class Life(NamedTuple):
    """From which write on a grant lived or not, and when that was seen, in monotonic seconds."""

    grant: tuple[str, str]
    version: int
    alive: bool
    at: float


def arrived(request: Request) -> float:
    """When the API server received a request, in monotonic seconds of this machine."""
    return time.monotonic() - (now() - datetime.fromisoformat(request.at)).total_seconds()


@dataclass
class GrantsBehindAccess(Silent):
    """What is open without a grant goes soon, and is never opened after the grant's end."""

    arrived: Callable[[Request], float] = arrived
    _suspicions: Suspicions = field(default_factory=Suspicions)
    _lives: dict[str, list[Life]] = field(default_factory=dict)
    """Of each grant by uid."""
    _opened: list[Seen] = field(default_factory=list)
    _read: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """When the operator read which grant live, by namespace and name."""
    _made: dict[Place, list[float]] = field(default_factory=dict)
    """When it asked for what opens to be made."""

    @override
    def asked(self, request: Request, cluster: Cluster) -> Iterable[str]:
        place = request.namespace, request.name
        if request.resource == "webservicegrants" and request.verb == "get":
            self._read.setdefault(place, []).append(self.arrived(request))
        elif request.resource in OPENINGS and request.code == CREATED:
            self._made.setdefault((OPENINGS[request.resource], *place), []).append(self.arrived(request))
        return ()

    @override
    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        if seen.place[0] == GRANT:
            alive = not seen.gone and lives(seen.obj, today())
            known = self._lives.setdefault(seen.obj["metadata"]["uid"], [])
            if not known or known[-1].alive is not alive:
                known.append(Life(_place(seen.obj), seen.version, alive, seen.at))
        if is_of_grant(seen.obj) and seen.before is None and not (seen.gone or seen.first):
            self._opened.append(seen)
        return ()

    @override
    def tick(self, cluster: Cluster, *, rest: bool) -> Iterable[str]:
        yield from self._opened_late(cluster, rest=rest)
        yield from self._suspicions.last(unsupported(cluster), cluster, rest=rest)

    def _opened_late(self, cluster: Cluster, *, rest: bool) -> Iterator[str]:
        """A grant is read anew before anything is opened: what had ended by then opens nothing.

        So whoever opens it has read the grant after its end, or not for long: on a machine that has no time
        for it a write may come late that was decided before.
        """
        ripe = [one for one in self._opened if cluster.ripe(one.at, rest=rest)]
        self._opened = [one for one in self._opened if one not in ripe]
        for one in ripe:
            history = [
                entry for entry in self._lives.get(owner_uid(one.obj), ()) if entry.version < one.version
            ]
            if not history:
                yield f"{shown(one.place)} was opened for no grant that was ever there"
            elif not history[-1].alive:
                yield from self._opened_after(one, history[-1])

    def _opened_after(self, opened: Seen, end: Life) -> Iterator[str]:
        made = [at for at in self._made.get(opened.place, ()) if at <= opened.at]
        asked = made[-1] if made else opened.at
        late = f"{shown(opened.place)} was opened {asked - end.at:.1f} s after its grant's end"
        if any(end.at < read < asked for read in self._read.get(end.grant, ())) and asked - end.at > LATE:
            yield f"{late}, which the operator had read"
        elif asked - end.at > FAR_TOO_LATE:
            yield late


def unsupported(cluster: Cluster) -> Iterator[str]:
    """Everything that is open now, and should not be."""
    day = today()
    grants = {grant["metadata"]["uid"]: grant for grant in cluster.of(GRANT) if lives(grant, day)}
    names = {_place(grant): grant for grant in grants.values()}
    for obj in cluster.present.values():
        if "deletionTimestamp" in obj["metadata"]:
            continue  # somebody else's finalizer holds it
        if is_of_grant(obj) and owner_uid(obj) not in grants:
            yield f"{shown(place_of(obj))} is open, and no grant lives that it is of"
        elif is_binding(obj):
            yield from _of_binding(obj, names)
        elif _is_copy(obj):
            yield from _of_copy(obj, cluster)
        elif _is_way_out(obj):
            yield from _of_ways(obj, cluster)


def _of_binding(obj: Manifest, grants: dict[tuple[str, str], Manifest]) -> Iterator[str]:
    place = shown(place_of(obj))
    grant = grants.get(_split(annotations_of(obj)[GRANT_ANNOTATION]))
    if grant is None:
        yield f"{place} is a binding, and the grant lives not that it rests on"
        return
    consumer = grant["spec"]["consumer"]
    own = (consumer["namespace"], consumer["name"]) == (
        obj["metadata"]["namespace"],
        labels_of(obj).get(ESERVICE_LABEL),
    )
    if not own and "on-behalf-of" not in (obj.get("data") or {}):
        yield f"{place} is a binding that rests on a grant to somebody else, {shown(place_of(grant))}"


def _place(grant: Manifest) -> tuple[str, str]:
    return grant["metadata"]["namespace"], grant["metadata"]["name"]


def _split(named: str) -> tuple[str, str]:
    namespace, _, name = named.partition("/")
    return namespace, name


def _of_copy(obj: Manifest, cluster: Cluster) -> Iterator[str]:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    binding = cluster.present.get(("ConfigMap", namespace, name))
    if binding is None or not is_binding(binding) or CREDENTIALS_ANNOTATION not in annotations_of(binding):
        yield f"{shown(place_of(obj))} are credentials beside no binding that has some"


def _of_ways(obj: Manifest, cluster: Cluster) -> Iterator[str]:
    bindings = [
        binding
        for binding in cluster.of("ConfigMap", obj["metadata"]["namespace"])
        if is_binding(binding) and owner_uid(binding) == owner_uid(obj)
    ]
    allowed = [rule for binding in bindings for rule in _ways(binding)]
    for rule in obj["spec"].get("egress") or ():
        if _canonical(rule) not in allowed:
            yield f"{shown(place_of(obj))} lets Pods out where no binding leads: {_canonical(rule)}"


def _ways(binding: Manifest) -> list[str]:
    try:
        rules = json.loads(annotations_of(binding).get(EGRESS_ANNOTATION, "[]"))
    except ValueError:
        return []
    return [_canonical(rule) for rule in rules] if isinstance(rules, list) else []


def _canonical(rule: Any) -> str:
    return json.dumps(rule, sort_keys=True)
