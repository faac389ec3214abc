# SPDX-License-Identifier: Apache-2.0
"""R1: identifiers that are never reused, namespaces made or adopted."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.registration import EServiceRegistration, NamespaceState
from eservice_operator.core.actions import Action, Create, Manifest, Outcome, SetLabels
from eservice_operator.core.conditions import find
from eservice_operator.core.registering import decide_registration, next_identifier, registration_status
from eservice_operator.core.world import Observed, RegistrationWorld
from tests.support import worlds
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NAME, NAMESPACE, NOW

CODE = "90000054163"
LABELS = {names.INSTITUTION_LABEL: CODE, names.ENVIRONMENT_LABEL: "production", **names.POD_SECURITY_LABELS}
JUST_PRODUCTION = {"namespaces": [{"environment": "Production", "name": NAMESPACE}]}


def registration(**spec: Any) -> Manifest:
    return worlds.registration(spec=JUST_PRODUCTION | spec, status=None)


def number(identifier: str, owner: str) -> EServiceIdentifier:
    spec = {"identifier": identifier, "registration": owner}
    return EServiceIdentifier.model_validate({"metadata": {"name": identifier.lower()}, "spec": spec})


def namespace(labels: dict[str, str], name: str = NAMESPACE, *, deleting: bool = False) -> Observed:
    metadata: Manifest = {"name": name, "uid": f"uid-{name}", "labels": labels}
    if deleting:
        metadata["deletionTimestamp"] = "2026-10-01T00:00:00Z"
    return Observed({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def world(
    body: Manifest | None = None,
    *,
    numbers: tuple[EServiceIdentifier, ...] = (number("EP-000007", NAME),),
    namespaces: tuple[Observed, ...] = (namespace(LABELS),),
    others: tuple[Manifest, ...] = (),
) -> RegistrationWorld:
    return RegistrationWorld(
        registration=EServiceRegistration.model_validate(body or registration()),
        identifiers=numbers,
        namespaces={one.ref.name: one for one in namespaces},
        others=tuple(EServiceRegistration.model_validate(other) for other in others),
    )


def told(world: RegistrationWorld, outcome: Outcome = Outcome(())) -> dict[str, tuple[str, str]]:  # noqa: B008
    status = registration_status(decide_registration(world), outcome, NOW, worlds.POLICY)
    body = {"kind": "EServiceRegistration", "metadata": {"name": NAME, "generation": 1}}
    assert_status_sound(body | {"status": status_body(status)})
    return {entry.type: (entry.status.value, entry.reason) for entry in status.conditions}


def created(actions: tuple[Action, ...]) -> list[Manifest]:
    return [action.manifest for action in actions if isinstance(action, Create)]


def test_everything_in_place_is_quiet() -> None:
    decision = decide_registration(world())
    assert not decision.actions
    assert decision.identifier == "EP-000007"
    assert told(world()) == {"Ready": ("True", "Succeeded"), "Registered": ("True", "Registered")}


# identifiers


def test_a_new_registration_gets_the_number_after_the_highest() -> None:
    decision = decide_registration(world(numbers=(number("EP-000041", "x"), number("EP-000007", "y"))))
    (made,) = created(decision.actions)
    assert made["metadata"]["name"] == "ep-000042"
    assert made["spec"] == {"identifier": "EP-000042", "registration": NAME}
    assert decision.identifier is None, "not before it is there"


def test_the_first_number_is_one() -> None:
    assert next_identifier(frozenset()) == "EP-000001"


def test_after_an_imported_last_number_come_the_gaps() -> None:
    assert next_identifier(frozenset({"EP-999999", "EP-000001"})) == "EP-000002"


def test_a_re_created_registration_finds_its_number() -> None:
    again = world(worlds.registration(metadata={"uid": "another"}, spec=JUST_PRODUCTION, status=None))
    assert decide_registration(again).identifier == "EP-000007"
    assert not decide_registration(again).actions


def test_an_imported_number_is_taken_as_it_is() -> None:
    (made,) = created(decide_registration(world(registration(identifier="EP-000123"), numbers=())).actions)
    assert made["spec"]["identifier"] == "EP-000123"


def test_an_imported_number_of_somebody_else_is_refused() -> None:
    taken = world(registration(identifier="EP-000123"), numbers=(number("EP-000123", "another"),))
    assert not decide_registration(taken).actions
    conditions = told(taken)
    assert conditions["Stalled"] == ("True", "IdentifierTaken")
    assert conditions["Registered"] == ("False", "IdentifierTaken")


def test_a_number_asked_for_too_late_changes_nothing_and_is_reported() -> None:
    late = world(registration(identifier="EP-000123"))
    decision = decide_registration(late)
    assert decision.identifier == "EP-000007"
    assert not decision.actions
    conditions = told(late)
    assert conditions["Stalled"] == ("True", "IdentifierTaken")
    assert conditions["Registered"] == ("True", "Registered"), "it has a number"


def test_of_two_numbers_the_lower_one_counts_in_any_order() -> None:
    both = (number("EP-000008", NAME), number("EP-000007", NAME))
    assert {decide_registration(world(numbers=order)).identifier for order in (both, both[::-1])} == {
        "EP-000007"
    }


# namespaces


def place(world: RegistrationWorld) -> tuple[NamespaceState, tuple[Action, ...]]:
    decision = decide_registration(world)
    (state,) = decision.namespaces
    assert state.message or state.state is NamespaceState.READY
    return state.state, decision.actions


def test_a_missing_namespace_is_made_with_its_labels() -> None:
    state, actions = place(world(namespaces=()))
    assert state is NamespaceState.NOT_ONBOARDED
    (made,) = created(actions)
    assert made["metadata"]["labels"] == LABELS | {names.MANAGED_BY_LABEL: names.MANAGER}
    assert told(world(namespaces=()))["Reconciling"] == ("True", "Progressing")


def test_a_namespace_that_an_administrator_has_marked_is_adopted() -> None:
    state, (labels,) = place(world(namespaces=(namespace({names.INSTITUTION_LABEL: CODE}),)))
    assert state is NamespaceState.READY
    assert isinstance(labels, SetLabels)
    assert labels.labels == LABELS


@pytest.mark.parametrize(
    "observed,state",
    [
        (namespace({}), NamespaceState.NOT_ONBOARDED),
        (namespace({names.INSTITUTION_LABEL: "40000000000"}), NamespaceState.CONFLICT),
        (namespace(LABELS | {names.ENVIRONMENT_LABEL: "test"}), NamespaceState.CONFLICT),
        (namespace(LABELS, deleting=True), NamespaceState.TERMINATING),
    ],
    ids=["not marked", "another institution", "another environment", "being deleted"],
)
def test_a_namespace_that_is_not_ours_to_take_is_left_alone(
    observed: Observed, state: NamespaceState
) -> None:
    found, actions = place(world(namespaces=(observed,)))
    assert found is state
    assert not actions
    conditions = told(world(namespaces=(observed,)))
    assert conditions["Ready"][0] == "True", "it waits for a person"
    assert conditions["Registered"][0] == "True"


RESTRICTED = names.POD_SECURITY_LABELS
PRIVILEGED = dict.fromkeys(RESTRICTED, "privileged")
FOREIGN = {names.INSTITUTION_LABEL: "40000000000"}
OTHERWISE = {names.ENVIRONMENT_LABEL: "test"}
OURS = f"uid-{NAMESPACE}"


def once_ready(observed: Observed, uid: str = OURS) -> RegistrationWorld:
    """A registration that has said of this namespace that it is Ready."""
    entry = {"environment": "Production", "name": NAMESPACE, "state": "Ready", "uid": uid}
    return world(registration() | {"status": {"namespaces": [entry]}}, namespaces=(observed,))


def test_a_namespace_that_is_ready_is_remembered() -> None:
    (state,) = decide_registration(world()).namespaces
    assert state.uid == OURS


@pytest.mark.parametrize(
    "changed,stays",
    [
        (LABELS | FOREIGN | PRIVILEGED, {**LABELS, **FOREIGN}),
        (LABELS | OTHERWISE | PRIVILEGED, {**LABELS, **OTHERWISE}),
        ({names.ENVIRONMENT_LABEL: "production"}, RESTRICTED | {names.ENVIRONMENT_LABEL: "production"}),
        ({}, RESTRICTED),
    ],
    ids=["another institution's", "another environment's", "nobody's", "without labels"],
)
def test_who_says_that_its_namespace_is_not_ours_gets_no_privileged_pods(
    changed: dict[str, str], stays: dict[str, str]
) -> None:
    decision = decide_registration(once_ready(namespace(changed)))
    (put_back,) = decision.actions
    assert isinstance(put_back, SetLabels)
    assert put_back.labels == stays
    again = decide_registration(once_ready(namespace(changed | put_back.labels)))
    assert not again.actions, "once"
    for state in (*decision.namespaces, *again.namespaces):
        assert state.state is not NamespaceState.READY
        assert state.uid == OURS, "and it stays so"


@pytest.mark.parametrize("labels", [FOREIGN, {}], ids=["another institution's", "nobody's"])
def test_a_namespace_that_was_made_since_is_not_taken_for_the_old_one(labels: dict[str, str]) -> None:
    decision = decide_registration(once_ready(namespace(labels), uid="the one before"))
    assert not decision.actions
    assert [state.uid for state in decision.namespaces] == [None]


@pytest.mark.parametrize("labels", [LABELS, LABELS | FOREIGN], ids=["ours", "another institution's"])
def test_pods_are_judged_by_the_latest_version(labels: dict[str, str]) -> None:
    version = "pod-security.kubernetes.io/enforce-version"
    (put_back,) = decide_registration(once_ready(namespace(labels | {version: "v1.0"}))).actions
    assert isinstance(put_back, SetLabels)
    assert put_back.labels == labels | {version: "latest"}
    assert not decide_registration(once_ready(namespace(labels | {version: "latest"}))).actions


@pytest.mark.parametrize("name", ["kube-system", "default", "kube-anything"])
def test_a_system_namespace_never_hosts_e_services(name: str) -> None:
    body = registration(namespaces=[{"environment": "Production", "name": name}])
    state, actions = place(world(body, namespaces=(namespace(LABELS, name),)))
    assert state is NamespaceState.CONFLICT
    assert not actions


def rival(created_at: str, environment: str) -> Manifest:
    return worlds.registration(
        metadata={"name": "rival", "uid": "rival", "creationTimestamp": created_at},
        spec={"namespaces": [{"environment": environment, "name": NAMESPACE}]},
    )


@pytest.mark.parametrize(
    "other,state",
    [
        (rival("2025-01-01T00:00:00Z", "Test"), NamespaceState.CONFLICT),
        (rival("2027-01-01T00:00:00Z", "Test"), NamespaceState.READY),
        (rival("2025-01-01T00:00:00Z", "Production"), NamespaceState.READY),
    ],
    ids=["an older one in another environment", "a younger one", "one of the same environment"],
)
def test_registrations_may_share_a_namespace_and_environments_may_not(
    other: Manifest, state: NamespaceState
) -> None:
    assert place(world(others=(other,)))[0] is state


def test_a_suspended_registration_says_so() -> None:
    suspended = world(registration(suspended={"reason": "an incident"}))
    assert told(suspended)["Ready"] == ("True", "RegistrationSuspended")


def test_a_write_that_failed_is_tried_again() -> None:
    missing = world(namespaces=())
    (action,) = decide_registration(missing).actions
    failed = Outcome((), worlds.failure(action, "Forbidden", "may not", transient=False))
    assert told(missing, failed)["Reconciling"] == ("True", Reason.PROGRESSING_WITH_RETRY)


def test_the_status_moves_its_times_only_with_its_answers() -> None:
    first = registration_status(decide_registration(world()), Outcome(()), NOW, worlds.POLICY)
    body = registration() | {"status": status_body(first)}
    again = registration_status(
        decide_registration(world(body)), Outcome(()), NOW + worlds.DAY, worlds.POLICY
    )
    assert again == first
    ready = find(again.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.last_transition_time == NOW
