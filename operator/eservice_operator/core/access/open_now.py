# SPDX-License-Identifier: Apache-2.0
"""R3, R9: whether a call may pass at this instant, as the authorizer asks it of what it watches itself.

What the operator found is in the grant's status; what its spec, the web service and the assignment say by now
counts besides, so that an end takes effect before the operator has written of it.
"""

from __future__ import annotations

from eservice_operator.api.agent import AgentAssignment, AssignmentState
from eservice_operator.api.base import Environment
from eservice_operator.api.grant import ALL_VERSIONS, GrantState, WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol, WebService
from eservice_operator.core.access.assignments import assignment_finding, customer_finding
from eservice_operator.core.access.terms import Finding, Times, last_day_was, over, waiting


def closed_now(
    grant: WebServiceGrant,
    web_service: WebService,
    assignment: AgentAssignment | None,
    version: str,
    on_behalf_of: str | None,
    times: Times,
) -> Finding | None:
    """Why a call to a contract version (empty for REST without one) may not pass; None where it may.

    ``assignment`` is the one that the grant names, where it names one; ``on_behalf_of`` the code of the
    institution that the caller says it calls for.
    """
    return (
        _grant_closed(grant, times)
        or _version_closed(grant, web_service, version, times)
        or _agent_closed(grant, web_service, assignment, on_behalf_of, times)
    )


def _grant_closed(grant: WebServiceGrant, times: Times) -> Finding | None:
    spec = grant.spec
    if grant.metadata.deletion_timestamp is not None:
        return over(Reason.CLOSING, "the grant is being deleted")
    if spec.refused is not None:
        return over(Reason.REFUSED, "refused by the holder")
    if spec.valid_until is not None and times.today > spec.valid_until:
        return over(Reason.EXPIRED, last_day_was(spec.valid_until, "the grant's"))
    return None


def _version_closed(
    grant: WebServiceGrant, web_service: WebService, version: str, times: Times
) -> Finding | None:
    rest = web_service.spec.protocol is Protocol.REST
    contract = web_service.contract(version)
    if contract is None and (version or not rest):
        return waiting(Reason.CONTRACT_UNKNOWN, f"there is no contract version {version or '(none named)'}")
    end = None if contract is None else contract.end_of_life
    if end is not None and times.today > end:
        text = f"contract version {version} reached its end of life: {last_day_was(end)}"
        return over(Reason.CONTRACT_RETIRED, text)
    named = {entry.version for entry in grant.spec.contract_versions}
    if rest == bool(named) or (not rest and version not in named):
        return waiting(Reason.VERSION_NOT_GRANTED, f"contract version {version} is not granted")
    granted = ALL_VERSIONS if rest else version
    entry = next((one for one in grant.status.contract_versions if one.version == granted), None)
    if entry is None or entry.state is not GrantState.ACTIVE:
        return waiting(Reason.ACCESS_NOT_GRANTED, "the grant is not active")
    if entry.ends_on is not None and times.today > entry.ends_on:
        return over(Reason.EXPIRED, last_day_was(entry.ends_on, "what the grant rests on has ended: its"))
    return None


def _agent_closed(
    grant: WebServiceGrant,
    web_service: WebService,
    assignment: AgentAssignment | None,
    on_behalf_of: str | None,
    times: Times,
) -> Finding | None:
    """An agent calls for its customers, and for nobody else; whoever is no agent, for itself alone."""
    if grant.spec.agent is None:
        if on_behalf_of is None:
            return None
        return waiting(Reason.CUSTOMER_NOT_LISTED, "the caller is no agent, and calls for another")
    if assignment is None or assignment.spec.web_service != web_service.metadata.name:
        return waiting(Reason.ASSIGNMENT_NOT_FOUND, "the grant's assignment does not exist")
    production = web_service.spec.environment is Environment.PRODUCTION
    found = assignment_finding(assignment, times, production=production)
    if found is not None:
        return found
    if assignment.status.state is not AssignmentState.ACTIVE:
        return waiting(Reason.ASSIGNMENT_PENDING, "the assignment is not active")
    unlisted = customer_finding(assignment, on_behalf_of, times) is not None
    if unlisted or on_behalf_of not in assignment.status.active_customers:
        return waiting(Reason.CUSTOMER_NOT_LISTED, "the agent may not call for the institution that it names")
    return None
