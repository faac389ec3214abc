# SPDX-License-Identifier: Apache-2.0
"""R9: an assignment says whether it is in force, who is connected, and for whom the agent may call."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from eservice_operator.api.agent import (
    MOST_CUSTOMERS,
    MOST_PILOTS,
    AgentAssignmentStatus,
    AssignmentState,
    CustomerState,
)
from eservice_operator.core.access.assigning import assignment_next, assignment_status
from eservice_operator.core.actions import Manifest
from tests.core.access.register import (
    CODES,
    NOT_OPEN,
    Register,
    agents_register,
    connection,
    consumer,
    customer_place,
    joined,
    not_open,
)
from tests.support import access
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NOW, POLICY, at


def status(there: Register, now: datetime = NOW) -> AgentAssignmentStatus:
    found = assignment_status(there.assigned(), now, POLICY)
    body = {
        "kind": "AgentAssignment",
        "metadata": {"name": "evry", "generation": 1},
        "status": status_body(found),
    }
    assert_status_sound(body)
    return found


def register(**spec: Any) -> Register:
    return agents_register(access.assignment(spec={"customers": [joined("Ogre")]} | spec))


def test_an_assignment_in_force_says_who_is_let_in_and_for_whom() -> None:
    found = status(register())
    assert (found.state, found.reason) == (AssignmentState.ACTIVE, "Active")
    assert found.message == "evry-production/gateway calls population-register (v5)"
    assert (found.application, found.grant) == ("evry-production/gateway", "evry")
    assert found.active_customers == tuple(CODES.values())
    assert found.customer_count == 3
    assert [(one.name, one.state.value, one.e_services) for one in found.customers] == [
        ("Rēzekne", "Active", ("rezekne/rezekne",)),
        ("Cēsis", "Active", ("cesis/cesis",)),
        ("Ogre", "Active", ("ogre/ogre",)),
    ]
    assert [(one.type, one.status.value, one.reason) for one in found.conditions] == [
        ("Ready", "True", "Succeeded"),
        ("Active", "True", "Active"),
    ]


def test_an_application_whose_grant_is_not_open_is_not_connected() -> None:
    there = register()
    (grant,) = there.grants
    found = status(there.but(grants=(not_open(grant, "v5"),)))
    assert (found.state, found.reason) == (AssignmentState.ACTIVE, "AgentNotConnected")
    assert found.message == f"WebServiceGrant evry: {NOT_OPEN}"
    assert found.active_customers == tuple(CODES.values()), "who may call hangs on no status of a grant"


@pytest.mark.parametrize(
    "spec,state,reason",
    [
        ({"agreement": None}, AssignmentState.PENDING, "AgreementMissing"),
        ({"pilotCustomers": [access.PILOTS[0]]}, AssignmentState.PENDING, "PilotsMissing"),
        (
            {"pilotCustomers": [access.PILOTS[0], access.pilot("Cēsis", CODES["Cēsis"], None)]},
            AssignmentState.PENDING,
            "EvidenceMissing",
        ),
        ({"ended": {"at": "2026-10-13", "reason": "no longer"}}, AssignmentState.ENDED, "AssignmentEnded"),
        ({"ended": {"at": "2026-10-14", "reason": "no longer"}}, AssignmentState.ACTIVE, "Active"),
        ({"validUntil": "2026-10-12"}, AssignmentState.ENDED, "AssignmentEnded"),
        ({"validUntil": "2026-10-13"}, AssignmentState.ACTIVE, "Active"),
    ],
)
def test_what_keeps_it_from_being_in_force(spec: Manifest, state: AssignmentState, reason: str) -> None:
    found = status(register(**spec))
    assert (found.state, found.reason) == (state, reason)
    if state is not AssignmentState.ACTIVE:
        assert (found.application, found.grant, found.active_customers) == (None, None, ())
        over = state is AssignmentState.ENDED
        assert {one.state for one in found.customers} == {
            CustomerState.ENDED if over else CustomerState.NOT_YET
        }
        assert ("last day was 2026-10-12" in found.message) == over
        assert [one.status.value for one in found.conditions] == ["True", "False"]


def test_without_the_web_service_or_its_holder_nobody_calls() -> None:
    there = register()
    assert status(there.but(offers=())).reason == "WebServiceUnknown"
    nobodys = replace(there.offers[0], namespace_labels={})
    found = status(there.but(offers=(nobodys,)))
    assert (found.state, found.reason, found.active_customers) == (
        AssignmentState.PENDING,
        "HolderNotConfirmed",
        (),
    )
    ended = register(ended={"at": "2026-10-13", "reason": "no longer"}).but(offers=())
    assert status(ended).state is AssignmentState.ENDED


@pytest.mark.parametrize(
    "grants,message",
    [
        ((), "no grant lets the agent's application in: write one with spec.agent.assignment evry"),
        (
            (connection(spec={"validUntil": "2026-10-12"}),),
            "WebServiceGrant evry is not open: the grant's last day was 2026-10-12",
        ),
    ],
)
def test_in_force_without_a_connection_it_says_why(grants: tuple[Manifest, ...], message: str) -> None:
    found = status(agents_register(None, *grants) if grants else register().but(grants=()))
    assert (found.state, found.reason, found.message) == (
        AssignmentState.ACTIVE,
        "AgentNotConnected",
        message,
    )
    assert {one.state for one in found.customers} == {CustomerState.NOT_YET}
    assert (found.active_customers, found.application) == ((), None)


def test_how_far_each_customer_is() -> None:
    customers = [joined("Ogre", "2026-10-14"), joined("Valka", code="90000021111")]
    found = status(register(customers=customers))
    assert {one.name: one.state.value for one in found.customers} == {
        "Rēzekne": "Active",
        "Cēsis": "Active",
        "Ogre": "NotYet",
        "Valka": "Listed",
    }
    assert found.active_customers == (CODES["Rēzekne"], CODES["Cēsis"])


def test_a_pilot_that_is_listed_as_a_customer_too_is_one() -> None:
    found = status(register(customers=[joined("Cēsis novads", "2027-01-01", CODES["Cēsis"])]))
    assert [one.name for one in found.customers] == ["Rēzekne", "Cēsis"]
    assert found.customer_count == 2
    assert found.active_customers == (CODES["Rēzekne"], CODES["Cēsis"])


def test_who_only_claims_the_registration_of_a_customer_has_not_ordered() -> None:
    there = register()
    use = access.use(None, agent=access.AGENT)
    claimant = consumer(("anybody", "claimant"), use, code=CODES["Ogre"], claims="ogre")
    found = status(there.but(consumers=(*there.consumers[:-1], claimant)))
    assert {one.name: one.state.value for one in found.customers}["Ogre"] == "Listed"
    assert CODES["Ogre"] not in found.active_customers


def test_the_customers_of_the_largest_assignment_fit_into_its_status() -> None:
    pilots = [access.pilot(f"P{number}", f"9100000000{number}") for number in range(MOST_PILOTS)]
    customers = [joined(f"Town {number}", code=f"92000000{number:03}") for number in range(MOST_CUSTOMERS)]
    there = register(pilotCustomers=pilots, customers=customers)
    use = access.use(None, agent=access.AGENT)
    everybody = tuple(
        consumer((f"town-{number}", "orders"), use, code=one["code"])
        for number, one in enumerate((*pilots, *customers))
    )
    found = status(there.but(consumers=(there.consumers[0], *everybody)))
    assert len(found.active_customers) == found.customer_count == MOST_PILOTS + MOST_CUSTOMERS
    assert len(found.customers) == 100
    assert AgentAssignmentStatus.model_validate(found.model_dump(by_alias=True)) == found


@pytest.mark.parametrize(
    "spec,day",
    [
        ({"validUntil": "2026-12-31"}, "2027-01-01"),
        ({"ended": {"at": "2026-11-01", "reason": "no longer"}}, "2026-11-01"),
        ({"customers": [joined("Ogre", "2026-10-20")]}, "2026-10-20"),
        ({}, "2027-11-01"),
    ],
)
def test_it_is_looked_at_again_when_something_ends_or_begins(spec: Manifest, day: str) -> None:
    there = register(**spec)
    assert assignment_next(there.assigned(), NOW, POLICY) == at(day, "00:00")


def test_leaving_and_joining_changes_exactly_that_customer() -> None:
    both, less = status(register()), status(register(customers=[]))
    assert set(both.active_customers) - set(less.active_customers) == {CODES["Ogre"]}
    assert [one for one in both.customers if one.name != "Ogre"] == list(less.customers)
    there = register(customers=[])
    assert [there.standing(customer_place(name)).allowed for name in CODES] == [True, True, False]
