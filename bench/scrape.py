# SPDX-License-Identifier: Apache-2.0
"""What a scrape of /metrics costs: ``python -m bench.scrape [E-SERVICES …]``.

- *first*: the lines of every object are made;
- *again*: nothing has changed since, as for most scrapes;
- *a tenth changed*: one object in ten has another version.

Each e-service comes with a grant of two contract versions that end; a hundred of them share a web service.

The answer is put together in a thread, so this is processor time that the event loop shares, and not a pause
of it. Times are processor time of one core, medians but for the first.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.figures import EServiceFigures
from eservice_operator.runtime.metrics import Metrics
from tests.support import access, worlds

ROUNDS = 9
CHANGED = 10
"""One object in so many."""
SHARED = 100
"""E-services that share a web service."""


def service(number: int, version: int) -> Manifest:
    """A public e-service with a date of each sort and two unmet gates."""
    template = {"name": worlds.TEMPLATE, "version": "2.0.0"}
    gate = {"owner": "Institution", "reason": "AwaitingVerification", "since": "2026-10-01T10:00:00Z"}
    name = f"service-{number}"
    return worlds.eservice(
        metadata={"name": name, "uid": name, "resourceVersion": str(version)},
        status={
            "phase": "Published",
            "identifier": f"EP-{number:06}",
            "release": {"public": {"name": "r", "image": worlds.image("a"), "template": template}},
            "template": template | {"unpublishAt": "2026-12-01", "migrateBy": "2026-12-01"},
            "installation": {"dueBy": "2026-12-01"},
            "gates": [gate | {"gate": "Catalogued"}, gate | {"gate": "Verified"}],
            "conditions": [worlds.condition("Published", "Published")],
        },
    )


def grant(number: int, version: int) -> Manifest:
    """An open grant of two contract versions."""
    name = f"service-{number}"
    versions = [{"version": one, "state": "Active", "endsOn": "2027-10-31"} for one in ("v4", "v5")]
    return access.grant(
        name,
        metadata={"uid": f"grant-{name}", "resourceVersion": str(version)},
        spec={"consumer": {"namespace": worlds.NAMESPACE, "name": name}},
        status={"contractVersions": versions},
    )


def web_service(number: int) -> Manifest:
    """One that a hundred e-services call, and as many asked for."""
    asked = {"namespace": worlds.NAMESPACE, "state": "Granted", "since": "2026-10-01T10:00:00Z"}
    return access.web_service(
        f"register-{number}",
        status={
            "contracts": [{"version": "v4", "endOfLife": "2027-10-31", "consumerCount": SHARED}],
            "requests": [asked | {"eService": f"service-{one}"} for one in range(SHARED)],
        },
    )


def measure(services: int) -> None:
    """Print what a fleet of that many costs."""
    store, figures, metrics = Store(INDEXES), EServiceFigures(worlds.RIGA, worlds.ROUTES), Metrics()
    store.upsert(worlds.template())
    for number in range(services):
        store.upsert(service(number, 1))
        store.upsert(grant(number, 1))
    for number in range(services // SHARED):
        store.upsert(web_service(number))
    metrics.collect_state(lambda: figures.collect(store, worlds.NOW))

    def changed(version: int) -> None:
        for number in range(0, services, CHANGED):
            store.upsert(service(number, version))
            store.upsert(grant(number, version))

    told(services, "first", [seconds(metrics.render)])
    told(services, "again", [seconds(metrics.render) for _ in range(ROUNDS)])
    after = []
    for version in range(2, 2 + ROUNDS):
        changed(version)
        after.append(seconds(metrics.render))
    told(services, "a tenth changed", after)


def seconds(render: Callable[[], bytes]) -> float:
    """The processor time of one scrape."""
    began = time.process_time()
    render()
    return time.process_time() - began


def told(services: int, what: str, times: Iterable[float]) -> None:
    """One line."""
    name = f"{services:,} e-services, {what}"
    sys.stdout.write(f"{name:<36}{statistics.median(times) * 1000:>9.1f} ms\n")


def main(fleets: Iterable[int]) -> None:
    """Measure fleets of these sizes."""
    for services in fleets:
        measure(services)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100, 1_000, 10_000])
