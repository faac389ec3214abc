# SPDX-License-Identifier: Apache-2.0
"""R1: the decision about one registration: its identifier, and the namespaces of its environments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.registration import (
    EServiceRegistrationStatus,
    EnvironmentNamespace,
    NamespaceState,
    NamespaceStatus,
)
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.actions import Action, Create, Manifest, Outcome, Ref, SetLabels
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.world import Observed, RegistrationWorld

IDENTIFIER_PREFIX = "EP-"


@dataclass(frozen=True)
class RegistrationDecision:
    """What to do about a registration now."""

    world: RegistrationWorld
    identifier: str | None
    """The number that belongs to it, once its EServiceIdentifier exists."""
    taken_by: str | None
    """The registration that holds the number this one asks for."""
    namespaces: tuple[NamespaceStatus, ...]
    actions: tuple[Action, ...]


def decide_registration(world: RegistrationWorld) -> RegistrationDecision:
    """Decide about one registration: pure, total, and quiet once everything is there."""
    name = world.registration.metadata.name
    own = next((entry for entry in world.identifiers if entry.spec.registration == name), None)
    asked = world.registration.spec.identifier
    holder = next((entry for entry in world.identifiers if entry.spec.identifier == asked), None)
    taken_by = None if own is not None or holder is None else holder.spec.registration
    actions: list[Action] = []
    if own is None and taken_by is None:
        actions.append(
            Create(_identifier(world, asked or next_identifier(world)), "R1: every registration has a number")
        )
    states = []
    for entry in world.registration.spec.namespaces:
        state, message, wanted = _namespace(world, entry)
        states.append(
            NamespaceStatus(environment=entry.environment, name=entry.name, state=state, message=message)
        )
        actions += wanted
    return RegistrationDecision(
        world=world,
        identifier=None if own is None else own.spec.identifier,
        taken_by=taken_by,
        namespaces=tuple(states),
        actions=tuple(actions),
    )


def next_identifier(world: RegistrationWorld) -> str:
    """The number after the highest there is: unique and never reused."""
    highest = max(
        (int(entry.spec.identifier[len(IDENTIFIER_PREFIX) :]) for entry in world.identifiers), default=0
    )
    return f"{IDENTIFIER_PREFIX}{highest + 1:06d}"


def _identifier(world: RegistrationWorld, number: str) -> Manifest:
    registration = world.registration.metadata
    return {
        "apiVersion": names.API_VERSION,
        "kind": "EServiceIdentifier",
        "metadata": {
            "name": number.lower(),
            "labels": {names.MANAGED_BY_LABEL: names.MANAGER, names.OWNER_UID_LABEL: registration.uid},
        },
        "spec": {"identifier": number, "registration": registration.name},
    }


def _labels(world: RegistrationWorld, entry: EnvironmentNamespace) -> dict[str, str]:
    return {
        names.INSTITUTION_LABEL: world.registration.spec.institution.code,
        names.ENVIRONMENT_LABEL: entry.environment.value.lower(),
        **names.POD_SECURITY_LABELS,
    }


def _namespace(
    world: RegistrationWorld, entry: EnvironmentNamespace
) -> tuple[NamespaceState, str, tuple[Action, ...]]:
    """How one namespace stands, and what makes it ready; a namespace is the trust boundary."""
    code = world.registration.spec.institution.code
    if entry.name in world.reserved or entry.name.startswith("kube-"):
        text = f"{entry.name} is a system namespace: name one of the institution's own"
        return NamespaceState.CONFLICT, text, ()
    if _environments(world, entry) - {entry.environment}:
        text = f"{entry.name} is registered for another environment: name one namespace for each environment"
        return NamespaceState.CONFLICT, text, ()
    observed = world.namespaces.get(entry.name)
    wanted = _labels(world, entry)
    if observed is None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": entry.name, "labels": wanted | {names.MANAGED_BY_LABEL: names.MANAGER}},
        }
        return NamespaceState.NOT_ONBOARDED, "is being created", (Create(manifest, "R1: registered"),)
    if observed.terminating:
        return NamespaceState.TERMINATING, f"{entry.name} is being deleted", ()
    if observed.labels.get(names.INSTITUTION_LABEL) != code:
        text = (
            f"{entry.name} exists and is not marked for the institution; an administrator adopts it with:"
            f" kubectl label namespace {entry.name} {names.INSTITUTION_LABEL}={code}"
        )
        return NamespaceState.NOT_ONBOARDED, text, ()
    environment = observed.labels.get(names.ENVIRONMENT_LABEL)
    if environment not in (None, entry.environment.value.lower()):
        text = f"{entry.name} is labelled for the environment {environment}: name another namespace"
        return NamespaceState.CONFLICT, text, ()
    return NamespaceState.READY, "", tuple(_relabel(observed, wanted))


def _relabel(observed: Observed, wanted: dict[str, str]) -> Iterator[Action]:
    missing = {key: value for key, value in wanted.items() if observed.labels.get(key) != value}
    if missing:
        why = f"labels missing or changed: {', '.join(sorted(missing))}"
        yield SetLabels(Ref("v1", "Namespace", "", observed.ref.name), observed.uid, wanted, why)


def _environments(world: RegistrationWorld, entry: EnvironmentNamespace) -> set[object]:
    """The environments for which registrations that came before this one use the namespace."""
    mine = world.registration.metadata

    def before(other_created: datetime | None, other_name: str) -> bool:
        created = mine.creation_timestamp
        return (other_created is not None, other_created and other_created.isoformat(), other_name) < (
            created is not None,
            created and created.isoformat(),
            mine.name,
        )

    return {
        claimed.environment
        for other in world.others
        if before(other.metadata.creation_timestamp, other.metadata.name)
        for claimed in other.spec.namespaces
        if claimed.name == entry.name
    }


def registration_status(
    decision: RegistrationDecision, outcome: Outcome, now: datetime
) -> EServiceRegistrationStatus:
    """The whole status of a registration."""
    registration = decision.world.registration
    generation = registration.metadata.generation
    return EServiceRegistrationStatus(
        observed_generation=generation,
        identifier=decision.identifier,
        namespaces=decision.namespaces,
        conditions=c.merge(registration.status.conditions, _verdicts(decision, outcome), generation, now),
    )


def _verdicts(decision: RegistrationDecision, outcome: Outcome) -> tuple[Verdict, ...]:
    spec = decision.world.registration.spec
    if decision.taken_by is not None:
        text = f"identifier {spec.identifier} belongs to {decision.taken_by}: leave identifier out to get a new one"
        return (
            c.false(ConditionType.READY, Reason.IDENTIFIER_TAKEN, text),
            c.true(ConditionType.STALLED, Reason.IDENTIFIER_TAKEN, text),
            c.false(ConditionType.REGISTERED, Reason.IDENTIFIER_TAKEN, text),
        )
    if decision.identifier is None:
        registered = c.false(
            ConditionType.REGISTERED, Reason.PROGRESSING, "the identifier is being allocated"
        )
    else:
        registered = c.true(
            ConditionType.REGISTERED, Reason.REGISTERED, f"{decision.identifier}, {spec.institution.name}"
        )
    if outcome.failure is not None or decision.actions:
        text = outcome.failure.message if outcome.failure else "the identifier or a namespace is being made"
        reason = Reason.PROGRESSING_WITH_RETRY if outcome.failure else Reason.PROGRESSING
        return (
            c.false(ConditionType.READY, reason, text),
            c.true(ConditionType.RECONCILING, reason, text),
            registered,
        )
    waiting = [entry for entry in decision.namespaces if entry.state is not NamespaceState.READY]
    if waiting:
        conflict = any(entry.state is NamespaceState.CONFLICT for entry in waiting)
        reason = Reason.NAMESPACE_CONFLICT if conflict else Reason.NAMESPACE_NOT_ONBOARDED
        return c.true(ConditionType.READY, reason, waiting[0].message), registered
    if spec.suspended is not None:
        text = f"suspended: {spec.suspended.reason}"
        return c.true(ConditionType.READY, Reason.REGISTRATION_SUSPENDED, text), registered
    return c.true(ConditionType.READY, Reason.SUCCEEDED, "identifier and namespaces are in place"), registered
