# SPDX-License-Identifier: Apache-2.0
"""R8: the instant of an unpublication: promised when it is decided, and moved later only.

Every limit that is used here can be shortened later; what was announced by then is kept all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from eservice_operator.api.base import revoked_by
from eservice_operator.api.decisions import (
    DecisionState,
    UnpublishDecision,
    UnpublishDecisionStatus,
    UnpublishDeferral,
)
from eservice_operator.api.lifecycle import Enforcement, Lifecycle
from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import (
    Period,
    add_period,
    day_after_end,
    local_day,
    parse_period,
    start_of_day,
)
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.lag import Lag
from eservice_operator.core.policy import Policy

LOST_GROUND = frozenset({Reason.TEMPLATE_UNKNOWN, Reason.NOT_ENFORCED, Reason.NO_LONGER_OVERDUE})
"""What holds a decision until somebody edits the template, maybe for years."""


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


class Instant(NamedTuple):
    """When a decision takes effect, and what that comes from."""

    at: datetime
    until: date | None
    """The last day of the deferral that moves it."""
    deferral: str | None
    """The name of that deferral."""
    undeferred: datetime
    """When it would take effect without: this is never earlier than it was announced."""


def _deferred_until(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle | None,
    day: date,
    zone: ZoneInfo,
) -> tuple[date, str] | None:
    """The last day of the deferral that is honoured on a day: the latest, capped from the promised day.

    One that was honoured once stays so until it ends or is revoked, whatever the cap says later. Without
    the template the cap is unknown: then nothing new is honoured.
    """
    if not deferrals:
        return None
    promised, status = local_day(decision.spec.effective_at, zone), decision.status
    cap = None if lifecycle is None else add_period(promised, parse_period(lifecycle.maximum_deferral))
    found: list[tuple[date, str]] = []
    for deferral in deferrals:
        if revoked_by(day, deferral.spec.revoked) is not None:
            continue
        name, limits = deferral.metadata.name, [] if cap is None else [cap]
        if name == status.deferral and status.deferred_until is not None:
            limits.append(status.deferred_until)
        if limits:
            found.append((min(deferral.spec.until, max(limits)), name))
    last = max(found, default=None)
    return None if last is None or last[0] < promised else last


def ground_day(lifecycle: Lifecycle | None, lag: Lag | None) -> date | None:
    """The first day with a ground for taking effect: overdue and enforced. None when none is known."""
    if lifecycle is None or lag is None or lag.overdue_since is None:
        return None
    if lifecycle.enforcement is not Enforcement.ENFORCE:
        return None
    return max(lag.overdue_since, lifecycle.enforce_from or lag.overdue_since)


def lapsed(status: UnpublishDecisionStatus) -> bool:
    """Whether the announced instant passed without a ground: nobody reckons with the decision any more."""
    return status.state is DecisionState.HELD and status.reason in LOST_GROUND


def announced_anew(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle,
    ground: date | None,
    now: datetime,
    day: date,
    zone: ZoneInfo,
) -> UnpublishDecision:
    """A decision announced anew at ``now`` where nobody reckons with its day; any other as it is.

    That is one which lapsed, once its ground is there again or known to come, and one whose deferral ended
    before its day, by what stands on ``day``.
    """
    revived = ground is not None and lapsed(decision.status)
    if revived or _cut_short(decision, deferrals, lifecycle, ground, day, zone):
        return with_notice(decision, lifecycle, now)
    return decision


def _cut_short(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle,
    ground: date | None,
    day: date,
    zone: ZoneInfo,
) -> bool:
    """Whether a deferral ended early, by revocation or deletion, and left people no time."""
    status = decision.status
    if status.reason != Reason.DEFERRED or status.deferred_until is None or status.deferred_until < day:
        return False
    found = effective_at(decision, deferrals, lifecycle, day, zone, ground)
    return found.until != status.deferred_until and found.at < end_of_last_step(day, lifecycle, zone)


def with_notice(decision: UnpublishDecision, lifecycle: Lifecycle, now: datetime) -> UnpublishDecision:
    """A decision announced anew now, unless the policy gives nobody notice.

    A release by the Agency was of another wave.
    """
    status = decision.status
    change: dict[str, datetime | None] = {}
    if status.released_at is not None:
        change |= {"hold_token": None, "held_since": None, "released_at": None}
    if _last_day_of_notice(date.min, lifecycle) > date.min:
        change |= {"announced_at": now, "informed_at": None}
    if not change:
        return decision
    return decision.model_copy(update={"status": status.model_copy(update=change)})


def end_of_last_step(day: date, lifecycle: Lifecycle, zone: ZoneInfo) -> datetime:
    """What leaves time for the last warning on ``day`` takes effect at this instant or later."""
    return day_after_end(_last_step(day, lifecycle), zone)


def _last_day_of_notice(day: date, lifecycle: Lifecycle) -> date:
    """The last day before what is announced anew on ``day`` takes effect: one warning has its time."""
    return max(add_period(day, parse_period(lifecycle.notice_period)), _last_step(day, lifecycle))


def _last_step(day: date, lifecycle: Lifecycle) -> date:
    return min((add_period(day, parse_period(step)) for step in lifecycle.warn_before), default=day)


def effective_at(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    lifecycle: Lifecycle | None,
    day: date,
    zone: ZoneInfo,
    ground: date | None = None,
) -> Instant:
    """When a decision takes effect by what is known on a day.

    Never before the promise, nor before what was announced; only the end of a deferral takes a date
    back, and where that leaves no time it is announced anew (`with_notice`). The notice period counts from
    the first accepted notice, or else from the decision. A ``ground`` to come on a later day is waited for.
    """
    undeferred = _undeferred(decision, lifecycle, zone)
    if ground is not None and ground > day and decision.status.state is not DecisionState.EFFECTIVE:
        undeferred = max(undeferred, start_of_day(ground, zone))
    deferred = _deferred_until(decision, deferrals, lifecycle, day, zone)
    if deferred is None:
        return Instant(undeferred, None, None, undeferred)
    until, name = deferred
    return Instant(max(undeferred, day_after_end(until, zone)), until, name, undeferred)


def instant_of(
    decision: UnpublishDecision,
    deferrals: Collection[UnpublishDeferral],
    known: KnownTemplate,
    now: datetime,
    policy: Policy,
    day: date,
) -> datetime:
    """When a decision takes effect, by the deferrals that stand on a day, and by the wait for a renewal."""
    lifecycle, zone = known.template.spec.lifecycle, policy.zone
    lag = known.lag(decision.spec.release.template.version, local_day(now, zone))
    ground = ground_day(lifecycle, lag)
    if policy.clock_trusted:
        decision = announced_anew(decision, deferrals, lifecycle, ground, now, day, zone)
    at = effective_at(decision, deferrals, lifecycle, day, zone, ground).at
    status = decision.status
    waits = status.state is DecisionState.HELD and status.reason == Reason.RENEWAL_UNDER_WAY
    if status.fairness is None or not waits:
        return at
    return max(at, day_after_end(status.fairness.until, zone))


def _undeferred(decision: UnpublishDecision, lifecycle: Lifecycle | None, zone: ZoneInfo) -> datetime:
    status = decision.status
    at = max(decision.spec.effective_at, status.undeferred_at or decision.spec.effective_at)
    if lifecycle is None or status.state is DecisionState.EFFECTIVE:
        return at
    if status.announced_at is not None:
        last = _last_day_of_notice(local_day(status.announced_at, zone), lifecycle)
        at = max(at, day_after_end(last, zone))
    notice = parse_period(lifecycle.notice_period)
    if not _any(notice):
        return at
    begun = local_day(status.informed_at or decision.spec.decided_at, zone)
    return max(at, day_after_end(add_period(begun, notice), zone))


def _any(period: Period) -> bool:
    return bool(period.months or period.days)
