# SPDX-License-Identifier: Apache-2.0
"""What the brake counts of a registration: the one e-service in Production, by what its admin cannot forge.

Who has every right in a namespace may write any EService there, with any status. So only the EService counts
that stands where the registration places it, and where Gateways publish, what its public route says, which
lies in the Agency's namespace: whether it serves, and what it records of the release. Where the registration
is gone, the route places it, too. Of an Ingress, on which nothing can be recorded, the status is believed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from eservice_operator.api.base import ConditionStatus, Environment
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_our_route, is_route_of
from eservice_operator.cluster.ranking import rank_of
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.standings import Group, Standings
from eservice_operator.core.actions import Manifest
from eservice_operator.core.counting import PublicService
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.policy import Policy
from eservice_operator.core.public_record import decision_on, record_on
from eservice_operator.core.tidings import SERVED
from eservice_operator.core.world import Observed


class PublicOf(NamedTuple):
    """An e-service that has a public release, and for which template."""

    template: str
    service: PublicService


def in_production(service: Manifest) -> bool:
    """Whether an EService says that it is in Production."""
    return bool(part(service, "spec", "environment") == Environment.PRODUCTION)


def counted_of(registration: str, reading: Reading, policy: Policy) -> PublicOf | None:
    """What the brake counts of a registration; None where that has no e-service with a public release."""
    driver = driver_of(policy)
    service = _standing(registration, reading, policy)
    if service is None:
        return None
    said: Any = part(service, "status", "release", "public", "template")
    template, version, published = part(said, "name"), part(said, "version"), _says_published(service)
    if driver.far:
        body = _own_route_of(service, reading, policy)
        route = None if body is None else Observed(body)
        record = record_on(route)
        if record is not None:
            template, version = record.template.name, record.template.version
        published = route is not None and face_of(route) is Face.LIVE and driver.serving(route).served
    if not isinstance(template, str):
        return None
    return PublicOf(template, PublicService(registration, str(version or ""), published))


def recorded_of(registration: str, reading: Reading, policy: Policy) -> RememberedDecision | None:
    """The last UnpublishDecision about a registration by its public route, as the Agency alone writes it.

    Also by that of an earlier EService in the same place: restored, it has another UID.
    """
    service = _standing(registration, reading, policy) if driver_of(policy).far else None
    body = None if service is None else _route_of(service, reading, policy)
    return None if body is None or not is_our_route(body) else decision_on(Observed(body))


def _route_of(service: Manifest, reading: Reading, policy: Policy) -> Manifest | None:
    """What has the name of an EService's public route in its place, in the Agency's namespace."""
    driver, metadata = driver_of(policy), service["metadata"]
    name = driver.name(metadata["namespace"], metadata["name"])
    return reading.store.get(driver.kind, policy.routes_namespace, name)


def _own_route_of(service: Manifest, reading: Reading, policy: Policy) -> Manifest | None:
    """Its public route of a Gateway, and no earlier e-service's."""
    body = _route_of(service, reading, policy)
    return None if body is None or not is_route_of(body, service["metadata"]["uid"]) else body


def _standing(name: str, reading: Reading, policy: Policy) -> Manifest | None:
    """The EService in Production where the registration places it; the oldest of several.

    Where nobody can read the registration, which took nothing off, one that has a route of a Gateway: it had
    to be registered for that.
    """
    registration = reading.readable(EServiceRegistration, name)
    if registration is not None:
        place = registration.namespace_for(Environment.PRODUCTION)
        group = Group(name, Environment.PRODUCTION.value, str(place))
        key = reading.store.beside(Standings).first(group)
        return None if key is None else reading.store.get(*key)
    far = driver_of(policy).far
    there = [
        service
        for service in reading.store.unordered("EService", indexes.REGISTRATION, name)
        if in_production(service) and part(service, "metadata", "deletionTimestamp") is None
        if far and _own_route_of(service, reading, policy) is not None
    ]
    return min(there, key=rank_of, default=None)


def counts_alike(one: Manifest, other: Manifest) -> bool:
    """Whether two versions of an EService are counted alike: its own part of what `counted_of` reads."""
    return _counted_by(one) == _counted_by(other)


def _counted_by(service: Manifest) -> tuple[Any, ...]:
    spec, metadata = service.get("spec") or {}, service["metadata"]
    return (
        (spec.get("registration"), spec.get("environment")),
        (metadata["uid"], rank_of(service), metadata.get("deletionTimestamp")),
        part(service, "status", "release", "public", "template"),
        _says_published(service),
    )


def _says_published(service: Manifest) -> bool:
    """By the gateway's word where the look from outside doubts it: a stranger's answer changes no count."""
    phase = part(service, "status", "phase")
    for condition in part(service, "status", "conditions") or ():
        if condition.get("type") == ConditionType.PUBLISHED:
            said = condition.get("status")
            return bool(said == ConditionStatus.TRUE or (said == ConditionStatus.UNKNOWN and phase in SERVED))
    return False
