# SPDX-License-Identifier: Apache-2.0
"""R3: who asks for a web service, and how each stands: what its holder and the consumer both read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice_status import AccessRequest, RequestState
from eservice_operator.core.access.asking import consumer_finding
from eservice_operator.core.access.case import AgentCase, Consumer, GrantCase, Order, UseCase
from eservice_operator.core.access.lacking import lack_of
from eservice_operator.core.access.terms import Answer, Times, is_open_question
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.conditions import told

GrantsByConsumer = dict[tuple[str, str], tuple[GrantCase, ...]]
"""By namespace and name of the EService."""
ORDER = {state: rank for rank, state in enumerate(RequestState)}
"""Those that wait for an answer come first."""
UNKNOWN = "unknown"
"""The institution of a registration that cannot be read."""
Identity = tuple[str, str, str, str, str]
"""Namespace and name of the EService, contract version, and the assignment, as a customer or its agent: what
a use is called is its own."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a web service, and how it stands."""

    identity: Identity
    consumer: Consumer
    standing: UseStanding
    state: RequestState

    @property
    def grant(self) -> str | None:
        """The grant that answers it."""
        answer = self.standing.grant
        return None if answer is None else answer.grant.metadata.name


def requests_of(world: WebServiceWorld, times: Times) -> tuple[Request, ...]:
    """Every request for a web service, each once; those that nobody has answered come first.

    Only an EService that its registration has placed, in the environment of the web service, is a request:
    anybody with a namespace can write an EService, and nobody could grant the others anything.
    """
    grants, reference = _by_consumer(world), world.offer.web_service.reference
    agents = {agent.assignment.metadata.name: agent for agent in world.agents}
    found: dict[Identity, Request] = {}
    for order in world.orders:
        placed = is_open_question(consumer_finding(order.consumer, world.offer, ""))
        if placed and order.use.web_service == reference:
            request = _request(order, _case(world, order, grants, agents), times)
            found[request.identity] = request
    return tuple(sorted(found.values(), key=_rank))


def told_of(requests: Iterable[Request], world: WebServiceWorld) -> tuple[Request, ...]:
    """The requests that the holder's status lists and counts.

    One that nobody has answered comes with a notice and an Event, once. While nobody can tell whether it is
    one (its registration was not looked at yet, or cannot be read), it stays where it is listed already, and
    else is not: so that is still news when it is certain. Where the list was lost, too, it is told twice.
    """
    before = listed_before(world)
    return tuple(
        request
        for request in requests
        if request.state is not RequestState.WAITING
        or request.identity in before
        or consumer_finding(request.consumer, world.offer, "") is None
    )


def listed_before(world: WebServiceWorld) -> dict[Identity, AccessRequest]:
    """The requests that the last status lists."""
    return {
        (
            one.namespace,
            one.e_service,
            one.contract_version or "",
            one.agent or "",
            one.as_agent or "",
        ): one
        for one in world.offer.web_service.status.requests
    }


def _by_consumer(world: WebServiceWorld) -> GrantsByConsumer:
    found: defaultdict[tuple[str, str], list[GrantCase]] = defaultdict(list)
    for grant in world.grants:
        named = grant.grant.spec.consumer
        found[named.namespace, named.name].append(grant)
    return {consumer: tuple(grants) for consumer, grants in found.items()}


def _identity(order: Order) -> Identity:
    namespace, name = order.consumer.place
    use = order.use
    return namespace, name, use.contract_version or "", use.agent or "", use.as_agent or ""


def _rank(request: Request) -> tuple[int, Identity]:
    return ORDER[request.state], request.identity


def _case(
    world: WebServiceWorld, order: Order, grants: GrantsByConsumer, agents: dict[str, AgentCase]
) -> UseCase:
    """What the consumer sees of its use."""
    agent = None if order.use.agent is None else agents.get(order.use.agent)
    answers = grants.get(order.consumer.place, ())
    return UseCase(order.use, world.offer, answers, agent, order.unread, order.bound)


def _request(order: Order, case: UseCase, times: Times) -> Request:
    standing = use_standing(case, order.consumer, times)
    return Request(_identity(order), order.consumer, standing, request_state(standing))


def shown(request: Request, before: AccessRequest | None = None) -> AccessRequest:
    """A request as the status lists it; ``before`` is how it was listed last.

    Of whom it is, nobody knows while its registration cannot be read: then it is as it was.
    """
    namespace, name = request.consumer.place
    registration, use = request.consumer.registration, request.standing.use
    named = UNKNOWN if before is None else before.institution
    return AccessRequest(
        namespace=namespace,
        e_service=name,
        registration=request.consumer.service.spec.registration,
        institution=named if registration is None else registration.spec.institution.name,
        contract_version=use.contract_version,
        agent=use.agent,
        as_agent=use.as_agent,
        state=request.state,
        grant=request.grant,
        message=told(_message(request)),
    )


def _message(request: Request) -> str:
    """What its consumer reads, too; but for what that may not know, which its holder does."""
    standing = request.standing
    if request.state is RequestState.WAITING and standing.reason is Reason.ACCESS_NOT_GRANTED:
        return "no grant yet"
    return (lack_of(standing) or standing).message


def request_state(standing: UseStanding) -> RequestState:
    """How far a request has got."""
    match standing.answer:
        case Answer.ALLOWED:
            lack = lack_of(standing)
            open_now = lack is None or lack.answer is Answer.ALLOWED
            return RequestState.GRANTED if open_now else RequestState.PENDING
        case Answer.REFUSED:
            return RequestState.REFUSED
        case Answer.OVER:
            return RequestState.ENDED
        case Answer.WAITING | Answer.UNCLEAR:
            answered = standing.grant is not None or standing.agent is not None
            return RequestState.PENDING if answered else RequestState.WAITING
