# SPDX-License-Identifier: Apache-2.0
"""R9: the status of an agent's assignment: whether it is in force, and for whom the agent may call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from eservice_operator.api.agent import (
    AgentAssignmentStatus,
    AssignmentState,
    Customer,
    CustomerState,
    CustomerStatus,
    PilotCustomer,
)
from eservice_operator.api.base import Environment
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.webservice_status import MOST_LISTED
from eservice_operator.core import conditions as c
from eservice_operator.core.access.asking import consumer_finding
from eservice_operator.core.access.assignments import assignment_finding
from eservice_operator.core.access.case import AgentCase, Consumer, ordered
from eservice_operator.core.access.connections import Connection, connection_of
from eservice_operator.core.access.grant_checks import unconfirmed
from eservice_operator.core.access.lacking import hindrance
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Answer, Finding, Times, is_open_question, waiting
from eservice_operator.core.access.turns import assignment_turns, customer_turns, first_after, turns
from eservice_operator.core.access.using import RANKS, use_standing
from eservice_operator.core.access.worlds import AssignmentWorld
from eservice_operator.core.conditions import Verdict, told
from eservice_operator.core.policy import Policy

MOST_E_SERVICES = 8


@dataclass(frozen=True)
class Ordered:
    """What the e-services of one institution have ordered through an agent."""

    e_services: tuple[str, ...] = ()
    """As ``namespace/name``, sorted."""
    active: bool = False
    """Whether any of them may call."""


def assignment_status(world: AssignmentWorld, now: datetime, policy: Policy) -> AgentAssignmentStatus:
    """The whole status of an assignment."""
    agent, times = world.agent, Times.under(policy, now)
    assignment, finding = agent.assignment, _finding(agent, times)
    connection = connection_of(agent, times) if finding is None or not times.trusted else None
    if connection is not None and not times.trusted:
        finding = None  # it ended by a date, and what is open stays: see `doubt`
    customers = tuple(
        _customers(agent, _ordered(agent, times), over=_state(finding) is AssignmentState.ENDED)
    )
    said = finding or _connected(agent, connection, times)
    generation = assignment.metadata.generation
    return AgentAssignmentStatus(
        observed_generation=generation,
        state=_state(finding),
        reason=said.reason.value,
        message=told(said.message),
        application=None if connection is None else _application(connection),
        grant=None if connection is None else connection.grant.grant.metadata.name,
        active_customers=tuple(one.code for one in customers if one.state is CustomerState.ACTIVE),
        customer_count=len(customers),
        customers=customers[:MOST_LISTED],
        conditions=c.merge(assignment.status.conditions, _verdicts(said), generation, now),
    )


def assignment_next(world: AssignmentWorld, now: datetime, policy: Policy) -> datetime | None:
    """When any of the status can change by time alone."""
    return first_after(now, _turns(world.agent, policy))


def _turns(agent: AgentCase, policy: Policy) -> Iterator[datetime]:
    yield from assignment_turns(agent.assignment, policy.zone)
    yield from customer_turns(agent.assignment, policy.zone)
    for grant in agent.connections:
        yield from turns(grant, policy.zone)


def _finding(agent: AgentCase, times: Times) -> Finding | None:
    """Why nobody calls through it; None while it is in force. Once ended, nothing that is missing matters."""
    offer, assignment = agent.offer, agent.assignment
    production = offer is None or offer.web_service.spec.environment is Environment.PRODUCTION
    found = assignment_finding(assignment, times, production=production)
    if found is not None and found.answer is Answer.OVER:
        return found
    if offer is None and any("WebService" in grant.unread for grant in agent.connections):
        return found  # whether its application is connected is known all the same
    if offer is None:
        text = f"WebService {assignment.spec.web_service} does not exist beside it, or cannot be read"
        return waiting(Reason.WEB_SERVICE_UNKNOWN, text)
    if not offer.confirmed:
        return waiting(Reason.HOLDER_NOT_CONFIRMED, unconfirmed(offer))
    return found


def _state(finding: Finding | None) -> AssignmentState:
    if finding is None:
        return AssignmentState.ACTIVE
    return AssignmentState.ENDED if finding.answer is Answer.OVER else AssignmentState.PENDING


def _connected(agent: AgentCase, connection: Connection | None, times: Times) -> Finding:
    """What is to be said of an assignment in force: whether its application is let in."""
    if connection is not None and (lack := _not_open(connection)) is not None:
        name = connection.grant.grant.metadata.name
        return waiting(Reason.AGENT_NOT_CONNECTED, f"WebServiceGrant {name}: {lack.message}")
    if connection is not None:
        versions = ", ".join(one.version for one in connection.allowed)
        until = f" until {connection.ends_on}, that day included" if connection.ends_on else ""
        held = next((one for one in connection.allowed if one.held), None)
        if held is not None and held.reason is Reason.CLOCK_SKEW:
            return Finding(Answer.ALLOWED, held.reason, held.message)
        text = f"{_application(connection)} calls {agent.assignment.spec.web_service} ({versions}){until}"
        return Finding(Answer.ALLOWED, Reason.ACTIVE, text)
    answers = [
        (grant.grant.metadata.name, standing)
        for grant in agent.connections
        for standing in standings(grant, times)
    ]
    if not answers:
        name = agent.assignment.metadata.name
        text = f"no grant lets the agent's application in: write one with spec.agent.assignment {name}"
        return waiting(Reason.AGENT_NOT_CONNECTED, text)
    name, best = min(answers, key=lambda entry: RANKS.index(entry[1].answer))
    return waiting(Reason.AGENT_NOT_CONNECTED, f"WebServiceGrant {name} is not open: {best.message}")


def _not_open(connection: Connection) -> Finding | None:
    """Why nothing of what the grant of the application allows is open (yet)."""
    grant = connection.grant.grant
    found = [hindrance(grant, one.version) for one in connection.allowed]
    return None if None in found else found[0]


def _application(connection: Connection) -> str:
    consumer = connection.grant.grant.spec.consumer
    return f"{consumer.namespace}/{consumer.name}"


def _ordered(agent: AgentCase, times: Times) -> Mapping[str, Ordered]:
    """Who has ordered, by the code of the institution; whoever only claims to be one has ordered nothing."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    active = set()
    for order in agent.orders:
        consumer, code = order.consumer, _code(agent, order.consumer)
        if code is None or not is_open_question(consumer_finding(consumer, agent.offer, "")):
            continue
        places[code].add("/".join(consumer.place))
        if use_standing(ordered(order, agent), consumer, times).allowed:
            active.add(code)
    return {code: Ordered(tuple(sorted(found)), code in active) for code, found in places.items()}


