# SPDX-License-Identifier: Apache-2.0
"""Oracle: no public route leads to an e-service past the instant of its unpublication (R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from typing_extensions import override

from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.clock import now
from tests.support.oracles.excuses import Excuses
from tests.support.oracles.seen import Cluster, Silent, Suspicions, place_of, shown

IN_TIME = 10.0
"""Seconds of an operator's readiness after the instant; with nothing else on the machine one is promised."""
TAKES_OFF = frozenset({"Scheduled", "Effective"})
"""States in which a decision takes effect at its instant; for others there has to be a cause."""


@dataclass
class NothingPublicPastItsInstant(Silent):
    """``clock`` is the operator's, where a test has moved that."""

    clock: Callable[[], datetime] = now
    _excuses: Excuses = field(default_factory=Excuses)
    _suspicions: Suspicions = field(default_factory=lambda: Suspicions(IN_TIME))

    @override
    def tick(self, cluster: Cluster, *, rest: bool) -> Iterable[str]:
        return self._suspicions.last(self._late(cluster), cluster, rest=rest)

    def _late(self, cluster: Cluster) -> Iterator[str]:
        self._excuses.look(cluster)
        led = {home: place_of(route) for route in _routes(cluster) for home in homes(route)}
        for decision in cluster.of("UnpublishDecision"):
            service = decision["spec"]["eService"]
            route, due = led.get((service["namespace"], service["name"])), instant_of(decision)
            if route is None or due is None or due > self.clock():
                continue
            name, state = decision["metadata"]["name"], decision["status"].get("state", "Scheduled")
            if state in TAKES_OFF:
                yield f"{shown(route)} still leads to the e-service that {name} took off at {due.isoformat()}"
            elif not self._excuses.excused(decision, cluster, self.clock()):
                said = f"{state} ({decision['status'].get('reason')})"
                yield f"{shown(route)} leads to the e-service that {name}, {said} without a cause, took off"


def instant_of(decision: Manifest) -> datetime | None:
    """From when nothing may lead to the e-service, unless there is a cause for it to be held or closed."""
    status = decision.get("status") or {}
    if status.get("state") is None or status.get("observedGeneration", -1) < 0:
        return None  # it says nothing yet but what the spec says, and may be held at the first look
    return datetime.fromisoformat(status.get("effectiveAt") or decision["spec"]["effectiveAt"])


def _routes(cluster: Cluster) -> Iterator[Manifest]:
    yield from cluster.of("HTTPRoute")
    yield from cluster.of("Ingress")


def homes(route: Manifest) -> Iterator[tuple[str, str]]:
    """Namespace and name of the Services that a route leads to."""
    place = route["metadata"]["namespace"]
    if route["kind"] == "HTTPRoute":
        for rule in route["spec"].get("rules") or ():
            for backend in rule.get("backendRefs") or ():
                yield backend.get("namespace", place), backend["name"]
        return
    for rule in route["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            service: dict[str, Any] = path["backend"].get("service") or {}
            yield place, service.get("name", "")
