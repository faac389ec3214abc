# SPDX-License-Identifier: Apache-2.0
"""R3, R9: how a use of an e-service stands: granted by the holder, reached through an agent, or neither.

An e-service learns nothing about a WebService that it may not know: without a grant that names it (or an
assignment that lists its institution), one that is not listed reads as one that does not exist. And an
institution is whoever its registration places there: who only claims a registration is nobody's customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eservice_operator.api.base import Environment
from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import Protocol, Visibility
from eservice_operator.core.access.asking import amiss, answers, consumer_finding, grants_beside, unread
from eservice_operator.core.access.assignments import assignment_finding, customer_finding, lists
from eservice_operator.core.access.case import AgentCase, Consumer, GrantCase, Offer, UseCase
from eservice_operator.core.access.connections import connection_of
from eservice_operator.core.access.doubt import by_the_clock, every_day, in_doubt
from eservice_operator.core.access.grant_checks import unconfirmed
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Answer, Finding, Standing, Times, is_open_question, waiting
from eservice_operator.core.access.turns import turns_of_customer


@dataclass(frozen=True)
class UseStanding:
    """How a use stands now."""

    use: Use
    answer: Answer
    reason: Reason
    message: str
    """What the consumer is told, beside what it is told of; the holder reads the same."""
    offer: Offer | None = None
    """The web service; None where the consumer may not know of it."""
    grant: GrantCase | None = None
    """The grant that answers: of the consumer, or of the agent's application."""
    agent: AgentCase | None = None
    """The agent through whom it calls, where it is known to it."""
    versions: tuple[str, ...] = ()
    """The contract versions that it may call now; `ALL_VERSIONS` alone for REST."""
    ends_on: date | None = None
    """The last day on which it is allowed, where that is known."""
    held: bool = False
    """Allowed because it was open when it became unclear: what is there stays as it is."""

    @property
    def allowed(self) -> bool:
        """Whether the e-service may call now."""
        return self.answer is Answer.ALLOWED

    @property
    def contact(self) -> str:
        """Whom the institution turns to; empty where it may not know, or the holder is not confirmed."""
        if self.offer is None or not self.offer.confirmed:
            return ""
        return self.offer.web_service.spec.holder.email


RANKS = (Answer.ALLOWED, Answer.WAITING, Answer.REFUSED, Answer.OVER)
"""Which of several answers counts."""


def use_standing(case: UseCase, consumer: Consumer | None, times: Times) -> UseStanding:
    """How one use stands. The best of several grants counts, then the oldest."""
    if case.use.agent is not None:
        return _through_agent(case, consumer, times)
    found = [
        (grant, standing)
        for grant in case.grants
        for standing in standings(grant, times)
        if _answers(case.use, grant, standing)
    ]
    if not found:
        return _unanswered(case, consumer, times)
    grant, best = min(found, key=lambda pair: RANKS.index(pair[1].answer))
    own = _own_fault(consumer, grant, best)
    return UseStanding(
        use=case.use,
        answer=best.answer,
        reason=best.reason if own is None else own.reason,
        message=best.message if own is None else own.message,
        offer=grant.offer,
        grant=grant,
        versions=(best.version,) if best.allowed else (),
        ends_on=best.ends_on,
        held=best.held,
    )


def _own_fault(consumer: Consumer | None, grant: GrantCase, standing: Standing) -> Finding | None:
    """What a consumer that asks is told of itself, and its holder is not: why it does not count as asking."""
    if standing.reason is not Reason.NOT_REQUESTED:
        return None
    return consumer_finding(consumer, grant.offer, "the e-service")


def _answers(use: Use, grant: GrantCase, standing: Standing) -> bool:
    """Whether what a grant says of a contract version is about this use."""
    if not answers(grant.grant, use):
        return False
    offer = grant.offer
    rest = offer is not None and offer.web_service.spec.protocol is Protocol.REST
    return rest or standing.version in (ALL_VERSIONS, use.contract_version)


def _unanswered(case: UseCase, consumer: Consumer | None, times: Times) -> UseStanding:
    """Nobody has answered: who may not know the web service learns that much, and no more."""
    offer = case.offer
    if offer is None or not (_is_listed(offer) or case.grants):
        own = "" if consumer is None else f" of {consumer.service.spec.environment.value}"
        text = f"no grant; if there is such a web service{own}, its holder sees the request"
        return UseStanding(case.use, Answer.WAITING, Reason.ACCESS_NOT_GRANTED, text)
    found = amiss(case.use, offer, consumer, times)
    if found is None and case.use.agent is not None:
        # an assignment that does not list the institution reads as one that does not exist
        found = waiting(Reason.CUSTOMER_NOT_LISTED, "no AgentAssignment of that name lists the institution")
    if found is None and case.grants:
        found = waiting(Reason.VERSION_NOT_GRANTED, grants_beside(case))
    if found is None:
        found = waiting(Reason.ACCESS_NOT_GRANTED, "no grant; its holder sees the request")
    return UseStanding(case.use, Answer.WAITING, found.reason, found.message, offer=offer)


def _is_listed(offer: Offer) -> bool:
    """Whether everybody may know that there is such a web service."""
    return offer.confirmed and offer.web_service.spec.visibility is Visibility.LISTED


