# SPDX-License-Identifier: Apache-2.0
"""R8: what becomes of a decision to unpublish, from being scheduled to being closed.

A decision is a record and a promise. Its instant is fixed when it is made and never moves earlier; a
deferral moves it later. Before it takes effect the facts must still hold (a template that vanished, or
a policy turned to Warn, holds it), the institution must have been told, and there must not be too many at
once; once in effect only renewal, the Agency's revocation or a deferral bring the e-service back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import (
    DecisionState,
    Fairness,
    UnpublishDecision,
    UnpublishDecisionStatus,
    UnpublishDeferral,
)
from eservice_operator.api.reasons import Reason
from eservice_operator.core import promise
from eservice_operator.core.brake import Brake
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period
from eservice_operator.core.facts import Facts
from eservice_operator.core.fairness import holds, waiting
from eservice_operator.core.releases import same_template


@dataclass(frozen=True, slots=True)
class Finding:
    """The state a decision is in, and why."""

    state: DecisionState
    reason: Reason
    message: str


def is_open(decision: UnpublishDecision) -> bool:
    """Whether a decision has not been closed yet."""
    return decision.status.state is not DecisionState.CLOSED


def deferred_until(facts: Facts, decision: UnpublishDecision) -> date | None:
    """The last day of the deferral that is honoured today: the latest, capped from the undeferred date."""
    lifecycle = facts.lifecycle(decision.spec.release.template)
    return promise.deferred_until(decision, _deferrals(facts), lifecycle, facts.today, facts.policy.zone)


def effective_at(facts: Facts, decision: UnpublishDecision) -> tuple[datetime, date | None]:
    """When a decision takes effect, and the last day of the deferral that moved it."""
    lifecycle = facts.lifecycle(decision.spec.release.template)
    return promise.effective_at(decision, _deferrals(facts), lifecycle, facts.today, facts.policy.zone)


def _deferrals(facts: Facts) -> list[UnpublishDeferral]:
    return [
        deferral
        for deferral in facts.world.deferrals
        if (deferral.spec.e_service.namespace, deferral.spec.e_service.name) == facts.place
    ]


def judge(facts: Facts, decision: UnpublishDecision) -> UnpublishDecisionStatus:
    """What the status of a decision has to say now (its conditions apart)."""
    known = facts.judged.get(decision.metadata.name)
    if known is None:
        known = facts.judged[decision.metadata.name] = _judge(facts, decision)
    return known


def _judge(facts: Facts, decision: UnpublishDecision) -> UnpublishDecisionStatus:
    old = decision.status
    if old.state is DecisionState.CLOSED:
        return old
    at, until = effective_at(facts, decision)
    released_at = _released_at(facts, decision)
    finding, fairness = _closing(facts, decision), old.fairness
    if finding is None and facts.now >= at and old.state is not DecisionState.EFFECTIVE:
        grounded = _unfounded(facts, decision, facts.today) is None and facts.policy.clock_trusted
        fairness = waiting(facts, decision) if grounded else fairness
    if finding is None:
        finding = _running(facts, decision, _Terms(at, until, fairness, released_at))
    since = old.effective_since
    if finding.state is DecisionState.EFFECTIVE:
        since = since or facts.now
    elif finding.state is not DecisionState.CLOSED:
        since = None
    return old.model_copy(
        update={
            "state": finding.state,
            "reason": finding.reason.value,
            "message": finding.message,
            "effective_at": at,
            "deferred_until": until,
            "effective_since": since,
            "closed_at": facts.now if finding.state is DecisionState.CLOSED else None,
            "released_at": released_at,
            "fairness": fairness,
        }
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What was found of a decision before its state."""

    at: datetime
    until: date | None
    fairness: Fairness | None
    released_at: datetime | None


