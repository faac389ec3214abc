# SPDX-License-Identifier: Apache-2.0
"""R10: the contract versions of a web service, and who still uses each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from eservice_operator.api.grant import ALL_VERSIONS
from eservice_operator.api.webservice import Contract, WebService
from eservice_operator.api.webservice_status import (
    MOST_LISTED,
    ContractState,
    ContractStatus,
    WebServiceConsumer,
)
from eservice_operator.core.access.case import Consumer, GrantCase
from eservice_operator.core.access.requesting import UNKNOWN, Request
from eservice_operator.core.access.standing import standings
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import WebServiceWorld

Place = tuple[str, str, str]
"""Namespace and name of an EService, and the assignment that it calls for, or an empty text."""
Consumers = dict[Place, Consumer]


def consumers_by_version(world: WebServiceWorld, times: Times) -> dict[str, Consumers]:
    """Who may call each contract version now; of REST all that are not retired, one as the other.

    An agent's application is one consumer, however many customers it calls for.
    """
    callers, served = _nobody(world), _served(world, times)
    for grant in world.grants:
        place, consumer = _place(grant), grant.consumer
        if place is None or consumer is None:
            continue
        for standing in standings(grant, times):
            named = served if standing.version == ALL_VERSIONS else {standing.version} & callers.keys()
            for version in named if standing.allowed else ():
                callers[version][place] = consumer
    return callers


def _nobody(world: WebServiceWorld) -> dict[str, Consumers]:
    return {contract.version: {} for contract in world.offer.web_service.spec.contracts}


def _served(world: WebServiceWorld, times: Times) -> set[str]:
    return {contract.version for contract in _unretired(world.offer.web_service, times)}


def _unretired(web_service: WebService, times: Times) -> Iterator[Contract]:
    for contract in web_service.spec.contracts:
        if contract_state(web_service, contract, times) is not ContractState.RETIRED:
            yield contract


def _place(grant: GrantCase) -> Place | None:
    """Who calls by a grant, where it is known who that is."""
    consumer, agent = grant.consumer, grant.grant.spec.agent
    if consumer is None or consumer.registration is None:
        return None
    return *consumer.place, "" if agent is None else agent.assignment


def _shown(
    place: Place, consumer: Consumer, *, through: bool = False, customers: int | None = None
) -> WebServiceConsumer:
    namespace, name, assignment = place
    registration = consumer.registration
    return WebServiceConsumer(
        namespace=namespace,
        e_service=name,
        institution=UNKNOWN if registration is None else registration.spec.institution.name,
        agent=None if through else assignment or None,
        customer_count=customers,
        through=assignment if through else None,
    )


def customers_by_version(
    world: WebServiceWorld, requests: Iterable[Request], times: Times
) -> dict[str, Consumers]:
    """R9: who may call each contract version through an agent now: they end with it as the agent does."""
    callers, served = _nobody(world), _served(world, times)
    for request in requests:
        standing, assignment = request.standing, request.standing.use.agent
        if assignment is None:
            continue
        named = served if ALL_VERSIONS in standing.versions else {*standing.versions} & callers.keys()
        for version in named:
            callers[version][*request.consumer.place, assignment] = request.consumer
    return callers


def contract_state(web_service: WebService, contract: Contract, times: Times) -> ContractState:
    """Where a contract version is in its life.

    While the clock is not trusted none retires, as nobody's access ends by it, and what did stays so: see
    `doubt`.
    """
    end = contract.end_of_life
    if end is None:
        return ContractState.OPEN
    over = end < times.today if times.trusted else _has_retired(web_service, contract)
    return ContractState.RETIRED if over else ContractState.RETIRING


def _has_retired(web_service: WebService, contract: Contract) -> bool:
    """Whether the status says so, of this very end."""
    return any(
        (one.version, one.end_of_life) == (contract.version, contract.end_of_life)
        and one.state is ContractState.RETIRED
        for one in web_service.status.contracts
    )


def next_end_of(web_service: WebService, times: Times) -> date | None:
    """The last day of the contract version that ends next, of those that are still served."""
    ends = (contract.end_of_life for contract in _unretired(web_service, times))
    return min((end for end in ends if end is not None), default=None)


def contract_statuses(
    world: WebServiceWorld, callers: dict[str, Consumers], customers: dict[str, Consumers], times: Times
) -> tuple[ContractStatus, ...]:
    """Each contract version in the order of the spec, with who is left on it: consumers, and customers."""
    web_service = world.offer.web_service
    return tuple(
        _status(
            contract,
            contract_state(web_service, contract, times),
            callers[contract.version],
            customers[contract.version],
        )
        for contract in web_service.spec.contracts
    )


def _status(
    contract: Contract, state: ContractState, callers: Consumers, customers: Consumers
) -> ContractStatus:
    through = Counter(assignment for *_, assignment in customers)
    listed = [
        _shown(place, callers[place], customers=through[place[2]] if place[2] else None)
        for place in sorted(callers)[:MOST_LISTED]
    ]
    room = MOST_LISTED - len(listed)
    listed += [_shown(place, customers[place], through=True) for place in sorted(customers)[:room]]
    return ContractStatus(
        version=contract.version,
        state=state,
        end_of_life=contract.end_of_life,
        consumer_count=len({place[:2] for place in callers}),
        customer_count=len({place[:2] for place in customers}),
        consumers=tuple(listed),
    )
