# SPDX-License-Identifier: Apache-2.0
"""R8: what holds a decision whose instant has come, each reason a small function of its own.

The order in which they are asked is ``unpublication``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDeferral
from eservice_operator.api.ground import Fairness
from eservice_operator.api.reasons import Reason
from eservice_operator.core import promise
from eservice_operator.core.brake import Brake
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period
from eservice_operator.core.facts import Facts
from eservice_operator.core.fairness import holds


@dataclass(frozen=True, slots=True)
class Finding:
    """The state a decision is in, and why."""

    state: DecisionState
    reason: Reason
    message: str


def effective_at(facts: Facts, decision: UnpublishDecision) -> promise.Instant:
    """When a decision takes effect by what is known now.

    A deferral that stood goes on standing while nothing can be announced: who was told its day is told
    another one first.
    """
    known = facts.effects.get(decision.metadata.name)
    if known is None or known[0] is not decision:
        known = facts.effects[decision.metadata.name] = decision, _effective_at(facts, decision)
    return known[1]


def _effective_at(facts: Facts, decision: UnpublishDecision) -> promise.Instant:
    lifecycle, status = facts.lifecycle(decision.spec.release.template), decision.status
    ground, zone = _ground(facts, decision), facts.policy.zone
    found = promise.effective_at(decision, _deferrals(facts), lifecycle, facts.today, zone, ground)
    stood = status.deferred_until if status.reason == Reason.DEFERRED else None
    if lifecycle is not None and facts.policy.clock_trusted:
        return found
    if stood is None or stood < facts.today or (found.until is not None and found.until >= stood):
        return found
    at = max(found.undeferred, day_after_end(stood, zone))
    return found._replace(at=at, until=stood, deferral=status.deferral)


def announced_anew(facts: Facts, decision: UnpublishDecision) -> UnpublishDecision:
    """A decision announced anew where nobody reckons with its day; days to come need the clock."""
    lifecycle = facts.lifecycle(decision.spec.release.template)
    if not facts.policy.clock_trusted or lifecycle is None:
        return decision
    ground, zone = _ground(facts, decision), facts.policy.zone
    return promise.announced_anew(
        decision, _deferrals(facts), lifecycle, ground, facts.now, facts.today, zone
    )


def _ground(facts: Facts, decision: UnpublishDecision) -> date | None:
    template = decision.spec.release.template
    return promise.ground_day(facts.lifecycle(template), facts.lag(template))


def _deferrals(facts: Facts) -> list[UnpublishDeferral]:
    return [
        deferral
        for deferral in facts.world.deferrals
        if (deferral.spec.e_service.namespace, deferral.spec.e_service.name) == facts.place
    ]


def foreseen_hold(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What will hold a decision at its instant, by the policy and the dates as they are now.

    None when it is going to take effect by what is known; a wait that depends on people is not foreseen.
    """
    at = effective_at(facts, decision).at
    return unfounded(facts, decision, local_day(max(at, facts.now), facts.policy.zone))


def unfounded(facts: Facts, decision: UnpublishDecision, day: date) -> Finding | None:
    """What a decision lacks on a day for taking effect: a known template, enforcement, or the lag itself."""
    return groundless(facts, decision.spec.release.template, day)


def groundless(facts: Facts, template: TemplateRef, day: date) -> Finding | None:
    """What a template version lacks on a day for an unpublication."""
    lag = facts.lag(template)
    if lag is None:
        text = "the template or its version is unknown; an unknown template never unpublishes"
        return Finding(DecisionState.HELD, Reason.TEMPLATE_UNKNOWN, text)
    if not facts.enforces(template, day):
        when = "today" if day == facts.today else f"on {day}"
        text = f"the template's policy does not enforce {when}"
        return Finding(DecisionState.HELD, Reason.NOT_ENFORCED, text)
    if not lag.overdue(day):
        text = "by the template's present dates the release is not overdue"
        return Finding(DecisionState.HELD, Reason.NO_LONGER_OVERDUE, text)
    return None


def lapse(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What lapsed stays so while the clock is not trusted: then it cannot be announced anew."""
    status = decision.status
    if facts.policy.clock_trusted or not promise.lapsed(status):
        return None
    text = "there is a ground for it again: it is announced anew once the operator's clock is trusted"
    return unfounded(facts, decision, facts.today) or Finding(status.state, Reason(status.reason or ""), text)


def clock(facts: Facts) -> Finding | None:
    """The wall clock cannot be believed."""
    if facts.policy.clock_trusted:
        return None
    text = "the operator's clock differs from the API server's by more than 5 minutes"
    return Finding(DecisionState.HELD, Reason.CLOCK_SKEW, text)


def renewal(facts: Facts, decision: UnpublishDecision, wait: Fairness | None) -> Finding | None:
    """The institution has done its part of a renewal: it waits for others, once."""
    if wait is None or not holds(facts, decision, wait):
        return None
    wanted = facts.wanted.template
    text = (
        f"the institution has done its part of the renewal to {wanted.name} {wanted.version}:"
        f" it waits for others until {wait.until}, that day included, and no longer"
    )
    return Finding(DecisionState.HELD, Reason.RENEWAL_UNDER_WAY, text)


def uninformed_until(facts: Facts, decision: UnpublishDecision, at: datetime) -> datetime | None:
    """Until when a decision that would take effect at ``at`` waits for its first accepted notice.

    None when it waits for none: it was accepted, or no channel is set up.
    """
    lifecycle = facts.lifecycle(decision.spec.release.template)
    if not facts.policy.channels or decision.status.informed_at is not None or lifecycle is None:
        return None
    zone = facts.policy.zone
    last = add_period(local_day(at, zone), parse_period(lifecycle.hold_uninformed))
    return day_after_end(last, zone)


def uninformed(facts: Facts, decision: UnpublishDecision, at: datetime) -> Finding | None:
    """No notice has been accepted yet: it waits for one, ``holdUninformed`` at most."""
    until = uninformed_until(facts, decision, at)
    if until is None or facts.now >= until:
        return None
    local = until.astimezone(facts.policy.zone)
    text = (
        f"no notice to the institution has been accepted yet: it waits for one until {local:%Y-%m-%d %H:%M}"
    )
    return Finding(DecisionState.HELD, Reason.NOTICE_UNDELIVERED, text)


def frozen(decision: UnpublishDecision, released_at: datetime | None) -> Finding | None:
    """The brake took it into a set that the Agency has not released."""
    token = decision.status.hold_token
    if token is None or released_at is not None:
        return None
    template = decision.spec.release.template.name
    text = (
        f"too many would take effect within 24 hours: held as part of the set {token} until the Agency"
        f" releases it (kubectl eservice release-brake {template})"
    )
    return Finding(DecisionState.HELD, Reason.BRAKE, text)


def braked(facts: Facts, decision: UnpublishDecision, released_at: datetime | None) -> Finding | None:
    """The brake engages, and the reconcile of the template has not given the decision its token yet."""
    template = decision.spec.release.template
    known = facts.world.templates.get(template.name)
    if released_at is not None or known is None:
        return None
    fleet = facts.world.fleet(template.name)
    if not Brake(known, fleet, facts.now, facts.policy).engages(decision):
        return None
    text = "too many would take effect within 24 hours: the brake is taking it into a set"
    return Finding(DecisionState.HELD, Reason.BRAKE, text)
