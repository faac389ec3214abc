# SPDX-License-Identifier: Apache-2.0
"""Others who want what an EService wants: its place in the registration, and its hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from eservice_operator.api.base import Environment, ObjectMeta
from eservice_operator.api.contested import Standing
from eservice_operator.api.eservice import EService
from eservice_operator.api.names import API_VERSION
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster.foreign import Neighbours
from eservice_operator.cluster.ranking import rank_of
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.standings import Group, Standings
from eservice_operator.core.actions import Ref
from eservice_operator.core.contests import GRAVITY
from eservice_operator.core.hosts import normal, unregistered_hosts
from eservice_operator.core.policy import Policy
from eservice_operator.core.seniority import age
from eservice_operator.core.world import HostClaim


def senior_of(service: EService, reading: Reading) -> ObjectMeta | None:
    """The next older EService for the same registration and environment here; None: it is the oldest.

    One that cannot be read keeps its place: two must not judge the same decisions.
    """
    mine, spec, store = service.metadata, service.spec, reading.store
    body = store.get(EService.__name__, mine.namespace, mine.name) or {"metadata": {"name": mine.name}}
    group = Group(spec.registration, spec.environment.value, mine.namespace)
    key = store.beside(Standings).senior(group, rank_of(body))
    senior = None if key is None else store.get(*key)
    return None if senior is None else ObjectMeta.model_validate(senior["metadata"])


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
    for other in _entitled(host, reading):
        metadata = other.metadata
        if metadata.uid == service.metadata.uid:
            continue
        came_first = _seniority(other) <= _seniority(service)
        if came_first or metadata.deletion_timestamp is None:
            owner = Ref(API_VERSION, EService.__name__, metadata.namespace, metadata.name)
            yield HostClaim(host, owner, Standing.RESERVED if came_first else Standing.WAITS, metadata.uid)


def _seniority(service: EService) -> tuple[tuple[datetime, str], str]:
    return age(service.metadata), service.metadata.namespace


def _entitled(host: str, reading: Reading) -> Iterator[EService]:
    """Those who ask for a host, stand for a registration that places them, and are given the host by it.

    A host stays reserved; but anybody can name any registration in a namespace of their own, and who comes
    after another there can get nothing.
    """
    standings = reading.store.beside(Standings)
    for group in standings.groups(host):
        registration = reading.readable(EServiceRegistration, group.registration)
        if registration is None:
            continue
        environment = Environment(group.environment)
        if registration.namespace_for(environment) != group.namespace:
            continue
        if unregistered_hosts((host,), registration, environment):
            continue
        for key in standings.holders(group):
            other = reading.service(key.namespace, key.name)
            if other is not None and normal(host) in map(normal, other.spec.publication.hosts):
                yield other
