# SPDX-License-Identifier: Apache-2.0
"""The e-services and decisions of one template, for the brake: asked for once per decision that is due.

On a bad day a thousand decisions are due at once and each asks for all thousand. So what was read stays,
and only what has changed in the store since is read and counted anew: an e-service as a plain dict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from eservice_operator.api.base import ConditionStatus, Environment, EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.counting import Counting, PublicService
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.tally import Tally
from eservice_operator.core.tidings import SERVED

SERVICE, DECISION = "EService", UnpublishDecision.__name__
INDEX = {SERVICE: indexes.PUBLIC_TEMPLATE, DECISION: indexes.TEMPLATE}
"""By what the objects of a kind belong to a template."""
READ_BESIDE = (SERVICE, UnpublishDeferral.__name__, EServiceRegistration.__name__)
"""Kinds whose specs say when a decision takes effect, and whether somebody judges it."""


@dataclass
class _Muster:
    """What was read of one template, by key; nothing of the objects themselves."""

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

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._read: dict[str, _Muster] = {}
        self._home: dict[ObjectKey, str] = {}
        self._changed: dict[ObjectKey, None] = {}
        for kind in INDEX:
            self._changed.update(dict.fromkeys(key_of(body) for body in store.all(kind)))
            store.follow(kind, self._follow)
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
        services = self._store.unordered("EService", indexes.REGISTRATION, spec.registration)
        home = self._home_of(spec.registration, spec.environment)
        return not any(
            part(service, "spec", "environment") == spec.environment
            and home in (None, part(service, "metadata", "namespace"))
            for service in services
        )

    def _home_of(self, registration: str, environment: Environment) -> str | None:
        """The namespace that a registration has for an environment; None while that is not known."""
        found = self._reading.readable(EServiceRegistration, registration)
        return None if found is None else found.namespace_for(environment)

    def _follow(self, change: Change) -> None:
        self._changed[change.key] = None

    def _recount(self, change: Change) -> None:
        """What any decision may depend on was written, came or went, which is rare: count anew."""
        if _spec(change.before) != _spec(change.after):
            for muster in self._read.values():
                muster.tally = None

    def _catch_up(self) -> None:
        """Read what has changed since the last time, and forget what is gone."""
        while self._changed:
            key, _ = self._changed.popitem()
            body = self._store.get(key.kind, key.namespace, key.name)
            read = None if body is None else self._one(key, body)
            values = () if body is None else indexes.INDEXES[key.kind, INDEX[key.kind]](body)
            home = next(iter(values), None) if read is not None else None
            self._move(key, home)
            if home is not None and read is not None:
                self._read[home].put(key, read)

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

    def _one(self, key: ObjectKey, body: Manifest) -> PublicService | UnpublishDecision | None:
        """What is to be known of an object; None when it cannot be read."""
        if key.kind == SERVICE:
            return _service(body)
        return self._reading.readable(UnpublishDecision, key.name)


def _spec(body: Manifest | None) -> Any:
    return None if body is None else body.get("spec")


def _service(body: Manifest) -> PublicService:
    conditions: list[Manifest] = part(body, "status", "conditions") or []
    return PublicService(
        registration=_text(part(body, "spec", "registration")),
        version=_text(part(body, "status", "release", "public", "template", "version")),
        published=any(_says_published(condition, part(body, "status", "phase")) for condition in conditions),
    )


def _says_published(condition: Manifest, phase: Any) -> bool:
    """By the gateway's word where the look from outside doubts it: a stranger's answer changes no count."""
    if condition.get("type") != ConditionType.PUBLISHED:
        return False
    said = condition.get("status")
    return bool(said == ConditionStatus.TRUE or (said == ConditionStatus.UNKNOWN and phase in SERVED))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
