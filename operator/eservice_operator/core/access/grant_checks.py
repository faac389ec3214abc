# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what keeps a grant as a whole from opening anything, one small function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from eservice_operator.api import names
from eservice_operator.api.base import Environment
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.assignments import assignment_finding
from eservice_operator.core.access.case import Consumer, GrantCase, Offer
from eservice_operator.core.access.terms import (
    Answer,
    Finding,
    Times,
    is_open_question,
    over,
    unclear,
    waiting,
)
from eservice_operator.core.registered import place_problem

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
    return over(Reason.EXPIRED, f"the grant ended with {until}")


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


def consumed(case: GrantCase, _times: Times) -> Finding | None:
    """R3: the consumer asks, as an EService that its registration has placed there, of the same environment.

    Of any other nothing is said, not even that there is one: a holder may name whatever it likes.
    """
    named = case.grant.spec.consumer
    where = f"EService {named.namespace}/{named.name}"
    if case.consumer is None and "EService" in case.unread:
        return unread(where)
    placed = consumer_finding(case.consumer, None, where)
    if case.consumer is None or not is_open_question(placed) or not any(asks(case)):
        if case.consumer is not None and is_open_question(placed) and "EService" in case.consumer.unread:
            return unread(where)
        text = f"{_asked(case, case.grant.spec.web_service)}, or has no registration that places it there"
        return waiting(Reason.NOT_REQUESTED, text)
    return consumer_finding(case.consumer, case.offer, where)


def unread(what: str) -> Finding:
    """What cannot be read says neither yes nor no: no access comes of it, and none is taken for it."""
    return unclear(Reason.UNREADABLE, f"{what} cannot be read: nothing opens, and what is open stays")


def consumer_finding(consumer: Consumer | None, offer: Offer | None, where: str) -> Finding | None:
    """Why an EService (``where``, in messages) may call nothing, whatever it asks for; None where it may."""
    if consumer is None:
        return waiting(Reason.CONSUMER_NOT_FOUND, f"{where} does not exist")
    if consumer.service.metadata.deletion_timestamp is not None:
        return waiting(Reason.CONSUMER_NOT_FOUND, f"{where} is being deleted")
    spec, registration = consumer.service.spec, consumer.registration
    if registration is None and "EServiceRegistration" in consumer.unread:
        return unread(f"{where}: EServiceRegistration {spec.registration}")
    if registration is None:
        text = f"{where}: EServiceRegistration {spec.registration} does not exist"
        return waiting(Reason.CONSUMER_NOT_REGISTERED, text)
    problem = place_problem(registration, spec.environment, consumer.place[0])
    if problem is not None or consumer.senior is not None:
        why = "another EService stands for its registration" if problem is None else problem[1]
        return waiting(Reason.CONSUMER_NOT_REGISTERED, f"{where}: {why}")
    if offer is not None and spec.environment is not offer.web_service.spec.environment:
        there = offer.web_service.spec.environment.value
        text = f"{where} is of {spec.environment.value}, the web service of {there}: they have to be the same"
        return waiting(Reason.ENVIRONMENT_MISMATCH, text)
    return None


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
    return Finding(found.answer, reason, f"AgentAssignment {name}: {found.message}")


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


def served(case: GrantCase, times: Times) -> Finding | None:
    """R10: a REST service whose contract versions have all reached their end of life serves nobody."""
    if case.offer is None or case.offer.web_service.spec.protocol is not Protocol.REST:
        return None
    last = last_day(case.offer)
    if last is None or times.today <= last:
        return None
    text = (
        f"every contract version of {case.grant.spec.web_service} reached its end of life, the last on {last}"
    )
    return over(Reason.CONTRACT_RETIRED, text)


def last_day(offer: Offer) -> date | None:
    """The last day on which any contract version of a web service is served, where that is known."""
    ends = [contract.end_of_life for contract in offer.web_service.spec.contracts]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def asks(case: GrantCase) -> Iterator[Use]:
    """The consumer's uses of the web service that the grant answers.

    R9: nobody is made an agent's application, and led others' calls, who does not say itself that it is one.
    """
    if case.consumer is None:
        return
    reference = web_service_of(case)
    for use in case.consumer.uses:
        if use.web_service == reference and answers(case.grant, use):
            yield use


def answers(grant: WebServiceGrant, use: Use) -> bool:
    """Whether a grant is of the kind that a use asks for: to call for itself, or as the agent of the same."""
    agent = grant.spec.agent
    return use.agent is None and use.as_agent == (None if agent is None else agent.assignment)


def web_service_of(case: GrantCase) -> WebServiceRef:
    """The WebService of a grant, which is beside it."""
    grant = case.grant
    return WebServiceRef(namespace=grant.metadata.namespace, name=grant.spec.web_service)


def not_requested(case: GrantCase, what: str) -> Finding:
    """R3: nobody is let in who has not asked; what one asks that cannot be read, nobody knows."""
    named = case.grant.spec.consumer
    if case.consumer is None or "EService" in case.consumer.unread:
        return unread(f"EService {named.namespace}/{named.name}")
    return waiting(Reason.NOT_REQUESTED, _asked(case, what))


def _asked(case: GrantCase, what: str) -> str:
    named, agent = case.grant.spec.consumer, case.grant.spec.agent
    role = "" if agent is None else f" with asAgent: {agent.assignment}"
    return f"EService {named.namespace}/{named.name} does not ask for {what}{role} in spec.uses"


def in_question(case: GrantCase) -> bool:
    """Whether the consumer asks, and is who it says: only then is it told anything, or anything of it."""
    return is_open_question(consumer_finding(case.consumer, None, "")) and any(asks(case))


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
    consumed,
    connected_by,
    reachable,
)