def _through_agent(case: UseCase, consumer: Consumer | None, times: Times) -> UseStanding:
    """How a use through an agent stands; while nobody knows the day, see `doubt`."""
    now = _by_the_clock(case, consumer, by_the_clock(times))
    if times.trusted or case.agent is None:
        return now
    days = every_day(turns_of_customer(case.agent, consumer, times.zone), times)
    ever = (_by_the_clock(case, consumer, at).allowed for at in days)
    is_open = case.bound and connection_of(case.agent, times) is not None
    found = in_doubt(Finding(now.answer, now.reason, now.message), ever, is_open=is_open)
    if found.answer is Answer.UNCLEAR:
        return _customer_held(case, found, times)
    if found.reason is now.reason:
        return now
    return UseStanding(case.use, found.answer, found.reason, found.message, now.offer, agent=case.agent)


def _by_the_clock(case: UseCase, consumer: Consumer | None, times: Times) -> UseStanding:
    """R9: the holder lists the institution, the assignment is in force, and the agent is connected."""
    agent, use = case.agent, case.use
    question = _illegible(case, consumer)
    if question is not None and case.bound and (agent is None or _goes_on(agent, consumer, times)):
        return _customer_held(case, question, times)
    if agent is None or not _is_customer(agent, use, consumer):
        return _unanswered(case, consumer, times)
    name = agent.assignment.spec.agent.name
    found = _before_the_connection(agent, consumer, times)
    if found is not None and found.answer is Answer.UNCLEAR:
        found = waiting(found.reason, found.message)
    if found is not None:
        return UseStanding(use, found.answer, found.reason, found.message, offer=agent.offer, agent=agent)
    connection = connection_of(agent, times)
    if connection is None:
        reason, text = Reason.AGENT_NOT_CONNECTED, f"the connection of {name} is not open"
        return UseStanding(use, Answer.WAITING, reason, text, offer=agent.offer, agent=agent)
    until = f" until {connection.ends_on}, that day included" if connection.ends_on else ""
    return UseStanding(
        use=use,
        answer=Answer.ALLOWED,
        reason=Reason.ACTIVE,
        message=f"granted through {name}{until}",
        offer=agent.offer,
        grant=connection.grant,
        agent=agent,
        versions=tuple(one.version for one in connection.allowed),
        ends_on=connection.ends_on,
    )


def _customer_held(case: UseCase, question: Finding, times: Times) -> UseStanding:
    """What a customer has through an agent stays as it is."""
    connection = None if case.agent is None else connection_of(case.agent, times)
    return UseStanding(
        use=case.use,
        answer=Answer.ALLOWED,
        reason=question.reason,
        message=question.message,
        offer=case.offer,
        grant=None if connection is None else connection.grant,
        agent=case.agent,
        versions=() if connection is None else tuple(one.version for one in connection.allowed),
        held=True,
    )


def _illegible(case: UseCase, consumer: Consumer | None) -> Finding | None:
    """What keeps anybody from telling whether the e-service is a customer, where it has been one."""
    found = consumer_finding(consumer, case.offer, "the e-service")
    if not is_open_question(found):
        return None
    if case.agent is None:
        named = f"AgentAssignment {case.use.agent}"
        return unread(named) if "AgentAssignment" in case.unread else None
    if case.offer is None and "WebService" in case.unread:
        return unread(f"WebService {case.use.web_service.name}")
    return found


def _goes_on(agent: AgentCase, consumer: Consumer | None, times: Times) -> bool:
    """Whether nothing that can be read ends what a customer has through an agent."""
    code = None if consumer is None else consumer.code
    production = consumer is not None and consumer.service.spec.environment is Environment.PRODUCTION
    return (
        assignment_finding(agent.assignment, times, production=production) is None
        and (code is None or customer_finding(agent.assignment, code, times) is None)
        and connection_of(agent, times) is not None
    )


def _is_customer(agent: AgentCase, use: Use, consumer: Consumer | None) -> bool:
    """Whether the assignment is one for this web service, and the holder lists this institution in it."""
    assignment, place = agent.assignment, use.web_service
    return (
        (assignment.metadata.namespace, assignment.spec.web_service) == (place.namespace, place.name)
        and consumer is not None
        and consumer_finding(consumer, None, "") is None
        and lists(assignment, consumer.code)
    )


def _before_the_connection(agent: AgentCase, consumer: Consumer | None, times: Times) -> Finding | None:
    """What keeps a customer that the holder lists from calling, whatever the agent's own connection."""
    offer, assignment = agent.offer, agent.assignment
    if offer is None:
        text = f"WebService {assignment.spec.web_service} does not exist, or cannot be read"
        return waiting(Reason.WEB_SERVICE_UNKNOWN, text)
    if not offer.confirmed:
        return waiting(Reason.HOLDER_NOT_CONFIRMED, unconfirmed(offer))
    found = consumer_finding(consumer, offer, "the e-service")
    if found is not None:
        return found
    production = offer.web_service.spec.environment is Environment.PRODUCTION
    found = assignment_finding(assignment, times, production=production)
    if found is None:
        return customer_finding(assignment, None if consumer is None else consumer.code, times)
    reason = Reason.ASSIGNMENT_ENDED if found.answer is Answer.OVER else Reason.ASSIGNMENT_PENDING
    return Finding(found.answer, reason, f"AgentAssignment {assignment.metadata.name}: {found.message}")
