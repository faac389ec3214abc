# SPDX-License-Identifier: Apache-2.0
"""The e-services and decisions of one template, for the brake: asked for once per decision that is due.

On a bad day a thousand decisions are due at once and each asks for all thousand. So what was read stays,
and only what has changed in the store since is read and counted anew: e-services by registration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from eservice_operator.api.base import Environment, EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.counted import counted_of, counts_alike, in_production, recorded_of
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import service_of
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.standings import Group, Standings
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.counting import Counting, PublicService
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.gateway_driver import ROUTE_KIND
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.tally import Tally
from eservice_operator.core.unjudged import as_recorded

SERVICE, DECISION, REGISTRATION = "EService", UnpublishDecision.__name__, EServiceRegistration.__name__
READ_BESIDE = (SERVICE, UnpublishDeferral.__name__, REGISTRATION)
"""Kinds whose specs say when a decision takes effect, and whether somebody judges it."""


@dataclass
class _Muster:
    """What was read of one template, by key, e-services by their registrations'; nothing of the objects."""

    services: dict[ObjectKey, PublicService] = field(default_factory=dict)
    decisions: dict[ObjectKey, UnpublishDecision] = field(default_factory=dict)
    tally: Tally | None = None
    """Of these, at the instant of its counting."""

    def put(self, key: ObjectKey, read: PublicService | UnpublishDecision) -> None:
        """What a key is now."""
        if isinstance(read, PublicService):
            self.services[key] = read
            if self.tally is not None:
                self.tally.put_service(key, read)
        else:
            self.decisions[key] = read
            if self.tally is not None:
                self.tally.put_decision(key.name, read)

    def drop(self, key: ObjectKey) -> None:
        """It is gone, or belongs to another template by now."""
        if self.services.pop(key, None) is not None and self.tally is not None:
            self.tally.put_service(key, None)
        if self.decisions.pop(key, None) is not None and self.tally is not None:
            self.tally.put_decision(key.name, None)


