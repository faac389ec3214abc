# SPDX-License-Identifier: Apache-2.0
"""R3, R9: who asks for a web service, whether that is who it says, and which grants answer it."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import Protocol
from eservice_operator.core.access.case import Consumer, GrantCase, Offer, UseCase
from eservice_operator.core.access.terms import (
    Finding,
    Times,
    is_open_question,
    last_day_was,
    over,
    unclear,
    waiting,
)
from eservice_operator.core.registered import is_looked_at, place_problem


def consumed(case: GrantCase, _times: Times) -> Finding | None:
    """R3: the consumer asks, as an EService that its registration has placed there, of the same environment.

    Of any other nothing is said, not even that there is one: a holder may name whatever it likes.
    """
    named = case.grant.spec.consumer
    where = f"EService {named.namespace}/{named.name}"
    if case.consumer is None and "EService" in case.unread:
        return unread(where)
    placed = _misplaced(case.consumer, where)
    if case.consumer is None or not is_open_question(placed) or not any(asks(case)):
        if case.consumer is not None and is_open_question(placed) and "EService" in case.consumer.unread:
            return unread(where)
        text = f"{_asked(case, case.grant.spec.web_service)}, or has no registration that places it there"
        return waiting(Reason.NOT_REQUESTED, text)
    return placed or _elsewhere(case.consumer, case.offer, where)


def consumer_finding(consumer: Consumer | None, offer: Offer | None, where: str) -> Finding | None:
    """Why an EService (``where``, in messages) may call nothing, whatever it asks for; None where it may."""
    found = _misplaced(consumer, where)
    return found if found is not None or consumer is None else _elsewhere(consumer, offer, where)


def _misplaced(consumer: Consumer | None, where: str) -> Finding | None:
    """Why it is not what it says: there is none, or its registration has placed another there."""
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
    if consumer.senior is not None and (problem is None or problem[0] is not Reason.NAMESPACE_NOT_REGISTERED):
        return waiting(
            Reason.CONSUMER_NOT_REGISTERED, f"{where}: another EService stands for its registration"
        )
    if problem is None:
        return None
    why = problem[1]
    if problem[0] is Reason.REGISTRATION_NOT_READY and not is_looked_at(registration):
        text = f"{where}: {why}: nothing opens, and what is open stays"
        return unclear(Reason.CONSUMER_NOT_REGISTERED, text)
    return waiting(Reason.CONSUMER_NOT_REGISTERED, f"{where}: {why}")


def _elsewhere(consumer: Consumer, offer: Offer | None, where: str) -> Finding | None:
    """Whether it is in another environment than the web service."""
    here = consumer.service.spec.environment
    if offer is None or here is offer.web_service.spec.environment:
        return None
    there = offer.web_service.spec.environment.value
    text = f"{where} is of {here.value}, the web service of {there}: they have to be the same"
    return waiting(Reason.ENVIRONMENT_MISMATCH, text)


def amiss(use: Use, offer: Offer, consumer: Consumer | None, times: Times) -> Finding | None:
    """What a request for a web service that may be known would have to say otherwise."""
    found = consumer_finding(consumer, offer, "the e-service")
    if found is not None or use.agent is not None or offer.web_service.spec.protocol is Protocol.REST:
        return found
    versions = ", ".join(one.version for one in offer.web_service.spec.contracts)
    if use.contract_version is None:
        text = f"for SOAP name the contract version in spec.uses: it has {versions}"
        return waiting(Reason.VERSION_NOT_GRANTED, text)
    contract = offer.web_service.contract(use.contract_version)
    if contract is None:
        return waiting(Reason.CONTRACT_UNKNOWN, f"there is no such contract version: it has {versions}")
    end = contract.end_of_life
    if end is None or times.today <= end:
        return None
    return over(Reason.CONTRACT_RETIRED, f"the contract version reached its end of life: {last_day_was(end)}")


def unread(what: str) -> Finding:
    """What cannot be read says neither yes nor no: no access comes of it, and none is taken for it."""
    return unclear(Reason.UNREADABLE, f"{what} cannot be read: nothing opens, and what is open stays")


def asks(case: GrantCase) -> Iterator[Use]:
    """The consumer's uses of the web service that the grant answers.

    R9: nobody is made an agent's application, and led others' calls, who does not say itself that it is one.
    """
    if case.consumer is None:
        return
    for use in case.consumer.uses:
        if answers(case.grant, use) and use.web_service == case.web_service:
            yield use


def answers(grant: WebServiceGrant, use: Use) -> bool:
    """Whether a grant is of the kind that a use asks for: to call for itself, or as the agent of the same."""
    agent = grant.spec.agent
    return use.agent is None and use.as_agent == (None if agent is None else agent.assignment)


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


def grants_beside(case: UseCase) -> str:
    """What grants there are, none of which answers."""
    if any(answers(grant.grant, case.use) for grant in case.grants):
        return "there is a grant, and it is not for this version"
    if case.use.as_agent is not None:
        return f"there is a grant, and it is not for the agent of {case.use.as_agent}"
    return "there is a grant, and it is for an agent's application: name its assignment in asAgent"
