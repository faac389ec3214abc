# SPDX-License-Identifier: Apache-2.0
"""When what is allowed can change by time alone: the instants at which dates meet the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import AgentCase, Consumer, GrantCase
from eservice_operator.core.access.terms import Times
from eservice_operator.core.dates import day_after_end, start_of_day


def next_turn(case: GrantCase, times: Times) -> datetime | None:
    """The next instant at which a standing of the grant can change; it need not."""
    return first_after(times.now, turns(case, times.zone))


def first_after(now: datetime, instants: Iterable[datetime]) -> datetime | None:
    """The first of the instants that is still to come."""
    return min((at for at in instants if at > now), default=None)


def turns(case: GrantCase, zone: ZoneInfo) -> Iterator[datetime]:
    """Every such instant, past ones too: of the grant, and of the grants that prove its test."""
    spec = case.grant.spec
    yield from _after(spec.valid_until, zone)
    if case.offer is not None:
        yield from contract_turns(case.offer.web_service, zone)
    if spec.agent is not None and case.assignment is not None:
        yield from assignment_turns(case.assignment, zone)
    for test in case.tests:
        if test.spec.observed is None:
            yield test.spec.passed_at
        if test.spec.revoked is not None:
            yield start_of_day(test.spec.revoked.at, zone)
    for other in case.tested:
        yield from turns(other, zone)


def assignment_turns(assignment: AgentAssignment, zone: ZoneInfo) -> Iterator[datetime]:
    """When an assignment comes into force or ends; when its customers join is not asked here."""
    spec = assignment.spec
    yield from _after(spec.valid_until, zone)
    if spec.ended is not None:
        yield start_of_day(spec.ended.at, zone)
    if spec.agreement is not None:
        yield start_of_day(spec.agreement.signed_at, zone)


def turns_of_customer(agent: AgentCase, consumer: Consumer | None, zone: ZoneInfo) -> Iterator[datetime]:
    """When what a customer of an agent may call can change."""
    yield from assignment_turns(agent.assignment, zone)
    for grant in agent.connections:
        yield from turns(grant, zone)
    for customer in agent.assignment.spec.customers:
        if consumer is not None and customer.code == consumer.code:
            yield start_of_day(customer.since, zone)


def customer_turns(assignment: AgentAssignment, zone: ZoneInfo) -> Iterator[datetime]:
    """When the customers of an assignment join."""
    for day in {customer.since for customer in assignment.spec.customers}:
        yield start_of_day(day, zone)


def contract_turns(web_service: WebService, zone: ZoneInfo) -> Iterator[datetime]:
    """When the contract versions of a web service end."""
    for contract in web_service.spec.contracts:
        yield from _after(contract.end_of_life, zone)


def _after(day: date | None, zone: ZoneInfo) -> Iterator[datetime]:
    """The end of a last day, where there is one."""
    if day is not None:
        yield day_after_end(day, zone)
