# SPDX-License-Identifier: Apache-2.0
"""R3, R9: how a use of an e-service stands: granted by the holder, reached through an agent, or neither.

An e-service learns nothing about a WebService that it may not know: without a grant that names it (or an
assignment that lists its institution), one that is not listed reads as one that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eservice_operator.api.base import Environment
from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice import Protocol, Visibility
from eservice_operator.core.access.assignments import (
    assignment_ends,
    assignment_finding,
    customer_finding,
)
from eservice_operator.core.access.case import AgentCase, Consumer, GrantCase, Offer, UseCase
from eservice_operator.core.access.grant_checks import consumer_finding
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Answer, Finding, Standing, Times, waiting


@dataclass(frozen=True)
class UseStanding:
    """How a use stands now."""

    use: Use
    answer: Answer
    reason: Reason
    message: str
    """What the consumer is told; the holder reads the same."""
    offer: Offer | None = None
    """The web service; None where the consumer may not know of it."""
    grant: GrantCase | None = None
    """The grant that answers: of the consumer, or of the agent's application."""
    agent: AgentCase | None = None
    """The agent through whom it calls, where the use names one that is known to it."""
    versions: tuple[str, ...] = ()
    """The contract versions that it may call now; `ALL_VERSIONS` alone for REST."""
    ends_on: date | None = None
    """The last day on which it is allowed, where that is known."""

    @property
    def allowed(self) -> bool:
        """Whether the e-service may call now."""
        return self.answer is Answer.ALLOWED

    @property
    def contact(self) -> str:
        """Whom the institution turns to; empty where it may not know."""
        return "" if self.offer is None else self.offer.web_service.spec.holder.email


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
        return _unanswered(case)
    grant, best = min(found, key=lambda pair: RANKS.index(pair[1].answer))
    return UseStanding(
        use=case.use,
        answer=best.answer,
        reason=best.reason,
        message=best.message,
        offer=case.offer,
        grant=grant,
        versions=(best.version,) if best.allowed else (),
        ends_on=best.ends_on,
    )


RANKS = (Answer.ALLOWED, Answer.WAITING, Answer.REFUSED, Answer.OVER)


def _answers(use: Use, grant: GrantCase, standing: Standing) -> bool:
    """Whether what a grant says of a contract version is about this use."""
    offer = grant.offer
    rest = offer is not None and offer.web_service.spec.protocol is Protocol.REST
    return rest or standing.version in (ALL_VERSIONS, use.contract_version)


def _unanswered(case: UseCase) -> UseStanding:
    """Nobody has answered: who may not know the web service learns that much, and no more."""
    offer, what = case.offer, _named(case.use)
    if not _may_know(offer):
        text = f"{what}: no grant; if there is such a web service, its holder sees the request"
        return UseStanding(case.use, Answer.WAITING, Reason.ACCESS_NOT_GRANTED, text)
    reason, text = Reason.ACCESS_NOT_GRANTED, f"{what}: no grant yet, its holder sees the request"
    if case.grants:
        reason, text = Reason.VERSION_NOT_GRANTED, f"{what}: there is a grant, and it is not for this version"
    return UseStanding(case.use, Answer.WAITING, reason, text, offer=offer)


def _may_know(offer: Offer | None) -> bool:
    """Whether everybody may know that there is such a web service."""
    if offer is None or not offer.confirmed:
        return False
    return offer.web_service.spec.visibility is Visibility.LISTED


def _named(use: Use) -> str:
    version = f" {use.contract_version}" if use.contract_version else ""
    through = f" through {use.agent}" if use.agent else ""
    return f"{use.web_service.namespace}/{use.web_service.name}{version}{through}"


def _through_agent(case: UseCase, consumer: Consumer | None, times: Times) -> UseStanding:
    """R9: the holder lists the institution, the assignment is in force, and the agent is connected."""
    agent, use = case.agent, case.use
    code = None if consumer is None else consumer.code
    listed = None if agent is None else customer_finding(agent.assignment, code, times)
    if agent is None or (listed is not None and listed.reason is Reason.CUSTOMER_NOT_LISTED):
        return _unanswered(case)
    allowed = [one for grant in agent.connections for one in standings(grant, times) if one.allowed]
    found = _before_the_connection(agent, consumer, use, times) or listed
    if found is None and not allowed:
        name = agent.assignment.spec.agent.name
        found = waiting(Reason.AGENT_NOT_CONNECTED, f"the connection of {name} is not open")
    if found is not None:
        return UseStanding(
            use, found.answer, found.reason, f"{_named(use)}: {found.message}", offer=agent.offer, agent=agent
        )
    connection = next(grant for grant in agent.connections if any(o.allowed for o in standings(grant, times)))
    return UseStanding(
        use=use,
        answer=Answer.ALLOWED,
        reason=Reason.ACTIVE,
        message=f"granted through {agent.assignment.spec.agent.name}",
        offer=agent.offer,
        grant=connection,
        agent=agent,
        versions=tuple(one.version for one in allowed),
        ends_on=_last_day(agent, allowed),
    )


def _before_the_connection(
    agent: AgentCase, consumer: Consumer | None, use: Use, times: Times
) -> Finding | None:
    """What keeps a customer that the holder lists from calling, whatever the agent's own connection."""
    offer, assignment = agent.offer, agent.assignment
    if offer is None or assignment.spec.web_service != use.web_service.name:
        text = f"there is no AgentAssignment {use.agent} for {use.web_service.name}"
        return waiting(Reason.ASSIGNMENT_NOT_FOUND, text)
    place = ("", "") if consumer is None else consumer.place
    found = consumer_finding(consumer, offer, f"EService {'/'.join(place)}")
    if found is not None:
        return found
    production = offer.web_service.spec.environment is Environment.PRODUCTION
    found = assignment_finding(assignment, times, production=production)
    if found is None:
        return None
    reason = Reason.ASSIGNMENT_ENDED if found.answer is Answer.OVER else Reason.ASSIGNMENT_PENDING
    return Finding(found.answer, reason, f"AgentAssignment {assignment.metadata.name}: {found.message}")


def _last_day(agent: AgentCase, allowed: list[Standing]) -> date | None:
    """The last day by the assignment, and by the contract version of the connection that lasts longest."""
    ends = [one.ends_on for one in allowed]
    connected = None if None in ends else max(end for end in ends if end is not None)
    days = [assignment_ends(agent.assignment), connected]
    return min((day for day in days if day is not None), default=None)