class Fleets:
    """Counts what is public and what is decided, template by template."""

    def __init__(self, store: Store, reading: Reading, policy: Policy) -> None:
        self._store = store
        self._reading = reading
        self._policy = policy
        self._read: dict[str, _Muster] = {}
        self._home: dict[ObjectKey, str] = {}
        self._changed: dict[ObjectKey, None] = {}
        for kind in (REGISTRATION, DECISION):
            self._changed.update(dict.fromkeys(key_of(body) for body in store.all(kind)))
            store.follow(kind, self._follow)
        for body in store.all(SERVICE):
            self._follow_service(Change(key_of(body), None, body))
        store.follow(SERVICE, self._follow_service)
        store.follow(ROUTE_KIND, self._follow_route)
        for kind in READ_BESIDE:
            store.follow(kind, self._recount)

    def of(self, template: str) -> Fleet:
        """All there is of a template."""
        self._catch_up()
        muster = self._read.get(template)
        if muster is None:
            return Fleet()
        return Fleet(
            services=tuple(muster.services.values()),
            decisions=tuple(muster.decisions.values()),
            deferrals=self.deferrals,
            forsaken=self.forsaken,
            kept=partial(self._tally, muster),
        )

    def _tally(self, muster: _Muster, known: KnownTemplate, now: datetime, policy: Policy) -> Tally:
        """The tally of a muster: the same one as long as it is asked about the same instant and template."""
        self._catch_up()
        tally = muster.tally
        if tally is None or not tally.counting.speaks_of(known, now, policy):
            counting = Counting(known, now, policy, self.deferrals, self.forsaken)
            tally = muster.tally = Tally(counting, muster.services.items(), muster.decisions.values())
        return tally

    def deferrals(self, service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
        """The deferrals that name an e-service."""
        place = f"{service.namespace}/{service.name}"
        if not self._store.unordered("UnpublishDeferral", indexes.ESERVICE, place):
            return ()
        return self._reading.found(UnpublishDeferral, indexes.ESERVICE, place)

    def forsaken(self, decision: UnpublishDecision) -> bool:
        """Whether no EService of a decision's registration and environment is there any more.

        Only one in the namespace of the registration counts: anybody can name it in a namespace of their own.
        """
        spec = decision.spec
        home = self._home_of(spec.registration, spec.environment)
        if home is not None:
            group = Group(spec.registration, spec.environment.value, home)
            return not self._store.beside(Standings).is_known(group)
        services = self._store.unordered("EService", indexes.REGISTRATION, spec.registration)
        return not any(part(service, "spec", "environment") == spec.environment for service in services)

    def _home_of(self, registration: str, environment: Environment) -> str | None:
        """The namespace that a registration has for an environment; None while that is not known."""
        found = self._reading.readable(EServiceRegistration, registration)
        return None if found is None else found.namespace_for(environment)

    def _follow(self, change: Change) -> None:
        self._changed[change.key] = None
        if change.key.kind == REGISTRATION:  # it says whose route it is that records a decision
            self._read_unjudged(change.key.name)

    def _follow_service(self, change: Change) -> None:
        """Its registration is counted anew: by which of its e-services, that shows only then.

        So are its decisions that nobody has judged yet: what its route records of them.
        """
        before, after = change.before, change.after
        if before is not None and after is not None and counts_alike(before, after):
            return
        for body in (before, after):
            registration = part(body or {}, "spec", "registration")
            if isinstance(registration, str) and body is not None and in_production(body):
                self._changed[ObjectKey(REGISTRATION, "", registration)] = None
                self._read_unjudged(registration)

    def _read_unjudged(self, registration: str) -> None:
        """Its decisions without a status are read anew."""
        decided = f"{registration}/{Environment.PRODUCTION.value}"
        for decision in self._store.unordered(DECISION, indexes.REGISTRATION, decided):
            if (part(decision, "status", "observedGeneration") or -1) < 0:
                self._changed[key_of(decision)] = None

    def _follow_route(self, change: Change) -> None:
        """Of the Agency's routes only: anybody can write one in a namespace of their own, and any label."""
        if change.key.namespace != self._policy.routes_namespace:
            return
        for body in (change.before, change.after):
            key = None if body is None else service_of(body)
            service = None if key is None else self._store.get(*key)
            if service is not None:
                self._follow_service(Change(change.key, None, service))

    def _recount(self, change: Change) -> None:
        """What any decision may depend on was written, came or went, which is rare: count anew."""
        if _spec(change.before) != _spec(change.after):
            for muster in self._read.values():
                muster.tally = None

    def _catch_up(self) -> None:
        """Read what has changed since the last time, and forget what is gone."""
        while self._changed:
            key, _ = self._changed.popitem()
            template, read = self._one(key)
            self._move(key, template)
            if template is not None and read is not None:
                self._read[template].put(key, read)

    def _move(self, key: ObjectKey, home: str | None) -> None:
        """A key belongs to a template from now on, or to none."""
        before = self._home.pop(key, None)
        if before is not None and before != home:
            muster = self._read[before]
            muster.drop(key)
            if not muster.services and not muster.decisions:
                del self._read[before]
        if home is not None:
            self._home[key] = home
            self._read.setdefault(home, _Muster())

    def _one(self, key: ObjectKey) -> tuple[str | None, PublicService | UnpublishDecision | None]:
        """A template, and what is to be known for it of an object; nothing where that cannot be read."""
        if key.kind == REGISTRATION:
            return counted_of(key.name, self._reading, self._policy) or (None, None)
        decision = self._reading.readable(UnpublishDecision, key.name)
        if decision is None:
            return None, None
        if decision.status.observed_generation < 0:
            recorded = recorded_of(decision.spec.registration, self._reading, self._policy)
            decision = as_recorded(decision, recorded)
        return decision.spec.release.template.name, decision


def _spec(body: Manifest | None) -> Any:
    return None if body is None else body.get("spec")
