# SPDX-License-Identifier: Apache-2.0
"""R9: whether an agent's assignment is in force, and for whom the agent may call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import revoked_by
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.terms import Finding, Times, last_day_was, over, waiting
from eservice_operator.core.dates import Period, subtract_period

PILOTS = 2
ONE_DAY = Period(months=0, days=1)


def assignment_finding(assignment: AgentAssignment, times: Times, *, production: bool) -> Finding | None:
    """Why an assignment opens nothing; None while it is in force."""
    spec, today = assignment.spec, times.today
    if assignment.metadata.deletion_timestamp is not None:
        return over(Reason.ASSIGNMENT_ENDED, "it is being deleted")
    ended = revoked_by(today, spec.ended)
    if ended is not None:
        return over(Reason.ASSIGNMENT_ENDED, f"{last_day_was(ended_with(ended.at))}: {ended.reason}")
    if spec.valid_until is not None and today > spec.valid_until:
        return over(Reason.ASSIGNMENT_ENDED, last_day_was(spec.valid_until))
    if spec.agreement is None or spec.agreement.signed_at > today:
        return waiting(Reason.AGREEMENT_MISSING, "the agent agreement is not signed: fill in spec.agreement")
    pilots = len(spec.pilot_customers)
    if pilots < PILOTS:
        text = f"two pilot customers are needed, and there are {pilots}: name them in spec.pilotCustomers"
        return waiting(Reason.PILOTS_MISSING, text)
    return _without_evidence(assignment) if production else None


def _without_evidence(assignment: AgentAssignment) -> Finding | None:
    pilots = assignment.spec.pilot_customers
    lacking = [
        pilot.name
        for pilot in pilots
        if pilot.evidence is None
        or pilot.evidence.self_declaration is None
        or pilot.evidence.end_to_end is None
    ]
    if len(pilots) - len(lacking) >= PILOTS:
        return None
    text = (
        "in Production evidence.selfDeclaration and evidence.endToEnd of two pilots are needed;"
        f" missing of {', '.join(lacking)}"
    )
    return waiting(Reason.EVIDENCE_MISSING, text)


def assignment_ends(assignment: AgentAssignment) -> date | None:
    """The last day of an assignment, where that is known."""
    spec = assignment.spec
    days = [spec.valid_until, None if spec.ended is None else ended_with(spec.ended.at)]
    return min((day for day in days if day is not None), default=None)


def ended_with(at: date) -> date:
    """The last day of what ends on a day: the day before."""
    return subtract_period(at, ONE_DAY)


def lists(assignment: AgentAssignment, code: str | None) -> bool:
    """Whether the holder lists an institution, whatever day it named."""
    pilots, joined = assignment.spec.pilot_customers, assignment.spec.customers
    return code in {pilot.code for pilot in pilots} or code in {one.code for one in joined}


def customer_finding(assignment: AgentAssignment, code: str | None, times: Times) -> Finding | None:
    """Why the agent may not call for an institution; None where the holder lists it, and its day has come."""
    spec = assignment.spec
    if code in {pilot.code for pilot in spec.pilot_customers}:
        return None
    listed = next((one for one in spec.customers if one.code == code), None)
    if listed is None:
        text = f"{spec.agent.name} may not call for the institution: the holder does not list it"
        return waiting(Reason.CUSTOMER_NOT_LISTED, text)
    if listed.since > times.today:
        text = f"{spec.agent.name} may call for {listed.name} from {listed.since}"
        return waiting(Reason.CUSTOMER_NOT_YET, text)
    return None


def listed_codes(assignment: AgentAssignment, times: Times) -> Iterator[str]:
    """The codes of everybody that the holder lists, whose day has come; pilots first, each once."""
    seen: set[str] = set()
    pilots = (pilot.code for pilot in assignment.spec.pilot_customers)
    joined = (one.code for one in assignment.spec.customers if one.since <= times.today)
    for code in (*pilots, *joined):
        if code not in seen:
            seen.add(code)
            yield code
