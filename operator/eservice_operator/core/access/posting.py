# SPDX-License-Identifier: Apache-2.0
"""The ledger of a web service: what became of notices, and what its holder is told of now (R3, R10).

Entries stand for one contract version, or one request, each: the newest that is told of it makes untrue what
is still on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.abandoned import addressed, in_reach
from eservice_operator.core.access.ladder import Term, climb, next_climb
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.web_service_tidings import about, dated, of_requests, retirements, waiting
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.addressees import Recipient, entries, holder_and_sinks
from eservice_operator.core.ledger import Notices, enter, fold, next_try, on_its_way, withdraw
from eservice_operator.core.policy import Policy
from eservice_operator.core.tidings import Tiding

DATED: Final = frozenset({NoticeKind.ACCESS_ENDING, NoticeKind.CONTRACT_RETIRING})


def web_service_told(
    world: WebServiceWorld, status: WebServiceStatus, now: datetime, policy: Policy
) -> WebServiceStatus:
    """The new status of a web service with its ledger, and with which ends the holder was warned of."""
    web_service, times = world.offer.web_service, Times.under(policy, now)
    old = web_service.status
    notices = fold(old.notices, world.deliveries)
    notices = _without_answered(notices, status, world.under_way)
    tidings, warned = of_requests(world, status, notices, times), old.warned
    if policy.clock_trusted and world.offer.confirmed:
        ends = tuple(retirements(web_service, times))
        notices = _without_other_days(notices, ends, world.under_way)
        climbed = climb(ends, old.warned, times)
        tidings, warned = (*tidings, *climbed.tidings), climbed.warned
    everybody = holder_and_sinks(policy, world.contact)
    notices = _told(notices, tidings, web_service.metadata.uid, now, everybody, world.under_way)
    notices = in_reach(notices, policy)
    if world.offer.confirmed:  # else nothing is sent, and what waits, waits
        notices = addressed(notices, everybody, under_way=world.under_way)
    return status.model_copy(
        update={
            "requests": dated(old, status, times),
            "notices": notices,
            "warned": warned,
        }
    )


def _told(
    notices: Notices,
    tidings: Iterable[Tiding],
    uid: str,
    now: datetime,
    everybody: tuple[Recipient, ...],
    under_way: Collection[str],
) -> Notices:
    for tiding in tidings:
        older = [one.id for one in notices if one.about == tiding.about and on_its_way(one)]
        if tiding.kind is not NoticeKind.ACCESS_REQUESTED:
            notices = withdraw(notices, older, "something newer is told", under_way=under_way)
        notices = enter(notices, entries(tiding, uid, now, everybody))
    return notices


def _without_other_days(notices: Notices, ends: Iterable[Term], under_way: Collection[str]) -> Notices:
    """The ledger without anything to send of a last day that is another one by now, or over."""
    if not any(one.kind in DATED and on_its_way(one) for one in notices):
        return notices
    days = {(term.version, term.day) for term in ends}
    outdated = [one.id for one in notices if one.kind in DATED and (one.about, one.due) not in days]
    return withdraw(notices, outdated, "no longer to come", under_way=under_way)


def _without_answered(notices: Notices, status: WebServiceStatus, under_way: Collection[str]) -> Notices:
    """The ledger without anything to send of a request that was answered, or taken back."""
    if not any(one.kind is NoticeKind.ACCESS_REQUESTED and on_its_way(one) for one in notices):
        return notices
    open_ = {about(request) for request in waiting(status)}
    outdated = [one.id for one in notices if _is_request(one) and one.about not in open_]
    return withdraw(notices, outdated, "it was answered, or taken back", under_way=under_way)


def _is_request(notice: Notice) -> bool:
    return notice.kind is NoticeKind.ACCESS_REQUESTED


def next_of_web_service(
    world: WebServiceWorld, status: WebServiceStatus, now: datetime, policy: Policy
) -> datetime | None:
    """The next instant at which the ledger of a web service has something to do by time alone."""
    times = Times.under(policy, now)
    step = next_climb(retirements(world.offer.web_service, times), times)
    return _earliest(next_try(status.notices) if world.offer.confirmed else None, step)


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)
