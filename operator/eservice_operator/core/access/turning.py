# SPDX-License-Identifier: Apache-2.0
"""When a judgement about access can change by time alone.

Every day that a spec names is inclusive, so what ends with a day changes at the start of the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.dates import day_after_end, start_of_day


def grant_turns(case: GrantCase, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants, past ones too, at which any contract version of a grant can open or end."""
    yield from _ends(case.grant.spec.valid_until, zone)
    if case.offer is not None:
        yield from contract_turns(case.offer.web_service, zone)
    if case.assignment is not None:
        yield from assignment_turns(case.assignment, zone)
    for test in case.tests:
        yield from _test_turns(test, zone)
    for other in case.tested:
        yield from grant_turns(other, zone)


def contract_turns(web_service: WebService, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which the contract versions of a web service end."""
    for contract in web_service.spec.contracts:
        yield from _ends(contract.end_of_life, zone)


def assignment_turns(assignment: AgentAssignment, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which an assignment, or what it says of a customer, comes into force or ends."""
    spec = assignment.spec
    yield from _ends(spec.valid_until, zone)
    if spec.ended is not None:
        yield start_of_day(spec.ended.at, zone)
    if spec.agreement is not None:
        yield start_of_day(spec.agreement.signed_at, zone)
    for day in {customer.since for customer in spec.customers}:
        yield start_of_day(day, zone)


def next_turn(turns: Iterable[datetime], now: datetime) -> datetime | None:
    """The first of the instants that is still to come."""
    return min((turn for turn in turns if turn > now), default=None)


def _test_turns(test: ConnectionTest, zone: ZoneInfo) -> Iterator[datetime]:
    yield test.spec.passed_at
    if test.spec.revoked is not None:
        yield start_of_day(test.spec.revoked.at, zone)


def _ends(day: date | None, zone: ZoneInfo) -> Iterator[datetime]:
    if day is not None:
        yield day_after_end(day, zone)
