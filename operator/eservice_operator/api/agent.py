# SPDX-License-Identifier: Apache-2.0
"""AgentAssignment: a supplier that connects once and calls for many customers (R9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from eservice_operator.api.base import (
    NAMED_AS_A_LABEL,
    Model,
    ObjectMeta,
    SetOnceRevocation,
    SignedDocument,
    Status,
)
from eservice_operator.api.fields import LIST_ATOMIC, Day, Message, Name, Short, cel, list_map, rules
from eservice_operator.api.grant import Evidence
from eservice_operator.api.people import InstitutionCode
from eservice_operator.api.webservice_status import MOST_LISTED

MOST_CUSTOMERS = 504
"""More than there are municipalities; an assignment is for one service."""
MOST_PILOTS = 8


class Agent(Model):
    """The supplier."""

    name: Short
    """Name of the supplier."""
    code: InstitutionCode
    """Its registration number."""


class Agreement(Model):
    """The agent agreement."""

    number: Short
    """Its number."""
    signed_at: Day
    """The day of the last signature."""
    document: SignedDocument
    """The signed agreement."""


class PilotCustomer(Model):
    """One of the two customers with whom the agent tests first."""

    name: Short
    """Name of the institution."""
    code: InstitutionCode
    """Its code in the national register."""
    evidence: Evidence | None = None
    """What the pilot showed; in Production both documents of both pilots are needed."""


class Customer(Model):
    """A customer that joined."""

    name: Short
    """Name of the institution."""
    code: InstitutionCode
    """Its code in the national register."""
    since: Day
    """The first day on which the agent may call for it."""


class AgentAssignmentSpec(Model):
    """Which supplier may call for whom."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.webService == oldSelf.webService && self.agent.code == oldSelf.agent.code",
                "webService and agent never change: write another assignment instead",
            ),
            cel(
                "!has(oldSelf.ended) || (has(self.ended) && self.ended == oldSelf.ended)",
                "ended is set once and stays: write a new assignment instead",
                fieldPath=".ended",
            ),
            cel(
                "!has(self.customers) || !has(self.pilotCustomers)"
                " || self.customers.all(c, !self.pilotCustomers.exists(p, p.code == c.code))",
                "a pilot is a customer already: leave it out of customers",
                fieldPath=".customers",
            ),
        )
    )

    web_service: Name
    """The WebService, in the same namespace."""
    agent: Agent
    """The supplier."""
    agreement: Agreement | None = None
    """The agent agreement; without it nothing is opened."""
    pilot_customers: Annotated[
        tuple[PilotCustomer, ...], Field(max_length=MOST_PILOTS, json_schema_extra=list_map("code"))
    ] = ()
    """The customers with whom it is tried first: two are needed. They are customers like the others, too."""
    customers: Annotated[
        tuple[Customer, ...], Field(max_length=MOST_CUSTOMERS, json_schema_extra=list_map("code"))
    ] = ()
    """The customers that joined after that."""
    valid_until: Day | None = None
    """The last day of the assignment; none while it has no end."""
    ended: SetOnceRevocation | None = None
    """Ends it: from that day nobody calls through the agent any more."""


class AssignmentState(StrEnum):
    """State of an assignment."""

    PENDING = "Pending"
    ACTIVE = "Active"
    ENDED = "Ended"


class CustomerState(StrEnum):
    """How far a customer has got."""

    LISTED = "Listed"
    ACTIVE = "Active"
    NOT_YET = "NotYet"
    ENDED = "Ended"


class CustomerStatus(Model):
    """A customer of the agent."""

    code: InstitutionCode
    """Its code in the national register."""
    name: Short
    """Name of the institution."""
    state: CustomerState
    """Listed: none of its e-services has ordered. Active: the agent may call for it. NotYet: it has ordered,
    and its first day is still to come, or the agent's connection is not open. Ended: the assignment has."""
    e_services: Annotated[tuple[Short, ...], Field(max_length=8, json_schema_extra=LIST_ATOMIC)] = ()
    """Its e-services that ordered, as namespace/name; of many the first 8."""


class AgentAssignmentStatus(Status):
    """The computed side of an assignment."""

    state: AssignmentState | None = None
    """Pending: the agreement, a pilot or evidence is missing. Active. Ended."""
    reason: Short | None = None
    """Why, in one word."""
    message: Message = ""
    """Why, in a sentence."""
    application: Short | None = None
    """The agent's e-service that is let in, as namespace/name."""
    grant: Short | None = None
    """The WebServiceGrant that lets it in."""
    active_customers: Annotated[
        tuple[InstitutionCode, ...],
        Field(max_length=MOST_PILOTS + MOST_CUSTOMERS, json_schema_extra=LIST_ATOMIC),
    ] = ()
    """The codes of all customers that the agent may call for now."""
    customer_count: Annotated[int, Field(ge=0)] = 0
    """How many customers are listed, pilots included."""
    customers: Annotated[
        tuple[CustomerStatus, ...], Field(max_length=MOST_LISTED, json_schema_extra=LIST_ATOMIC)
    ] = ()
    """How far each has got; of many the first 100."""


class AgentAssignment(Model):
    """A supplier that connects to one web service and calls it for its customers (R9)."""

    model_config = ConfigDict(json_schema_extra=rules(NAMED_AS_A_LABEL))

    metadata: ObjectMeta
    spec: AgentAssignmentSpec
    status: AgentAssignmentStatus = AgentAssignmentStatus()
