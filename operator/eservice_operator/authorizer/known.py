# SPDX-License-Identifier: Apache-2.0
"""What is known of the cluster: web services, grants and assignments, read as they come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import Model
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.parse import InvalidObject, read
from eservice_operator.api.webservice import WebService
from eservice_operator.authorizer.asked import Consumer
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.keys import ObjectKey

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Model)

KINDS: Final = ("WebService", "WebServiceGrant", "AgentAssignment")


class _Access(NamedTuple):
    """What a grant is about."""

    namespace: str
    web_service: str
    consumer: Consumer


class Known:
    """Follows ``store``. An object that cannot be read is as good as none: it lets nobody in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._web_services: dict[tuple[str, str], WebService] = {}
        self._assignments: dict[tuple[str, str], AgentAssignment] = {}
        self._grants: dict[_Access, dict[str, WebServiceGrant]] = {}
        self._filed: dict[ObjectKey, _Access] = {}
        for kind, follow in zip(KINDS, (self._web_service, self._grant, self._assignment), strict=True):
            store.follow(kind, follow)

    def unlisted(self) -> list[str]:
        """The kinds of which not all objects have been seen yet."""
        return [kind for kind in KINDS if not self._store.synced(kind)]

    def web_service(self, namespace: str, name: str) -> WebService | None:
        """The web service of that name."""
        return self._web_services.get((namespace, name))

    def grants(self, namespace: str, web_service: str, consumer: Consumer) -> Sequence[WebServiceGrant]:
        """The grants of a web service that name the consumer, by name."""
        found = self._grants.get(_Access(namespace, web_service, consumer), {})
        return [found[name] for name in sorted(found)]

    def assignment(self, grant: WebServiceGrant) -> AgentAssignment | None:
        """The assignment that a grant names."""
        agent = grant.spec.agent
        return None if agent is None else self._assignments.get((grant.metadata.namespace, agent.assignment))

    def _web_service(self, change: Change) -> None:
        _put(self._web_services, WebService, change)

    def _assignment(self, change: Change) -> None:
        _put(self._assignments, AgentAssignment, change)

    def _grant(self, change: Change) -> None:
        filed = self._filed.pop(change.key, None)
        if filed is not None:
            together = self._grants[filed]
            del together[change.key.name]
            if not together:
                del self._grants[filed]
        grant = _read(WebServiceGrant, change)
        if grant is not None:
            consumer = grant.spec.consumer
            access = _Access(
                change.key.namespace, grant.spec.web_service, Consumer(consumer.namespace, consumer.name)
            )
            self._filed[change.key] = access
            self._grants.setdefault(access, {})[change.key.name] = grant


def _put(where: dict[tuple[str, str], M], model: type[M], change: Change) -> None:
    place = (change.key.namespace, change.key.name)
    read_anew = _read(model, change)
    if read_anew is None:
        where.pop(place, None)
    else:
        where[place] = read_anew


def _read(model: type[M], change: Change) -> M | None:
    if change.after is None:
        return None
    read_anew = read(model, change.after)
    if isinstance(read_anew, InvalidObject):
        log.warning("%s cannot be read, and lets nobody in: %s", change.key, read_anew)
        return None
    return read_anew
