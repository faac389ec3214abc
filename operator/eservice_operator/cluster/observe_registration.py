# SPDX-License-Identifier: Apache-2.0
"""The world of one registration: its number, and its namespaces among those who name them (R1)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from eservice_operator.api import names
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.first_come import FirstCome, Numbers
from eservice_operator.cluster.reading import Reading
from eservice_operator.core.policy import Policy
from eservice_operator.core.registering import LAST_IDENTIFIER
from eservice_operator.core.world import Observed, RegistrationWorld


def registration_world(
    registration: EServiceRegistration, reading: Reading, policy: Policy
) -> RegistrationWorld:
    """What a decision about the registration goes by; as quick with ten thousand others as with ten."""
    wanted = [entry.name for entry in registration.spec.namespaces]
    namespaces = {name: reading.store.get("Namespace", "", name) for name in wanted}
    mine = registration.metadata.name
    others = {other.metadata.name: other for name in wanted for other in _first_come(name, mine, reading)}
    return RegistrationWorld(
        registration=registration,
        identifiers=_identifiers(registration, reading),
        namespaces={name: Observed(body) for name, body in namespaces.items() if body is not None},
        others=tuple(others[name] for name in sorted(others)),
        reserved=names.SYSTEM_NAMESPACES | set(_reserved(policy)),
    )


def _first_come(namespace: str, besides: str, reading: Reading) -> Iterator[EServiceRegistration]:
    """Of the others that name a namespace, for each environment the oldest that can be read."""
    for by_age in reading.store.beside(FirstCome).of(namespace):
        read = (reading.readable(EServiceRegistration, name) for name in by_age if name != besides)
        yield from islice((one for one in read if one is not None), 1)


def _identifiers(registration: EServiceRegistration, reading: Reading) -> tuple[EServiceIdentifier, ...]:
    """The registration's own numbers; without one that which it asks for, and the highest there is."""
    own = reading.found(EServiceIdentifier, indexes.REGISTRATION, registration.metadata.name)
    if own:
        return own
    numbers, asked = reading.store.beside(Numbers), registration.spec.identifier
    read = (reading.readable(EServiceIdentifier, name) for name in numbers.downwards())
    highest = next((one for one in read if one is not None), None)
    if highest is not None and highest.spec.identifier == LAST_IDENTIFIER:
        return reading.all(EServiceIdentifier)  # the first gap is given
    taken = None if asked is None else reading.readable(EServiceIdentifier, asked.lower())
    return tuple({one.metadata.name: one for one in (taken, highest) if one is not None}.values())


def _reserved(policy: Policy) -> Iterator[str]:
    """The namespaces of the routes and of the Gateways."""
    yield policy.routes_namespace
    yield policy.gateway.namespace
    yield from (gateway.namespace for gateway in policy.allowed_gateways)
    if policy.preview is not None:
        yield policy.preview.gateway.namespace
