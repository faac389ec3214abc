# SPDX-License-Identifier: Apache-2.0
"""R1: the decision about one registration: its identifier, and the namespaces of its environments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.base import Environment
from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.registration import (
    EnvironmentNamespace,
    EServiceRegistrationStatus,
    NamespaceState,
    NamespaceStatus,
)
from eservice_operator.core import conditions as c
from eservice_operator.core.abandoned import in_reach
from eservice_operator.core.actions import Action, Create, Manifest, Outcome
from eservice_operator.core.addressees import entries, recipients
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.labelling import kept_restricted, labels_of, relabelled, remembered
from eservice_operator.core.ledger import Notices, enter, fold
from eservice_operator.core.policy import Policy
from eservice_operator.core.seniority import age
from eservice_operator.core.tidings import Tiding
from eservice_operator.core.world import RegistrationWorld

IDENTIFIER_PREFIX = "EP-"
LAST_NUMBER = 999_999
LAST_IDENTIFIER = f"{IDENTIFIER_PREFIX}{LAST_NUMBER:06d}"


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
    name, asked = world.registration.metadata.name, world.registration.spec.identifier
    numbers = sorted(entry.spec.identifier for entry in world.identifiers if entry.spec.registration == name)
    holders = {entry.spec.identifier: entry.spec.registration for entry in world.identifiers}
    taken_by = None if numbers or asked is None else holders.get(asked)
    actions: list[Action] = []
    if not numbers and taken_by is None:
        manifest = _identifier(world, asked or next_identifier(frozenset(holders)))
        actions.append(Create(manifest, "R1: every registration has a number"))
    states = []
    for entry in world.registration.spec.namespaces:
        state, message, wanted = _namespace(world, entry)
        states.append(
            NamespaceStatus(
                environment=entry.environment,
                name=entry.name,
                state=state,
                message=message,
                uid=remembered(world, entry.name, state),
            )
        )
        actions += wanted
    return RegistrationDecision(
        world=world,
        identifier=numbers[0] if numbers else None,
        taken_by=taken_by,
        namespaces=tuple(states),
        actions=tuple(actions),
    )


def next_identifier(taken: frozenset[str]) -> str:
    """The number after the highest there is, which is never reused; after the last one, the first gap."""
    highest = max((int(number.removeprefix(IDENTIFIER_PREFIX)) for number in taken), default=0)
    if highest < LAST_NUMBER:
        return f"{IDENTIFIER_PREFIX}{highest + 1:06d}"
    free = (f"{IDENTIFIER_PREFIX}{number:06d}" for number in range(1, LAST_NUMBER))
    return next(number for number in free if number not in taken)


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


def _namespace(
    world: RegistrationWorld, entry: EnvironmentNamespace
) -> tuple[NamespaceState, str, tuple[Action, ...]]:
    """How one namespace stands, and what makes it ready; a namespace is the trust boundary."""
    conflict = _conflict(world, entry)
    if conflict is not None:
        return NamespaceState.CONFLICT, conflict, tuple(kept_restricted(world, entry))
    observed, wanted = world.namespaces.get(entry.name), labels_of(world, entry)
    if observed is None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": entry.name, "labels": wanted | {names.MANAGED_BY_LABEL: names.MANAGER}},
        }
        return NamespaceState.NOT_ONBOARDED, "is being created", (Create(manifest, "R1: registered"),)
    if observed.terminating:
        return NamespaceState.TERMINATING, f"{entry.name} is being deleted", ()
    if names.INSTITUTION_LABEL not in observed.labels:
        code = world.registration.spec.institution.code
        text = (
            f"{entry.name} exists and is not marked for the institution; an administrator adopts it with:"
            f" kubectl label namespace {entry.name} {names.INSTITUTION_LABEL}={code}"
        )
        return NamespaceState.NOT_ONBOARDED, text, tuple(kept_restricted(world, entry))
    return NamespaceState.READY, "", tuple(relabelled(observed, wanted))


def _conflict(world: RegistrationWorld, entry: EnvironmentNamespace) -> str | None:
    """Why the namespace can never be this registration's for the environment."""
    if entry.name in world.reserved or entry.name.startswith("kube-"):
        return f"{entry.name} is a system namespace: name one of the institution's own"
    if _environments(world, entry) - {entry.environment}:
        return f"{entry.name} is registered for another environment: name one namespace for each environment"
    observed = world.namespaces.get(entry.name)
    labels = {} if observed is None else observed.labels
    code = world.registration.spec.institution.code
    if labels.get(names.INSTITUTION_LABEL, code) != code:
        return f"{entry.name} belongs to another institution: name one of the institution's own"
    environment = labels.get(names.ENVIRONMENT_LABEL)
    if environment not in (None, entry.environment.value.lower()):
        return f"{entry.name} is labelled for the environment {environment}: name another namespace"
    return None