def _code(agent: AgentCase, consumer: Consumer) -> str | None:
    """The code of the institution that orders; the last known while its registration cannot be read."""
    if "EServiceRegistration" not in consumer.unread:
        return consumer.code
    place, before = "/".join(consumer.place), agent.assignment.status.customers
    return next((one.code for one in before if place in one.e_services), None)


def _customers(agent: AgentCase, ordered: Mapping[str, Ordered], *, over: bool) -> Iterator[CustomerStatus]:
    """Everybody that the holder lists, pilots first, each once; ``over`` once the assignment has ended."""
    spec = agent.assignment.spec
    listed: dict[str, PilotCustomer | Customer] = {}
    for pilot in spec.pilot_customers:
        listed[pilot.code] = pilot
    for joined in spec.customers:
        listed.setdefault(joined.code, joined)
    for code, customer in listed.items():
        found = ordered.get(code, Ordered())
        yield CustomerStatus(
            code=code,
            name=customer.name,
            state=CustomerState.ENDED if over else _customer_state(found),
            e_services=found.e_services[:MOST_E_SERVICES],
        )


def _customer_state(found: Ordered) -> CustomerState:
    if not found.e_services:
        return CustomerState.LISTED
    return CustomerState.ACTIVE if found.active else CustomerState.NOT_YET


def _verdicts(said: Finding) -> Iterator[Verdict]:
    """Waiting for a person is Ready: nothing is left to do for the operator."""
    reason = Reason.SUCCEEDED if said.answer is Answer.ALLOWED else said.reason
    yield c.true(ConditionType.READY, reason, said.message)
    if said.answer is Answer.ALLOWED:
        yield c.true(ConditionType.ACTIVE, said.reason, said.message)
    else:
        yield c.false(ConditionType.ACTIVE, said.reason, said.message)
