# SPDX-License-Identifier: Apache-2.0
"""R8: the instant of an unpublication: promised when it is decided, and moved later only.

Every limit that is used here can be shortened later; what was announced by then is kept all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from eservice_operator.api.decisions import (
    DecisionState,
    UnpublishDecision,
    UnpublishDecisionStatus,
    UnpublishDeferral,
)
from eservice_operator.api.template import Lifecycle
from eservice_operator.core.dates import (
    Period,
    add_period,
    day_after_end,
    local_day,
    parse_period,
    start_of_day,
)


def promise(
    overdue_since: date, enforce_from: date | None, notice: Period, decided_at: datetime, zone: ZoneInfo
) -> datetime:
    """The instant that a decision made at ``decided_at`` promises.

    It is the latest of: the decision itself, the start of ``overdue_since``, the start of ``enforce_from``,
    and the end of the last day of the notice period, counted from the local day of the decision.
    """
    days = (overdue_since,) if enforce_from is None else (overdue_since, enforce_from)
    at = max(decided_at, *(start_of_day(day, zone) for day in days))
    if not _any(notice):
        return at
    return max(at, day_after_end(add_period(local_day(decided_at, zone), notice), zone))


def deferred_until(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle | None,
    day: date,
    zone: ZoneInfo,
) -> date | None:
    """The last day of the deferral that is honoured on a day: the latest, capped from the promised day.

    What was honoured once stays so until its deferral ends or is revoked, whatever the cap says later.
    Without the template the cap is unknown: then nothing new is honoured.
    """
    ends = [
        deferral.spec.until
        for deferral in deferrals
        if deferral.spec.revoked is None or deferral.spec.revoked.at > day
    ]
    if not ends:
        return None
    last = max(ends)
    promised = local_day(decision.spec.effective_at, zone)
    honoured = decision.status.deferred_until
    limits = [] if honoured is None else [min(last, honoured)]
    if lifecycle is not None:
        limits.append(min(last, add_period(promised, parse_period(lifecycle.maximum_deferral))))
    until = max(limits, default=None)
    return until if until is not None and until >= promised else None


def effective_at(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle | None,
    day: date,
    zone: ZoneInfo,
) -> tuple[datetime, date | None]:
    """When a decision takes effect by what is known on a day, and the last day of a deferral that moves it.

    Never before the promise, nor before what its status announced; only the end of a deferral takes a date
    back. The notice period counts from the first accepted notice, or else from the decision.
    """
    undeferred = _undeferred(decision, lifecycle, zone)
    if not deferrals:
        return undeferred, None
    until = deferred_until(decision, deferrals, lifecycle, day, zone)
    if until is None:
        return undeferred, None
    return max(undeferred, day_after_end(until, zone)), until


def _undeferred(decision: UnpublishDecision, lifecycle: Lifecycle | None, zone: ZoneInfo) -> datetime:
    at, status = decision.spec.effective_at, decision.status
    if status.effective_at is not None and status.effective_at > at:
        at = max(at, _announced(status, zone) or at)
    if lifecycle is None or status.state is DecisionState.EFFECTIVE:
        return at
    notice = _period(lifecycle.notice_period)
    if not _any(notice):
        return at
    begun = local_day(status.informed_at or decision.spec.decided_at, zone)
    return max(at, day_after_end(add_period(begun, notice), zone))


def _announced(status: UnpublishDecisionStatus, zone: ZoneInfo) -> datetime | None:
    """The instant that was announced, unless it is that of a deferral, or of an effect that never came."""
    at, until = status.effective_at, status.deferred_until
    if at is None or (until is not None and at <= day_after_end(until, zone)):
        return None
    if status.state is DecisionState.EFFECTIVE and (
        status.effective_since is None or status.effective_since < at
    ):
        return None
    return at


_period = lru_cache(maxsize=256)(parse_period)


def _any(period: Period) -> bool:
    return bool(period.months or period.days)
