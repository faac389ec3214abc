# SPDX-License-Identifier: Apache-2.0
"""R1: whether a registration gives an e-service its place: the namespace for its environment."""

from __future__ import annotations

from eservice_operator.api.base import ConditionStatus, Environment
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.registration import EServiceRegistration, NamespaceState
from eservice_operator.core.conditions import find
from eservice_operator.core.memory import Memory

REMEMBERED = 20_000
"""Of how many registrations it is remembered whom they place where: everybody who looks at one asks."""
NOT_LOOKED_AT = "the operator has not looked at it yet"

Problem = tuple[Reason, str]
"""What is wrong, in a word and in a sentence."""


def place_problem(
    registration: EServiceRegistration, environment: Environment, namespace: str
) -> Problem | None:
    """Why an EService of that environment in that namespace is not the registration's; None when it is.

    Remembered is what it says of its own namespaces: anybody may name it, from as many as they have.
    """
    there = registration.namespace_for(environment)
    if there != namespace:
        return _not_placed(registration, environment, namespace, there)
    known = _known.recall(registration.metadata.uid, registration, _nothing_yet)
    if (environment, namespace) not in known:
        known[environment, namespace] = _not_ready(registration, environment, namespace)
    return known[environment, namespace]


def is_looked_at(registration: EServiceRegistration) -> bool:
    """Whether its status says anything: of a new one, or one restored from a backup, it does not yet."""
    return find(registration.status.conditions, ConditionType.REGISTERED) is not None


Problems = dict[tuple[Environment, str], Problem | None]


def _nothing_yet(_registration: EServiceRegistration) -> Problems:
    return {}


_known: Memory[EServiceRegistration, Problems] = Memory(REMEMBERED)


def _not_placed(
    registration: EServiceRegistration, environment: Environment, namespace: str, there: str | None
) -> Problem:
    has = f"its namespace for {environment.value} is {there}"
    if not there:
        has = f"it has no namespace for {environment.value}"
    name = registration.metadata.name
    text = f"EServiceRegistration {name} does not place an EService into {namespace}: {has}"
    return Reason.NAMESPACE_NOT_REGISTERED, text


def _not_ready(
    registration: EServiceRegistration, environment: Environment, namespace: str
) -> Problem | None:
    condition = find(registration.status.conditions, ConditionType.REGISTERED)
    if condition is None or condition.status is not ConditionStatus.TRUE:
        why = condition.message if condition else NOT_LOOKED_AT
        return Reason.REGISTRATION_NOT_READY, f"EServiceRegistration {registration.metadata.name}: {why}"
    place = next((e for e in registration.status.namespaces if e.environment is environment), None)
    if place is None or place.name != namespace or place.state is not NamespaceState.READY:
        why = place.message if place is not None and place.name == namespace else NOT_LOOKED_AT
        return Reason.NAMESPACE_NOT_ONBOARDED, f"namespace {namespace}: {why}"
    return None
