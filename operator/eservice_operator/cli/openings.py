# SPDX-License-Identifier: Apache-2.0
"""Who may call what, by the operator's own rules over a store, and what closes between two answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.eservice import EService
from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.uses import Use
from eservice_operator.cluster.observe_access import AccessObserver
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.snapshots import snapshots_of
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.access.case import Consumer
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.conditions import find

Key = tuple[str, str, Use]
"""Namespace and name of an e-service, and what it asks for."""


@dataclass(frozen=True)
class Opening:
    """An e-service and one of its uses, as it stands."""

    consumer: Consumer
    standing: UseStanding
    versions: frozenset[str]
    """The contract versions that it may call; for REST those that have not ended."""

    @property
    def public(self) -> bool:
        """Whether the public is served by the e-service, as the operator last wrote."""
        published = find(self.consumer.service.status.conditions, ConditionType.PUBLISHED)
        return published is not None and published.status is ConditionStatus.TRUE


@dataclass(frozen=True)
class Closed:
    """What an e-service may not call any more."""

    before: Opening
    after: Opening | None
    versions: tuple[str, ...]
    """The contract versions that are closed."""

    @property
    def reason(self) -> str:
        """Why, in one word."""
        if self.after is None:
            return Reason.ACCESS_NOT_GRANTED.value
        if not self.after.standing.allowed:
            return self.after.standing.reason.value
        grant = self.after.standing.grant
        named = () if grant is None else grant.grant.spec.contract_versions
        taken_out = named and not {one.version for one in named} & set(self.versions)
        return (Reason.VERSION_NOT_GRANTED if taken_out else Reason.CONTRACT_RETIRED).value

    @property
    def ends_on(self) -> date | None:
        """The last day by itself, where that is known."""
        standing = self.before.standing
        if standing.offer is None or self.after is None or not self.after.versions:
            return standing.ends_on
        contracts = map(standing.offer.web_service.contract, self.versions)
        ends = [one.end_of_life for one in contracts if one is not None and one.end_of_life is not None]
        return min(ends, default=standing.ends_on)

    @property
    def binding(self) -> str:
        """The ConfigMap that the e-service is bound by, which goes with it."""
        return binding_of(self.before.consumer.place[1], self.before.standing.use)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        standing, consumer = self.before.standing, self.before.consumer
        namespace, name = consumer.place
        grant = None if standing.grant is None else standing.grant.grant.metadata
        return {
            "namespace": namespace,
            "eService": name,
            "environment": consumer.service.spec.environment.value,
            "public": self.before.public,
            "institution": ""
            if consumer.registration is None
            else consumer.registration.spec.institution.name,
            "code": consumer.code,
            "use": standing.use.name,
            "webService": standing.use.web_service.model_dump(mode="json", by_alias=True),
            "contractVersions": list(self.versions),
            "agent": standing.use.agent,
            "assignment": standing.use.agent or standing.use.as_agent,
            "grant": None if grant is None else f"{grant.namespace}/{grant.name}",
            "endsOn": None if self.ends_on is None else str(self.ends_on),
            "binding": self.binding,
            "reason": self.reason,
            "message": "" if self.after is None else self.after.standing.message,
        }


def openings(store: Store, times: Times) -> dict[Key, Opening]:
    """Every use of every e-service of the store, as it stands."""
    reading = Reading(store)
    observer = AccessObserver(reading)
    found = {}
    for body in store.all(EService.__name__):
        service = reading.one(EService, key_of(body))
        if not isinstance(service, EService):
            continue
        access = observer.of(service, snapshots_of(service.metadata, reading))
        for case in access.uses:
            if access.consumer is None:
                continue
            standing = use_standing(case, access.consumer, times)
            opening = Opening(access.consumer, standing, _open(standing, times))
            found[*access.consumer.place, case.use] = opening
    return found


def _open(standing: UseStanding, times: Times) -> frozenset[str]:
    if ALL_VERSIONS not in standing.versions or standing.offer is None:
        return frozenset(standing.versions)
    contracts = standing.offer.web_service.spec.contracts
    return frozenset(
        one.version for one in contracts if one.end_of_life is None or times.today <= one.end_of_life
    )


def closed(before: Mapping[Key, Opening], after: Mapping[Key, Opening]) -> Iterator[Closed]:
    """What is open before and not after, by namespace and name."""
    for key in sorted(before, key=lambda one: (one[0], one[1], one[2].name)):
        there = after.get(key)
        gone = before[key].versions - (frozenset() if there is None else there.versions)
        if gone:
            yield Closed(before[key], there, tuple(sorted(gone)))
