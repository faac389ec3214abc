# SPDX-License-Identifier: Apache-2.0
"""The e-services and decisions of one template, for the brake: asked for once per decision that is due.

On a bad day a thousand decisions are due at once and each asks for all thousand: an e-service is read
here as a plain dict, and only its version that was not seen before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eservice_operator.api.base import ConditionStatus, EServiceRef
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.reasons import ConditionType
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.fleet import Fleet, PublicService

REMEMBERED = 50_000
"""How many objects' versions are kept as they were read; then all are read anew."""

Known = dict[int, tuple[Manifest, Any]]
"""What was read of an object as the store has it: by identity, and kept alive with it."""


class Fleets:
    """Counts what is public and what is decided, template by template."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._known: Known = {}

    def of(self, template: str) -> Fleet:
        """All there is of a template."""
        if len(self._known) > REMEMBERED:
            self._known.clear()
        services = self._store.unordered("EService", indexes.PUBLIC_TEMPLATE, template)
        decisions = self._store.unordered("UnpublishDecision", indexes.TEMPLATE, template)
        return Fleet(
            services=tuple(self._read(services, _service)),
            decisions=tuple(self._read(decisions, self._decision)),
            deferrals=self.deferrals,
            forsaken=self.forsaken,
        )

    def deferrals(self, service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
        """The deferrals that name an e-service."""
        place = f"{service.namespace}/{service.name}"
        if not self._store.unordered("UnpublishDeferral", indexes.ESERVICE, place):
            return ()
        return self._reading.found(UnpublishDeferral, indexes.ESERVICE, place)

    def _read(self, bodies: list[Manifest], read: Callable[[Manifest], Any]) -> list[Any]:
        """What is to be known of objects, without those that cannot be read."""
        known, found = self._known, []
        for body in bodies:
            entry = known.get(id(body))
            if entry is None:
                entry = known[id(body)] = body, read(body)
            if entry[1] is not None:
                found.append(entry[1])
        return found

    def forsaken(self, decision: UnpublishDecision) -> bool:
        """Whether no EService of a decision's registration and environment is there any more."""
        spec = decision.spec
        services = self._store.unordered("EService", indexes.REGISTRATION, spec.registration)
        return all(part(service, "spec", "environment") != spec.environment for service in services)

    def _decision(self, body: Manifest) -> UnpublishDecision | None:
        name = body["metadata"]["name"]
        return self._reading.readable(UnpublishDecision, name)


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
