# SPDX-License-Identifier: Apache-2.0
"""The ledgers of decisions, EServices and templates: what became of notices, and who is told of what now.

The ledger of a decision is in its own status, and tells of what is to come (R8); that of an EService tells of
what is due and of what happened. Without channels there are no entries, and Events say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.lifecycle import Enforcement, Lifecycle
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.core.addressees import entries, recipients, told_before
from eservice_operator.core.dates import local_day
from eservice_operator.core.decision_tidings import (
    announced_anew,
    next_step,
    of_decision,
    passed_step,
    warning_steps,
)
from eservice_operator.core.facts import Facts
from eservice_operator.core.heard import next_of_uses
from eservice_operator.core.held_tidings import announced_as_held, of_hold
from eservice_operator.core.holds import foreseen_hold
from eservice_operator.core.ledger import ANNOUNCING, Notices, enter, fold, informed_at, next_try, room
from eservice_operator.core.overtaken import overtaken, overtaken_by_newer, overtaken_of_service
from eservice_operator.core.records import revised
from eservice_operator.core.tidings import Tiding, of_change, of_duty
from eservice_operator.core.unpublication import governing_decision, is_open, judge
from eservice_operator.core.use_tidings import of_uses, without_older, without_outdated

ENFORCED_KINDS = frozenset(
    {
        NoticeKind.MIGRATION_DUE,
        NoticeKind.MIGRATION_OVERDUE,
        NoticeKind.VERSION_WITHDRAWN,
        NoticeKind.OVERDUE_EXPECTED,
    }
)
"""What a policy that only observes tells nobody of."""
RECALL = frozenset({NoticeKind.VERSION_WITHDRAWN})
DATED_KINDS = ENFORCED_KINDS - RECALL | {NoticeKind.INSTALLATION_OVERDUE}
"""What becomes true by time alone: a clock that is not trusted tells nobody of it."""
THAT_DAY = frozenset({NoticeKind.UNPUBLISHED, NoticeKind.REPUBLISHED, NoticeKind.ACCESS_ENDED})
"""What tells of something that happened on the very day."""
TO_COME = frozenset({DecisionState.SCHEDULED, DecisionState.HELD})


def announced(
    facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus
) -> UnpublishDecisionStatus:
    """The judged status of a decision with its ledger, and with how far the institution was told (R8).

    Days to come are not told by a clock that is not trusted: the ladder waits, and goes on from where it was.
    """
    old, now = decision.status, facts.now
    notices = fold(old.notices, facts.world.deliveries)
    notices = overtaken(notices, old, judged, facts.world.under_way)
    informed = judged.informed_at or informed_at(notices, judged.announced_at)
    lifecycle = facts.lifecycle(decision.spec.release.template)
    tiding = None
    speaks = facts.policy.clock_trusted or judged.state not in TO_COME
    if speaks and (not _observes(lifecycle) or judged.state is DecisionState.CLOSED):
        steps = () if lifecycle is None else lifecycle.warn_before
        tiding = of_decision(old, judged, informed, steps, now, facts.policy.zone)
        if tiding is not None and _untold(facts, decision, judged, tiding):
            tiding = None
        if tiding is not None and tiding.kind in ANNOUNCING:
            tiding = replace(tiding, held=announced_as_held(facts, decision, judged))
        notices = _told(facts, decision, notices, tiding or _hold(facts, decision, notices, judged))
        if facts.policy.channels and informed is None and judged.state in TO_COME:
            # who finds no room waits: noting that at each look would write without end
            others = _never_told(facts, decision, notices, judged)
            notices = enter(notices, islice(others, room(notices)))
    warned = old.warned_at if tiding is None else now
    return revised(judged, notices=notices, informed_at=informed, warned_at=warned)


def _untold(
    facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus, tiding: Tiding
) -> bool:
    """Whether nobody is told: of a day on which it would be held, or of another day while nothing is public.

    What was deleted and created again hears of the other day once it is public.
    """
    if tiding.kind is NoticeKind.UNPUBLISH_WARNING:
        return not _warns(facts, decision)
    moved = tiding.kind is NoticeKind.UNPUBLISH_MOVED and not announced_anew(decision.status, judged)
    return moved and facts.public_template is None


def _warns(facts: Facts, decision: UnpublishDecision) -> bool:
    """Whether the ladder goes on: not towards a day on which the decision would be held, as is known."""
    if facts.public_template is None:
        return False
    scheduled = is_open(decision) and judge(facts, decision).state is DecisionState.SCHEDULED
    return scheduled and foreseen_hold(facts, decision) is None


def _told(facts: Facts, decision: UnpublishDecision, notices: Notices, tiding: Tiding | None) -> Notices:
    if tiding is None or not facts.policy.channels:
        return notices
    everybody = recipients(facts.policy, facts.world.registration)
    notices = overtaken_by_newer(notices, facts.world.under_way, tiding)
    return enter(notices, entries(tiding, decision.metadata.uid, facts.now, everybody))


def _hold(
    facts: Facts, decision: UnpublishDecision, notices: Notices, judged: UnpublishDecisionStatus
) -> Tiding | None:
    """That it is held, if nobody was told this before."""
    tiding = of_hold(facts, notices, judged)
    told = tiding is not None and told_before(notices, tiding, decision.metadata.uid)
    return None if told else tiding


def _never_told(
    facts: Facts, decision: UnpublishDecision, notices: Notices, judged: UnpublishDecisionStatus
) -> Iterator[Notice]:
    """While nobody of the institution is informed: whoever can be reached now and was told of nothing yet."""
    if judged.effective_at is None:
        return
    tried = {(notice.channel, notice.recipient) for notice in notices}
    everybody = recipients(facts.policy, facts.world.registration)
    others = [one for one in everybody if (one.channel, one.address) not in tried]
    day = local_day(judged.effective_at, facts.policy.zone)
    held = bool(others) and announced_as_held(facts, decision, judged)
    tiding = Tiding(NoticeKind.UNPUBLISH_SCHEDULED, "decided", day, held)
    yield from entries(tiding, decision.metadata.uid, facts.now, others)


def _observes(lifecycle: Lifecycle | None) -> bool:
    return lifecycle is not None and lifecycle.enforcement is Enforcement.OBSERVE


def with_notices(facts: Facts, new: EServiceStatus) -> EServiceStatus:
    """The new status of an EService with its ledger: what became of notices, and what the change tells."""
    old, uid = facts.world.service.status, facts.world.service.metadata.uid
    notices, under_way = fold(old.notices, facts.world.deliveries), facts.world.under_way
    notices = without_outdated(overtaken_of_service(notices, new, under_way), uid, new.uses, under_way)
    if facts.stands and facts.policy.channels:
        for tiding in (*_of_release(facts, old, new), *of_uses(old, new)):
            if not told_before(notices, tiding, uid):
                everybody = recipients(facts.policy, facts.world.registration)
                dated = replace(tiding, due=facts.today) if tiding.kind in THAT_DAY else tiding
                notices = overtaken_by_newer(notices, under_way, dated)
                notices = without_older(notices, dated, under_way)
                notices = enter(notices, entries(dated, uid, facts.now, everybody))
    return new.model_copy(update={"notices": notices}) if notices else new


def _of_release(facts: Facts, old: EServiceStatus, new: EServiceStatus) -> Iterator[Tiding]:
    """R5 to R8: what is told of what runs in Production, as far as the policy tells anybody."""
    if not facts.production:
        return
    silent = ENFORCED_KINDS if _observes(_public_lifecycle(facts)) else frozenset()
    silent |= frozenset() if facts.policy.clock_trusted else DATED_KINDS
    silent |= RECALL if _has_its_day(facts) else frozenset()
    told = (*of_change(old, new), *of_duty(old, new, facts.today))
    yield from (tiding for tiding in told if tiding.kind not in silent)


def warned_at(facts: Facts) -> datetime | None:
    """Up to when people were warned of an unpublication, or under the policy Warn of being overdue (R8)."""
    governing = governing_decision(facts)
    if governing is not None:
        return governing.status.warned_at
    day, lifecycle = _expected(facts)
    public = facts.public_template
    if day is None or lifecycle is None or public is None:
        return None
    told = facts.world.service.status.template
    same = (told.name, told.version, told.overdue_since) == (public.name, public.version, day)
    if not facts.policy.clock_trusted:
        return told.warned_at if same else None
    if told.warned_at is None or not same:
        return facts.now
    steps = warning_steps(day, lifecycle.warn_before, facts.policy.zone)
    return told.warned_at if passed_step(steps, told.warned_at, facts.now) is None else facts.now


def _expected(facts: Facts) -> tuple[date | None, Lifecycle | None]:
    """The day from which the public release is overdue under a policy that warns of it, and that policy."""
    lifecycle, lag = _public_lifecycle(facts), facts.public_lag
    warns = lifecycle is not None and lifecycle.enforcement is Enforcement.WARN
    if not facts.production or not warns or lag is None:
        return None, None
    return lag.overdue_since, lifecycle


def _has_its_day(facts: Facts) -> bool:
    """Whether a recall comes with the last day of services on the version, which is told by itself (R8)."""
    used = None if facts.public_template is None else facts.version(facts.public_template)
    return used is not None and used.replace_by is not None


def _public_lifecycle(facts: Facts) -> Lifecycle | None:
    return None if facts.public_template is None else facts.lifecycle(facts.public_template)


def next_notice(facts: Facts) -> datetime | None:
    """The next instant, maybe past, at which people are warned or a notice is tried again."""
    return min(_instants(facts), default=None)


def _instants(facts: Facts) -> Iterator[datetime]:
    ledgers = [facts.world.service.status.notices, *(one.status.notices for one in facts.decisions)]
    yield from (at for at in map(next_try, ledgers) if at is not None)
    steps = (next_step(steps, facts.now) for _, steps in ladders(facts))
    yield from (step for step in steps if step is not None)
    yield from next_of_uses(facts)


def ladders(facts: Facts) -> Iterator[tuple[UnpublishDecision | None, tuple[datetime, ...]]]:
    """The steps of warnBefore by which people are warned, past ones too, each ladder with its decision.

    Without a decision it is that of a policy which only warns.
    """
    for decision in facts.decisions:
        lifecycle = facts.lifecycle(decision.spec.release.template)
        if lifecycle is not None and _warns(facts, decision):
            at = judge(facts, decision).effective_at
            yield decision, _steps(facts, None if at is None else local_day(at, facts.policy.zone), lifecycle)
    if governing_decision(facts) is None:
        yield None, _steps(facts, *_expected(facts))


def _steps(facts: Facts, day: date | None, lifecycle: Lifecycle | None) -> tuple[datetime, ...]:
    if day is None or lifecycle is None:
        return ()
    return warning_steps(day, lifecycle.warn_before, facts.policy.zone)