def _closing(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What closes a decision for good: the Agency's revocation, or renewal.

    Renewed means that the public release is on another template version. Whether that one lags too much is
    another decision's question; the gate TemplateSupported keeps overdue versions from going live.
    """
    revoked = revocation(decision, facts.today)
    if revoked is not None:
        return revoked
    public = facts.public_template
    if public is not None and not same_template(public, decision.spec.release.template):
        text = f"renewed: the public release is on {public.name} {public.version}"
        return Finding(DecisionState.CLOSED, Reason.RENEWED, text)
    return None


def revocation(decision: UnpublishDecision, today: date) -> Finding | None:
    """That the Agency took the decision back, by that day."""
    revoked = decision.spec.revoked
    if revoked is None or revoked.at > today:
        return None
    text = f"revoked by the Agency on {revoked.at}: {revoked.reason}"
    return Finding(DecisionState.CLOSED, Reason.REVOKED, text)


def _released_at(facts: Facts, decision: UnpublishDecision) -> datetime | None:
    """When the Agency was seen to release the set that the decision is held with; that is for ever."""
    status, lifecycle = decision.status, facts.lifecycle(decision.spec.release.template)
    if status.released_at is not None or status.hold_token is None or lifecycle is None:
        return status.released_at
    return facts.now if lifecycle.brake.release == status.hold_token else None


def _running(facts: Facts, decision: UnpublishDecision, terms: _Terms) -> Finding:
    """The state of a decision that nothing closes.

    What is in effect stays so, whatever the clock is set back to, but for a deferral by a trusted clock.
    """
    early, frozen = facts.now < terms.at, _frozen(decision, terms.released_at)
    effective = decision.status.state is DecisionState.EFFECTIVE
    if effective and not (early and terms.until is not None and facts.policy.clock_trusted):
        return Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(decision))
    if early and terms.until is not None:
        text = f"deferred until {terms.until}, that day included"
        return Finding(DecisionState.SCHEDULED, Reason.DEFERRED, text)
    if early and frozen is not None:
        return frozen
    if early:
        return _scheduled(facts, decision, terms.at)
    return _take_effect(facts, decision, terms)


def _scheduled(facts: Facts, decision: UnpublishDecision, at: datetime) -> Finding:
    text = f"overdue since {decision.spec.overdue_since}: renew before this takes effect"
    hold = _unfounded(facts, decision, local_day(at, facts.policy.zone))
    if hold is not None:
        text = f"as things stand it would be held: {hold.message}"
    return Finding(DecisionState.SCHEDULED, Reason.SCHEDULED, text)


def foreseen_hold(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What will hold a decision at its instant, by the policy and the dates as they are now.

    None when it is going to take effect by what is known; a wait that depends on people is not foreseen.
    """
    at, _ = effective_at(facts, decision)
    return _unfounded(facts, decision, local_day(max(at, facts.now), facts.policy.zone))


def _unfounded(facts: Facts, decision: UnpublishDecision, day: date) -> Finding | None:
    """What a decision lacks on a day for taking effect: a known template, enforcement, or the lag itself."""
    template = decision.spec.release.template
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


def _take_effect(facts: Facts, decision: UnpublishDecision, terms: _Terms) -> Finding:
    """Its instant has come: it takes effect if nothing holds it; what does is asked in this order."""
    return (
        _unfounded(facts, decision, facts.today)
        or _clock(facts)
        or _renewal(facts, decision, terms.fairness)
        or _uninformed(facts, decision, terms.at)
        or _frozen(decision, terms.released_at)
        or _braked(facts, decision, terms.released_at)
        or Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(decision))
    )


def _clock(facts: Facts) -> Finding | None:
    if facts.policy.clock_trusted:
        return None
    text = "the operator's clock differs from the API server's by more than 5 minutes"
    return Finding(DecisionState.HELD, Reason.CLOCK_SKEW, text)


def _renewal(facts: Facts, decision: UnpublishDecision, wait: Fairness | None) -> Finding | None:
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


def _uninformed(facts: Facts, decision: UnpublishDecision, at: datetime) -> Finding | None:
    until = uninformed_until(facts, decision, at)
    if until is None or facts.now >= until:
        return None
    local = until.astimezone(facts.policy.zone)
    text = (
        f"no notice to the institution has been accepted yet: it waits for one until {local:%Y-%m-%d %H:%M}"
    )
    return Finding(DecisionState.HELD, Reason.NOTICE_UNDELIVERED, text)


def _frozen(decision: UnpublishDecision, released_at: datetime | None) -> Finding | None:
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


def _braked(facts: Facts, decision: UnpublishDecision, released_at: datetime | None) -> Finding | None:
    """The brake engages, and the reconcile of the template has not given the decision its token yet."""
    template = decision.spec.release.template
    known = facts.world.templates.get(template.name)
    if released_at is not None or known is None:
        return None
    fleet = facts.world.fleet(template.name)
    if not Brake(known, fleet, facts.now, facts.policy, decision.metadata.name).engages():
        return None
    text = "too many would take effect within 24 hours: the brake is taking it into a set"
    return Finding(DecisionState.HELD, Reason.BRAKE, text)


def _effect(decision: UnpublishDecision) -> str:
    """What an effective decision says."""
    reference, cause = decision.spec.release.template, decision.spec.caused_by
    if cause is None:
        return f"{reference.name} {reference.version} was withdrawn: off the public route until renewed"
    return (
        f"{reference.name} {reference.version} lags behind {cause} by more than"
        f" {decision.spec.maximum_lag}: off the public route until renewed"
    )


def blocking_decision(facts: Facts, template: TemplateRef) -> UnpublishDecision | None:
    """The decision in effect that keeps releases on this template version off the public route."""
    return next(
        (
            decision
            for decision in facts.decisions
            if same_template(decision.spec.release.template, template)
            and is_open(decision)
            and judge(facts, decision).state is DecisionState.EFFECTIVE
        ),
        None,
    )


def governing_decision(facts: Facts) -> UnpublishDecision | None:
    """The open decision about the public release."""
    return next(
        (
            decision
            for decision in facts.decisions
            if is_open(decision) and same_template(decision.spec.release.template, facts.public_template)
        ),
        None,
    )
