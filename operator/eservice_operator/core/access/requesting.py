# SPDX-License-Identifier: Apache-2.0
"""R3: who asks for a web service, and how each stands: what its holder and the consumer both read."""

from __future__ import annotations

from collections import defaultdict

from eservice_operator.api.reasons import Reason
from eservice_operator.api.uses import Use
from eservice_operator.api.webservice_status import AccessRequest, RequestState
from eservice_operator.core.access.asking import consumer_finding
from eservice_operator.core.access.case import Consumer, GrantCase, Order, UseCase
from eservice_operator.core.access.lacking import lack_of
from eservice_operator.core.access.terms import Answer, Times, is_open_question
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.conditions import told

GrantsByConsumer = dict[tuple[str, str], tuple[GrantCase, ...]]
"""By namespace and name of the EService."""
ORDER = tuple(RequestState)
"""Those that wait for an answer come first."""


def requests_of(world: WebServiceWorld, times: Times) -> tuple[AccessRequest, ...]:
    """Every request for a web service, each once; those that nobody has answered come first.

    Only an EService that its registration has placed, in the environment of the web service, is a request:
    anybody with a namespace can write an EService, and nobody could grant the others anything.
    """
    grants = _by_consumer(world)
    found = {
        _identity(order): _request(order.consumer, order.use, use_standing(case, order.consumer, times))
        for order in world.orders
        if is_open_question(consumer_finding(order.consumer, world.offer, ""))
        and (case := _case(world, order, grants)) is not None
    }
    return tuple(request for _, request in sorted(found.items(), key=_rank))


def _by_consumer(world: WebServiceWorld) -> GrantsByConsumer:
    found: defaultdict[tuple[str, str], list[GrantCase]] = defaultdict(list)
    for grant in world.grants:
        named = grant.grant.spec.consumer
        found[named.namespace, named.name].append(grant)
    return {consumer: tuple(grants) for consumer, grants in found.items()}


Identity = tuple[str, str, str, str, str]
"""Namespace and name of the EService, contract version, and the assignment, as a customer or its agent: what
a use is called is its own."""


def _identity(order: Order) -> Identity:
    namespace, name = order.consumer.place
    use = order.use
    return namespace, name, use.contract_version or "", use.agent or "", use.as_agent or ""


def _rank(entry: tuple[Identity, AccessRequest]) -> tuple[int, Identity]:
    identity, request = entry
    return ORDER.index(request.state), identity


def _case(world: WebServiceWorld, order: Order, grants: GrantsByConsumer) -> UseCase | None:
    """What the consumer sees of its use; none where it asks for another web service."""
    use = order.use
    if use.web_service != world.offer.web_service.reference:
        return None
    agent = next((one for one in world.agents if one.assignment.metadata.name == use.agent), None)
    answers = grants.get(order.consumer.place, ())
    return UseCase(use, world.offer, answers, agent, order.unread, order.bound)


def _request(consumer: Consumer, use: Use, standing: UseStanding) -> AccessRequest:
    namespace, name = consumer.place
    registration = consumer.registration
    return AccessRequest(
        namespace=namespace,
        e_service=name,
        registration=consumer.service.spec.registration,
        institution="" if registration is None else registration.spec.institution.name,
        contract_version=use.contract_version,
        agent=use.agent,
        as_agent=use.as_agent,
        state=request_state(standing),
        grant=None if standing.grant is None else standing.grant.grant.metadata.name,
        message=told(_message(standing)),
    )


def _message(standing: UseStanding) -> str:
    """What its consumer reads, too; but for what that may not know, which its holder does."""
    if request_state(standing) is RequestState.WAITING and standing.reason is Reason.ACCESS_NOT_GRANTED:
        return "no grant yet"
    lack = lack_of(standing)
    return standing.message if lack is None else lack.message


def request_state(standing: UseStanding) -> RequestState:
    """How far a request has got."""
    match standing.answer:
        case Answer.ALLOWED:
            return RequestState.GRANTED if lack_of(standing) is None else RequestState.PENDING
        case Answer.REFUSED:
            return RequestState.REFUSED
        case Answer.OVER:
            return RequestState.ENDED
        case Answer.WAITING | Answer.UNCLEAR:
            answered = standing.grant is not None or standing.agent is not None
            return RequestState.PENDING if answered else RequestState.WAITING
