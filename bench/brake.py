# SPDX-License-Identifier: Apache-2.0
"""What the brake costs on a bad day: ``python -m bench.brake [E-SERVICES]``.

One template has all e-services, and a twelfth of them is due in the same minute. The brake stays at rest,
which costs most: it has to know the whole number each time.

- *the wave*: each e-service that is due asks, then its decision takes effect and its route goes, which
  changes what the next one asks about. A second passes after every 30 of them;
- *one ask*: a single question about a fleet that was not counted at this instant;
- *a template's look*: what the reconcile of the template does, nothing being due.

Times are processor time of one core; all of it is spent on the event loop.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from eservice_operator.api.eservice import EService
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.brake import Brake
from eservice_operator.core.braking import decide_template
from eservice_operator.core.dates import instant
from eservice_operator.core.driver import Shown
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.owner import Owner
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.world import TemplateWorld, World
from tests.support import worlds

ROUNDS = 9
DUE = worlds.at("2026-11-01", "00:00")
"""When those on 2.0.0 take effect."""
ONE_IN = 12
"""The share that is due: less than the ten percent at which the brake engages."""
PER_SECOND = 30
FAR = worlds.at("2027-11-01", "00:00")
KEY = ObjectKey("EServiceTemplate", "", worlds.TEMPLATE)


def of(number: int) -> tuple[datetime, str]:
    """When a decision takes effect, and the version that it is about."""
    return (FAR, "3.0.0") if number % ONE_IN else (DUE, "2.0.0")


def service(number: int, version: int = 1, *, published: bool = True) -> Manifest:
    """An e-service that the public sees, or that was taken off."""
    name, (_, used) = f"e{number}", of(number)
    template = {"name": worlds.TEMPLATE, "version": used}
    return worlds.eservice(
        metadata={"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)},
        spec={"registration": name, "publication": {"hosts": [f"{name}.example.lv"]}},
        status={
            "release": {"public": {"name": "r", "image": worlds.image("a"), "template": template}},
            "conditions": [worlds.condition("Published", "Published", "True" if published else "False")],
        },
    )


def route(number: int, version: int = 1, face: Face = Face.LIVE) -> Manifest:
    """Its public route, which is what counts."""
    owner = EService.model_validate(service(number) | {"spec": _spec_in_use(number)})
    driver, shown = driver_of(worlds.NOTICED), Shown(face, snapshot_of(owner))
    body = driver.build(Owner.of(owner.metadata), shown)
    said = [
        {"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "ResolvedRefs")
    ]
    parent = {"parentRef": body["spec"]["parentRefs"][0], "conditions": said}
    metadata = {"uid": f"route-{number}", "generation": 1, "resourceVersion": str(version)}
    whole: Manifest = worlds.merged(body, {"metadata": metadata, "status": {"parents": [parent]}})
    return whole


def _spec_in_use(number: int) -> Manifest:
    spec: Manifest = service(number)["spec"]
    return spec | {"template": {"name": worlds.TEMPLATE, "version": of(number)[1]}}


def decision(number: int, version: int = 1, **status: str) -> Manifest:
    """Everyone has one: most of them far ahead."""
    name, (at, used) = f"e{number}", of(number)
    return worlds.decision(
        metadata={"name": f"{name}-production-001", "uid": f"of-{name}", "resourceVersion": str(version)},
        spec={
            "registration": name,
            "effectiveAt": instant(at),
            "eService": {"name": name},
            "release": {"template": {"version": used}},
        },
        status={"observedGeneration": 1, "state": "Scheduled", "effectiveAt": instant(at)} | status,
    )


class Fleet:
    """Many e-services in a store, read as the operator reads them."""

    def __init__(self, services: int) -> None:
        self.services = services
        self.store = Store(INDEXES)
        self.store.upsert(worlds.template(lifecycle={"brake": {"percent": 10, "atLeast": 5}}))
        for number in range(services):
            name = f"e{number}"
            self.store.upsert(worlds.registration(metadata={"name": name, "uid": f"registration-{name}"}))
            self.store.upsert(service(number))
            self.store.upsert(route(number))
            self.store.upsert(decision(number))
        self.observer = Observer(self.store, worlds.POLICY)
        self.world()

    def world(self) -> TemplateWorld:
        """The template with its fleet."""
        world = self.observer.template(KEY)
        assert isinstance(world, TemplateWorld)  # noqa: S101 - it was put there
        return world

    def asks(self, number: int, now: datetime) -> float:
        """The time that it takes to tell one decision whether it is held."""
        world = self.observer.eservice(ObjectKey("EService", worlds.NAMESPACE, f"e{number}"))
        assert isinstance(world, World)  # noqa: S101 - it was put there
        began = time.process_time()
        fleet = world.fleet(worlds.TEMPLATE)
        held = Brake(world.templates[worlds.TEMPLATE], fleet, now, worlds.POLICY).engages(world.decisions[0])
        spent = time.process_time() - began
        assert not held  # noqa: S101 - the share is below the limit
        return spent

    def wave(self) -> float:
        """The time that all asks of a wave take, one after another."""
        spent = 0.0
        for turn, number in enumerate(range(0, self.services, ONE_IN)):
            now = DUE + timedelta(seconds=turn // PER_SECOND)
            spent += self.asks(number, now)
            self.store.upsert(decision(number, 2, state="Effective", effectiveSince=instant(now)))
            self.store.upsert(route(number, 2, Face.NOTICE))
            self.store.upsert(service(number, 2, published=False))
        return spent


def median_of(step: Callable[[int], object]) -> float:
    """The median processor time of a step, in seconds."""
    times = []
    for turn in range(ROUNDS):
        began = time.process_time()
        step(turn)
        times.append(time.process_time() - began)
    return statistics.median(times)


def told(name: str, seconds: float) -> None:
    """One line."""
    sys.stdout.write(f"{name}  {seconds * 1000:.1f} ms\n")


def main(services: int = 10_000) -> None:
    """Measure and print."""
    fleet, quiet = Fleet(services), DUE - timedelta(days=30)
    world = fleet.world()
    known = KnownTemplate(world.template, world.catalogue)
    told(
        f"{services:,} e-services, a template's look",
        median_of(
            lambda turn: decide_template(fleet.world(), quiet + timedelta(seconds=turn), worlds.POLICY)
        ),
    )
    told(
        f"{services:,} e-services, one ask",
        median_of(
            lambda turn: Brake(
                known, fleet.world().fleet, DUE - timedelta(hours=1, seconds=turn), worlds.POLICY
            ).engages()
        ),
    )
    told(f"{services:,} e-services, a wave of {len(range(0, services, ONE_IN)):,} that rests", fleet.wave())


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:2]))