def _environments(world: RegistrationWorld, entry: EnvironmentNamespace) -> set[Environment]:
    """The environments for which registrations that came before this one use the namespace."""
    return {
        claimed.environment
        for other in world.others
        if age(other.metadata) < age(world.registration.metadata)
        for claimed in other.spec.namespaces
        if claimed.name == entry.name
    }


def registration_status(
    decision: RegistrationDecision, outcome: Outcome, now: datetime, policy: Policy
) -> EServiceRegistrationStatus:
    """The whole status of a registration."""
    registration = decision.world.registration
    generation = registration.metadata.generation
    return EServiceRegistrationStatus(
        observed_generation=generation,
        identifier=decision.identifier,
        namespaces=decision.namespaces,
        notices=in_reach(_notices(decision, now, policy), policy),
        conditions=c.merge(registration.status.conditions, _verdicts(decision, outcome), generation, now),
    )


def _notices(decision: RegistrationDecision, now: datetime, policy: Policy) -> Notices:
    """The ledger: that it has its number, if the number was allocated for this very object.

    One that was restored, or kept for a registration that was made again, is nothing new.
    """
    world, number = decision.world, decision.identifier
    registration = world.registration
    notices = fold(registration.status.notices, world.deliveries)
    uid = registration.metadata.uid
    owners = [
        record.metadata.labels.get(names.OWNER_UID_LABEL)
        for record in world.identifiers
        if record.spec.identifier == number
    ]
    if number is None or registration.status.identifier is not None or owners != [uid]:
        return notices
    tiding = Tiding(NoticeKind.IDENTIFIER_ASSIGNED, number)
    return enter(notices, entries(tiding, uid, now, recipients(policy, registration)))


def _verdicts(decision: RegistrationDecision, outcome: Outcome) -> tuple[Verdict, ...]:
    return (*_progress(decision, outcome), _registered(decision))


def _registered(decision: RegistrationDecision) -> Verdict:
    kind, institution = ConditionType.REGISTERED, decision.world.registration.spec.institution
    refusal = _refusal(decision)
    if decision.identifier is not None:
        return c.true(kind, Reason.REGISTERED, f"{decision.identifier}, {institution.name}")
    if refusal is not None:
        return c.false(kind, Reason.IDENTIFIER_TAKEN, refusal)
    return c.false(kind, Reason.PROGRESSING, "the identifier is being allocated")


def _refusal(decision: RegistrationDecision) -> str | None:
    """Why the number that the spec asks for cannot be its own."""
    asked = decision.world.registration.spec.identifier
    if decision.taken_by is not None:
        return f"identifier {asked} belongs to {decision.taken_by}: leave identifier out to get a new one"
    if asked is not None and decision.identifier not in (None, asked):
        return f"identifier {asked} comes too late, the number is {decision.identifier}: leave identifier out"
    return None


def _progress(decision: RegistrationDecision, outcome: Outcome) -> tuple[Verdict, ...]:
    """Ready, and Reconciling or Stalled where one of them holds."""
    ready, suspended = ConditionType.READY, decision.world.registration.spec.suspended
    refusal = _refusal(decision)
    if refusal is not None:
        return c.stalling(Reason.IDENTIFIER_TAKEN, refusal)
    if outcome.failure is not None or decision.actions:
        reason, text = Reason.PROGRESSING, "the identifier or a namespace is being made"
        if outcome.failure is not None:
            reason, text = Reason.PROGRESSING_WITH_RETRY, outcome.failure.message or outcome.failure.reason
        return c.reconciling(reason, text)
    waiting = [entry for entry in decision.namespaces if entry.state is not NamespaceState.READY]
    if waiting:
        conflict = any(entry.state is NamespaceState.CONFLICT for entry in waiting)
        reason = Reason.NAMESPACE_CONFLICT if conflict else Reason.NAMESPACE_NOT_ONBOARDED
        return (c.true(ready, reason, waiting[0].message),)
    if suspended is not None:
        return (c.true(ready, Reason.REGISTRATION_SUSPENDED, f"suspended: {suspended.reason}"),)
    return (c.true(ready, Reason.SUCCEEDED, "identifier and namespaces are in place"),)
