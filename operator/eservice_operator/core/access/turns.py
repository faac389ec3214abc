# SPDX-License-Identifier: Apache-2.0
"""When what a grant allows can change by time alone: the instants at which its dates meet the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.core.access.case import GrantCase
from eservice_operator.core.access.terms import Times
from eservice_operator.core.dates import day_after_end, start_of_day


def next_turn(case: GrantCase, times: Times) -> datetime | None:
    """The next instant at which a standing of the grant can change; it need not."""
    return min((at for at in turns(case, times.zone) if at > times.now), default=None)


def turns(case: GrantCase, zone: ZoneInfo) -> Iterator[datetime]:
    """Every such instant, past ones too: of the grant, and of the grants that prove its test."""
    spec = case.grant.spec
    yield from _after(spec.valid_until, zone)
    if case.offer is not None:
        for entry in spec.contract_versions:
            contract = case.offer.web_service.contract(entry.version)
            yield from _after(None if contract is None else contract.end_of_life, zone)
    if spec.agent is not None and case.assignment is not None:
        yield from assignment_turns(case.assignment, zone)
    for test in case.tests:
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


def _after(day: date | None, zone: ZoneInfo) -> Iterator[datetime]:
    """The end of a last day, where there is one."""
    if day is not None:
        yield day_after_end(day, zone)
