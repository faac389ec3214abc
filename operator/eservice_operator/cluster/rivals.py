# SPDX-License-Identifier: Apache-2.0
"""Others who want what an EService wants: its place in the registration, and its hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.contested import Standing
from eservice_operator.api.eservice import EService
from eservice_operator.api.names import API_VERSION
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.foreign import Neighbours
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.core.actions import Ref
from eservice_operator.core.contests import GRAVITY
from eservice_operator.core.hosts import normal, unregistered_hosts
from eservice_operator.core.policy import Policy
from eservice_operator.core.seniority import age
from eservice_operator.core.world import HostClaim


def senior_of(service: EService, reading: Reading) -> ObjectMeta | None:
    """The oldest other EService that stands for the same registration and environment here.

    One that cannot be read keeps its place: two must not judge the same decisions.
    """
    mine = service.metadata
    others = [
        ObjectMeta.model_validate(body["metadata"])
        for body in reading.store.by_index("EService", indexes.REGISTRATION, service.spec.registration)
        if body["metadata"]["uid"] != mine.uid
        and part(body, "spec", "environment") == service.spec.environment
    ]
    rivals = [
        other
        for other in others
        if other.namespace == mine.namespace and other.deletion_timestamp is None and age(other) < age(mine)
    ]
    return min(rivals, key=age, default=None)


def claims_of(
    service: EService, hosts: Iterable[str], reading: Reading, policy: Policy
) -> tuple[HostClaim, ...]:
    """Everybody else who has, had before, or wants one of the hosts that this EService asks for.

    Of one object the gravest claim to each host. Costs a few look-ups for each label of a host.
    """
    neighbours = Neighbours(service, reading.store, policy)
    gravest: dict[tuple[str, Ref], HostClaim] = {}
    for host in hosts:
        for claim in (*_eservices(host, service, reading), *neighbours.claims(host)):
            known = gravest.get((claim.host, claim.owner))
            if known is None or GRAVITY[claim.standing] < GRAVITY[known.standing]:
                gravest[claim.host, claim.owner] = claim
    return tuple(gravest[key] for key in sorted(gravest))


def _eservices(host: str, service: EService, reading: Reading) -> Iterator[HostClaim]:
    for other in reading.found(EService, indexes.HOST, normal(host)):
        metadata = other.metadata
        if metadata.uid == service.metadata.uid or not _may_have(other, host, reading):
            continue
        came_first = _seniority(other) <= _seniority(service)
        if came_first or metadata.deletion_timestamp is None:
            owner = Ref(API_VERSION, EService.__name__, metadata.namespace, metadata.name)
            yield HostClaim(host, owner, Standing.RESERVED if came_first else Standing.WAITS, metadata.uid)


def _seniority(service: EService) -> tuple[tuple[datetime, str], str]:
    return age(service.metadata), service.metadata.namespace


def _may_have(other: EService, host: str, reading: Reading) -> bool:
    """Whether the other is where its registration places it, and is given the host by it.

    A host stays reserved; but anybody can name any registration in a namespace of their own.
    """
    registration = reading.readable(EServiceRegistration, other.spec.registration)
    if registration is None:
        return False
    if registration.namespace_for(other.spec.environment) != other.metadata.namespace:
        return False
    return not unregistered_hosts((host,), registration, other.spec.environment)
