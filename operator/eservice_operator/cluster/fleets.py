# SPDX-License-Identifier: Apache-2.0
"""The e-services and decisions of one template, for the brake: asked for once per decision that is due.

On a bad day a thousand decisions are due at once and each asks for all thousand: an e-service is read
here as a plain dict, and only its version that was not seen before.
"""

from __future__ import annotations

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
from eservice_operator.core.memory import Memory

REMEMBERED = 50_000


class Fleets:
    """Counts what is public and what is decided, template by template."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._services: Memory[Manifest, PublicService] = Memory(REMEMBERED)
        self._decisions: Memory[Manifest, UnpublishDecision | None] = Memory(REMEMBERED)

    def of(self, template: str) -> Fleet:
        """All there is of a template."""
        services = self._store.unordered("EService", indexes.PUBLIC_TEMPLATE, template)
        decisions = self._store.unordered("UnpublishDecision", indexes.TEMPLATE, template)
        read = (self._decisions.recall(_uid(body), body, self._decision) for body in decisions)
        return Fleet(
            services=tuple(self._services.recall(_uid(body), body, _service) for body in services),
            decisions=tuple(decision for decision in read if decision is not None),
            deferrals=self.deferrals,
        )

    def deferrals(self, service: EServiceRef) -> tuple[UnpublishDeferral, ...]:
        """The deferrals that name an e-service."""
        place = f"{service.namespace}/{service.name}"
        return self._reading.found(UnpublishDeferral, indexes.ESERVICE, place)

    def forsaken(self, fleet: Fleet) -> frozenset[str]:
        """The decisions about which no e-service in Production is left to judge."""
        return frozenset(
            decision.metadata.name
            for decision in fleet.decisions
            if not any(
                part(service, "spec", "environment") == decision.spec.environment
                for service in self._store.unordered(
                    "EService", indexes.REGISTRATION, decision.spec.registration
                )
            )
        )

    def _decision(self, body: Manifest) -> UnpublishDecision | None:
        name = body["metadata"]["name"]
        return self._reading.readable(UnpublishDecision, name)


def _uid(body: Manifest) -> str:
    return str(body["metadata"]["uid"])


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
