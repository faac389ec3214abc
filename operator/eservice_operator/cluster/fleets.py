# SPDX-License-Identifier: Apache-2.0
"""The e-services and decisions of one template, for the brake: asked for once per decision that is due.

On a bad day a thousand decisions are due at once and each asks for all thousand. So what was read stays,
and only what has changed in the store since is read anew: an e-service as a plain dict.
"""

from __future__ import annotations

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
from eservice_operator.core.fleet import Fleet, PublicService
from eservice_operator.core.keys import ObjectKey

SERVICE, DECISION = "EService", UnpublishDecision.__name__
INDEX = {SERVICE: indexes.PUBLIC_TEMPLATE, DECISION: indexes.TEMPLATE}
"""By what the objects of a kind belong to a template."""

Muster = dict[str, dict[ObjectKey, Any]]
"""What was read of one template, by kind and key; nothing of the objects themselves."""
NOBODY: Muster = {SERVICE: {}, DECISION: {}}


class Fleets:
    """Counts what is public and what is decided, template by template."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._read: dict[str, Muster] = {}
        self._home: dict[ObjectKey, str] = {}
        self._changed: dict[ObjectKey, None] = {}
        for kind in INDEX:
            self._changed.update(dict.fromkeys(key_of(body) for body in store.all(kind)))
            store.follow(kind, self._follow)

    def of(self, template: str) -> Fleet:
        """All there is of a template."""
        self._catch_up()
        muster = self._read.get(template, NOBODY)
        return Fleet(
            services=tuple(muster[SERVICE].values()),
            decisions=tuple(muster[DECISION].values()),
            deferrals=self.deferrals,
            forsaken=self.forsaken,
        )

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

    def _catch_up(self) -> None:
        """Read what has changed since the last time, and forget what is gone."""
        while self._changed:
            key, _ = self._changed.popitem()
            self._forget(key)
            body = self._store.get(key.kind, key.namespace, key.name)
            if body is None:
                continue
            values = indexes.INDEXES[key.kind, INDEX[key.kind]](body)
            read = self._one(key, body)
            for template in values if read is not None else ():
                self._home[key] = template
                self._read.setdefault(template, {SERVICE: {}, DECISION: {}})[key.kind][key] = read

    def _forget(self, key: ObjectKey) -> None:
        home = self._home.pop(key, None)
        if home is not None:
            muster = self._read[home]
            del muster[key.kind][key]
            if not any(muster.values()):
                del self._read[home]

    def _one(self, key: ObjectKey, body: Manifest) -> Any:
        """What is to be known of an object; None when it cannot be read."""
        if key.kind == SERVICE:
            return _service(body)
        return self._reading.readable(UnpublishDecision, key.name)


def _service(body: Manifest) -> PublicService:
    conditions: list[Manifest] = part(body, "status", "conditions") or []
    return PublicService(
        registration=_text(part(body, "spec", "registration")),
        version=_text(part(body, "status", "release", "public", "template", "version")),
        published=any(_says_published(condition) for condition in conditions),
    )


def _says_published(condition: Manifest) -> bool:
    return bool(
        condition.get("type") == ConditionType.PUBLISHED and condition.get("status") == ConditionStatus.TRUE
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
