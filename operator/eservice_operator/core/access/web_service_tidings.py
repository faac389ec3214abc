# SPDX-License-Identifier: Apache-2.0
"""R3, R10: what the holder of a web service is told: who asks for it, and whom the end of a version meets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from eservice_operator.api.notices import NoticeKind
from eservice_operator.api.webservice import WebService
from eservice_operator.api.webservice_status import (
    MOST_LISTED,
    AccessRequest,
    RequestState,
    WebServiceStatus,
)
from eservice_operator.core.access.asking import consumer_finding
from eservice_operator.core.access.case import Order
from eservice_operator.core.access.ladder import Term
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.ledger import Notices
from eservice_operator.core.tidings import Tiding

DAY: Final = timedelta(hours=24)
MOST_A_DAY: Final = 10
"""Of more requests than that within 24 hours a holder learns from the status: letters name how many wait."""

Asked = tuple[str, str, str | None, str | None]
"""Namespace and name of the e-service, contract version, agent."""


def of_requests(
    world: WebServiceWorld, new: WebServiceStatus, notices: Notices, times: Times
) -> tuple[Tiding, ...]:
    """Who asks since the last status, and has no answer; nothing of those who asked before the first one.

    A holder whose namespace nobody has confirmed is told nothing, and neither is it of an e-service that may
    call nothing, or of a contract version that there is not: everybody can write such a request.
    """
    old = world.offer.web_service.status
    if old.observed_generation < 0 or old.waiting_count > MOST_LISTED or not world.offer.confirmed:
        return ()
    known = {_asked(request) for request in old.requests}
    fresh = [request for request in waiting(new) if _asked(request) not in known]
    if not fresh:
        return ()
    heard = {_of_order(order) for order in world.orders if _counts(order, world)}
    tidings = [
        Tiding(NoticeKind.ACCESS_REQUESTED, about(request), about=about(request))
        for request in fresh
        if _asked(request) in heard
    ]
    told = {
        notice.about
        for notice in notices
        if notice.kind is NoticeKind.ACCESS_REQUESTED and notice.entered > times.now - DAY
    }
    return tuple(tidings[: max(0, MOST_A_DAY - len(told))])


def waiting(status: WebServiceStatus) -> Iterator[AccessRequest]:
    """The requests that nobody has answered."""
    return (request for request in status.requests if request.state is RequestState.WAITING)


def dated(old: WebServiceStatus, new: WebServiceStatus, times: Times) -> tuple[AccessRequest, ...]:
    """The requests that are listed, each with since when it has its state."""
    known = {(_asked(request), request.state): request.since for request in old.requests}
    return tuple(
        request.model_copy(update={"since": known.get((_asked(request), request.state)) or times.now})
        for request in new.requests
    )


def about(request: AccessRequest) -> str:
    """A request in one line, as the ledger names it."""
    version = f" {request.contract_version}" if request.contract_version else ""
    through = f" through {request.agent}" if request.agent else ""
    return f"{request.namespace}/{request.e_service}{version}{through}"


def _asked(request: AccessRequest) -> Asked:
    return request.namespace, request.e_service, request.contract_version, request.agent


def _of_order(order: Order) -> Asked:
    return (*order.consumer.place, order.use.contract_version, order.use.agent)


def _counts(order: Order, world: WebServiceWorld) -> bool:
    version = order.use.contract_version
    if version is not None and world.offer.web_service.contract(version) is None:
        return False
    return consumer_finding(order.consumer, world.offer, "") is None


def retirements(web_service: WebService, times: Times) -> Iterator[Term]:
    """The ends to come of its contract versions."""
    for contract in web_service.spec.contracts:
        end = contract.end_of_life
        if end is not None and end >= times.today:
            yield Term(NoticeKind.CONTRACT_RETIRING, contract.version, end)
