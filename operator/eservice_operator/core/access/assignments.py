# SPDX-License-Identifier: Apache-2.0
"""R9: whether an agent's assignment is in force, and for whom the agent may call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from eservice_operator.api.agent import AgentAssignment, Customer, PilotCustomer
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.terms import Finding, Times, last_day_was, over, waiting
from eservice_operator.core.dates import Period, subtract_period
from eservice_operator.core.memory import Memory

PILOTS = 2
ONE_DAY = Period(months=0, days=1)
REMEMBERED = 1_000
"""Of how many assignments it is remembered whom they list."""

Listed = Mapping[str, PilotCustomer | Customer]
"""Whom the holder lists, by the code of the institution."""


def assignment_finding(assignment: AgentAssignment, times: Times, *, production: bool) -> Finding | None:
    """Why an assignment opens nothing; None while it is in force."""
    spec, today = assignment.spec, times.today
    if assignment.metadata.deletion_timestamp is not None:
        return over(Reason.ASSIGNMENT_ENDED, "it is being deleted")
    last = assignment_ends(assignment)
    if last is not None and today > last:
        ended = spec.ended if spec.ended is not None and ended_with(spec.ended.at) == last else None
        why = "" if ended is None else f": {ended.reason}"
        return over(Reason.ASSIGNMENT_ENDED, f"{last_day_was(last)}{why}", last)
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
    return code in _listed(assignment)


def _listed(assignment: AgentAssignment) -> Listed:
    return _known.recall(assignment.metadata.uid, assignment, _by_code)


def _by_code(assignment: AgentAssignment) -> Listed:
    pilots = {pilot.code: pilot for pilot in assignment.spec.pilot_customers}
    return {joined.code: joined for joined in reversed(assignment.spec.customers)} | pilots


_known: Memory[AgentAssignment, Listed] = Memory(REMEMBERED)


def customer_finding(assignment: AgentAssignment, code: str | None, times: Times) -> Finding | None:
    """Why the agent may not call for an institution; None where the holder lists it, and its day has come."""
    name = assignment.spec.agent.name
    found = None if code is None else _listed(assignment).get(code)
    if found is None:
        text = f"{name} may not call for the institution: the holder does not list it"
        return waiting(Reason.CUSTOMER_NOT_LISTED, text)
    if isinstance(found, Customer) and found.since > times.today:
        return waiting(Reason.CUSTOMER_NOT_YET, f"{name} may call for {found.name} from {found.since}")
    return None
