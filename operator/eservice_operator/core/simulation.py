# SPDX-License-Identifier: Apache-2.0
"""A fleet in memory that lives through time by the operator's own decisions.

The earliest instant that a decision names is taken, everything due then is decided and carried out, and so
on. Nobody acts in it: no renewal, no act, no release of a brake. Pods start and gateways agree at once,
nobody looks from outside, and notices count as accepted when they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush

from eservice_operator.core.actions import Outcome
from eservice_operator.core.decide import Decision, decide
from eservice_operator.core.facts import Facts
from eservice_operator.core.foresight import Foreseen, Mark, changes, mark_of
from eservice_operator.core.policy import Policy
from eservice_operator.core.rehearsal import carry_out
from eservice_operator.core.report import report
from eservice_operator.core.simulated_cluster import Place, Scene, SimulatedCluster
from eservice_operator.core.world import World

ROUNDS = 64
"""Rounds of deciding and acting at one instant; a decision comes to rest in a few."""


class NotAtRestError(RuntimeError):
    """A decision that never comes to rest: a fault of the rules, never of anybody's input."""


class Simulation:
    """A scene and its clock; ``foreseen`` grows while it runs."""

    def __init__(self, scene: Scene, start: datetime, policy: Policy, *, release_brake: bool = False) -> None:
        self.policy = replace(policy, channels=(), clock_trusted=True, probed=False)
        self.cluster = SimulatedCluster(scene, start, policy, release_brake=release_brake)
        self.foreseen: list[Foreseen] = []
        self.last: dict[Place, Decision] = {}
        self._now = start
        self._marks = {place: self._mark(place, start) for place in self.cluster.worlds}
        self._due: dict[Place, datetime | None] = {}
        """When to look again; a template is the place without a namespace."""
        self._heap: list[tuple[datetime, Place]] = []
        for subject in (*self.cluster.worlds, *(("", name) for name in self.cluster.templates)):
            self._schedule(subject, start)

    def run(self, until: datetime) -> None:
        """Live up to and including ``until``."""
        while self._heap and self._heap[0][0] <= until:
            now, due = self._heap[0][0], set()
            while self._heap and self._heap[0][0] == now:
                due.add(heappop(self._heap)[1])
            due = {subject for subject in due if self._due.get(subject) == now}
            if due:
                templates = {name for namespace, name in due if not namespace}
                self._instant(now, {place for place in due if place[0]}, templates)

    def _mark(self, place: Place, now: datetime) -> Mark:
        world = self.cluster.world(place)
        return mark_of(Facts(world, now, self.policy), world.service.status, opening=True)

    def _instant(self, now: datetime, places: set[Place], templates: set[str]) -> None:
        """Everything that is due at an instant, and what follows from it at once."""
        touched: set[Place] = set()
        for _ in range(ROUNDS):
            changed: set[str] = set()
            for name in sorted(templates):
                changed |= self._template(name, now)
            places |= self.cluster.subject_to(changed)
            self.cluster.count_anew()
            touched |= places
            changed = set()
            for place in sorted(places):
                changed |= self._settle(place, now)
            templates = self.cluster.templates_of(changed)
            places = self.cluster.subject_to(changed) - places
            if not templates and not places:
                break
        else:
            raise NotAtRestError(f"decisions never come to rest at {now}: {sorted(touched)[:3]}")
        self._record(touched)

    def _template(self, name: str, now: datetime) -> set[str]:
        """Decide about a template; the names of the decisions that its brake took hold of."""
        next_at, changed = self.cluster.decide_template(name, now, self.policy)
        self._schedule(("", name), next_at)
        return changed

    def _settle(self, place: Place, now: datetime) -> set[str]:
        """Decide and act about an e-service until nothing is left to do; the decisions that changed by it."""
        changed: set[str] = set()
        for _ in range(ROUNDS):
            world = self.cluster.world(place)
            decision = decide(world, now, self.policy)
            if decision.actions:
                changed |= self._carry_out(place, world, decision, now)
                continue
            old, status = world.service.status, report(decision, Outcome(()))
            if status != old:
                service = world.service.model_copy(update={"status": status})
                self.cluster.keep(place, replace(world, service=service))
            if status.release == old.release:  # all that a decision reads of its own status
                self.last[place] = decision
                self._schedule(place, decision.next_at)
                return changed
        raise NotAtRestError(f"{'/'.join(place)} never comes to rest at {now}")

    def _carry_out(self, place: Place, world: World, decision: Decision, now: datetime) -> set[str]:
        changed = set()
        for action in decision.actions:
            record = self.cluster.recorded(action, now)
            if record is None:
                world = carry_out(world, action, now, self.policy)
            else:
                changed.add(record)
        self.cluster.keep(place, world)
        return changed

    def _schedule(self, subject: Place, at: datetime | None) -> None:
        """Look at it again at an instant; None: never."""
        self._due[subject] = at
        if at is not None:
            heappush(self._heap, (at, subject))

    def _record(self, touched: Iterable[Place]) -> None:
        for place in sorted(touched):
            self.foreseen += self._happened(place)

    def _happened(self, place: Place) -> Iterator[Foreseen]:
        """What the e-service went through at this instant."""
        facts = self.last[place].facts
        before, after = self._marks[place], mark_of(facts, self.cluster.worlds[place].service.status)
        yield from changes(facts, before, after)
        self._marks[place] = after
