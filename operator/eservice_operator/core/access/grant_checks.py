# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what keeps a grant as a whole from opening anything, one small function for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.base import Environment
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.addresses import address_finding
from eservice_operator.core.access.asking import (
    consumed,
    unread,
)
from eservice_operator.core.access.assignments import assignment_finding
from eservice_operator.core.access.case import GrantCase, Offer
from eservice_operator.core.access.terms import (
    Answer,
    Finding,
    Times,
    last_day_was,
    over,
    unclear,
    waiting,
)

GRANT: Final = "WebServiceGrant"
Check = Callable[[GrantCase, Times], Finding | None]


def refused(case: GrantCase, _times: Times) -> Finding | None:
    """R3: the holder says no."""
    refusal = case.grant.spec.refused
    if refusal is None:
        return None
    return Finding(Answer.REFUSED, Reason.REFUSED, f"refused by the holder: {refusal.reason}")


def withdrawn(case: GrantCase, _times: Times) -> Finding | None:
    """A grant that is being deleted grants nothing."""
    if case.grant.metadata.deletion_timestamp is None:
        return None
    return over(Reason.CLOSING, "the grant is being deleted")


def expired(case: GrantCase, times: Times) -> Finding | None:
    """After its last day a grant is over."""
    until = case.grant.spec.valid_until
    if until is None or times.today <= until:
        return None
    return over(Reason.EXPIRED, last_day_was(until, "the grant's"), until)


def legible(case: GrantCase, _times: Times) -> Finding | None:
    """What the grant says can be read."""
    name = case.grant.metadata.name
    return unread(f"WebServiceGrant {name}") if GRANT in case.unread else None


def offered(case: GrantCase, _times: Times) -> Finding | None:
    """There is such a web service."""
    if case.offer is not None:
        return None
    if "WebService" in case.unread:
        return unread(f"WebService {case.grant.spec.web_service}")
    text = f"WebService {case.grant.spec.web_service} does not exist beside the grant"
    return waiting(Reason.WEB_SERVICE_UNKNOWN, text)


def confirmed(case: GrantCase, _times: Times) -> Finding | None:
    """R3: only the holder opens a web service: administrators have said whose the namespace is."""
    if case.offer is None or case.offer.confirmed:
        return None
    return waiting(Reason.HOLDER_NOT_CONFIRMED, unconfirmed(case.offer))


def unconfirmed(offer: Offer) -> str:
    """What is to be done where a namespace is not known to be the holder's."""
    spec, namespace = offer.web_service.spec, offer.web_service.metadata.namespace
    return (
        f"namespace {namespace} is not known to be {spec.holder.institution}'s for {spec.environment.value};"
        f" an administrator confirms it with: kubectl label namespace {namespace}"
        f" {names.INSTITUTION_LABEL}={spec.holder.code}"
        f" {names.ENVIRONMENT_LABEL}={spec.environment.value.lower()}"
    )


def versions_fit(case: GrantCase, _times: Times) -> Finding | None:
    """R10: SOAP is granted version by version, REST as a whole."""
    if case.offer is None or GRANT in case.unread:
        return None
    named = bool(case.grant.spec.contract_versions)
    soap = case.offer.web_service.spec.protocol is Protocol.SOAP
    if soap and not named:
        text = "for SOAP each contract version is granted for itself: name them in spec.contractVersions"
        return waiting(Reason.VERSIONS_NOT_NAMED, text)
    if named and not soap:
        text = "for REST a grant covers every contract version: leave spec.contractVersions out"
        return waiting(Reason.VERSIONS_NOT_ALLOWED, text)
    return None


def same_registration(case: GrantCase, _times: Times) -> Finding | None:
    """R3: a name is not who has it: nobody inherits what another registration was granted."""
    meant = case.grant.spec.consumer.registration
    found = None if case.consumer is None else case.consumer.service.spec.registration
    if meant is None or found is None or found == meant:
        return None
    consumer = case.grant.spec.consumer
    text = f"EService {consumer.namespace}/{consumer.name} is of registration {found}, the grant for {meant}"
    return waiting(
        Reason.OTHER_REGISTRATION, f"{text}: if it is to be let in, the holder writes another grant"
    )


def connected_by(case: GrantCase, times: Times) -> Finding | None:
    """R9: only the agent's own application is let in, under an assignment in force."""
    agent = case.grant.spec.agent
    if agent is None:
        return None
    assignment = case.assignment
    if assignment is None and "AgentAssignment" in case.unread:
        return unread(f"AgentAssignment {agent.assignment}")
    if assignment is None or assignment.spec.web_service != case.grant.spec.web_service:
        text = f"there is no AgentAssignment {agent.assignment} for {case.grant.spec.web_service}"
        return waiting(Reason.ASSIGNMENT_NOT_FOUND, text)
    code = None if case.consumer is None else case.consumer.code
    if code is not None and code != assignment.spec.agent.code:
        text = f"AgentAssignment {agent.assignment} is for {assignment.spec.agent.name}, not for the consumer"
        return waiting(Reason.OTHER_AGENT, text)
    found = assignment_finding(assignment, times, production=is_production(case))
    if found is None:
        return None
    name = assignment.metadata.name
    reason = Reason.ASSIGNMENT_ENDED if found.answer is Answer.OVER else Reason.ASSIGNMENT_PENDING
    return Finding(found.answer, reason, f"AgentAssignment {name}: {found.message}", found.day)


def reachable(case: GrantCase, _times: Times) -> Finding | None:
    """What cannot be enforced is not opened: the Service behind it is there, and selects Pods.

    One that is away, as while it is made anew, ends nothing: its Pods stay closed, and who was let in is.
    """
    if case.offer is None or case.offer.pods is not None:
        return None
    service = case.offer.web_service.spec.backend.service
    if service is None:
        return None
    text = f"Service {service.name} with port {service.port} and a selector does not exist beside the grant"
    return unclear(Reason.BACKEND_NOT_FOUND, f"{text}: nothing opens, and what is open stays")


def led_outside(case: GrantCase, _times: Times) -> Finding | None:
    """R3: nobody is led into the cluster as if it were outside."""
    if case.offer is None:
        return None
    return address_finding(case.offer.web_service.spec.backend, case.offer.cluster_networks)


def served(case: GrantCase, times: Times) -> Finding | None:
    """R10: a REST service whose contract versions have all reached their end of life serves nobody."""
    if case.offer is None or case.offer.web_service.spec.protocol is not Protocol.REST:
        return None
    last = last_day(case.offer)
    if last is None or times.today <= last:
        return None
    what = f"every contract version of {case.grant.spec.web_service}"
    text = f"{what} reached its end of life: {last_day_was(last, 'their')}"
    return over(Reason.CONTRACT_RETIRED, text, last)


def last_day(offer: Offer) -> date | None:
    """The last day on which any contract version of a web service is served, where that is known."""
    ends = [contract.end_of_life for contract in offer.web_service.spec.contracts]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def is_production(case: GrantCase) -> bool:
    """Whether the rules for Production bind: of a web service that cannot be read, by its consumer."""
    if case.offer is not None:
        return case.offer.web_service.spec.environment is Environment.PRODUCTION
    return case.consumer is not None and case.consumer.service.spec.environment is Environment.PRODUCTION


CHECKS: tuple[Check, ...] = (
    refused,
    withdrawn,
    expired,
    legible,
    offered,
    confirmed,
    versions_fit,
    served,
    led_outside,
    consumed,
    same_registration,
    connected_by,
    reachable,
)
