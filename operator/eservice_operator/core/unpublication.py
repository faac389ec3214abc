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

from eservice_operator.api.base import TemplateRef, revoked_by
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.ground import Fairness
from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import local_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.fairness import waiting
from eservice_operator.core.holds import (
    Finding,
    announced_anew,
    braked,
    clock,
    effective_at,
    frozen,
    lapse,
    renewal,
    unfounded,
    uninformed,
)
from eservice_operator.core.inputs import Recorded
from eservice_operator.core.promise import lapsed
from eservice_operator.core.recorded import ground_as_judged, on_ground_of_today, recorded_ground
from eservice_operator.core.records import revised
from eservice_operator.core.releases import same_template


def is_open(decision: UnpublishDecision) -> bool:
    """Whether a decision has not been closed yet."""
    return decision.status.state is not DecisionState.CLOSED


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
    finding, fairness = _closing(facts, decision), old.fairness
    if finding is None:
        decision = announced_anew(facts, decision)
    effect = effective_at(facts, decision)
    at, until = effect.at, effect.until
    released_at = _released_at(facts, decision)
    if finding is None and facts.now >= at and old.state is not DecisionState.EFFECTIVE:
        grounded = unfounded(facts, decision, facts.today) is None and facts.policy.clock_trusted
        fairness = waiting(facts, decision) if grounded else fairness
    if finding is None:
        decision = _as_told(facts, decision, old, at)
        moved_to = until if at > effect.undeferred else None
        finding = _running(facts, decision, _Terms(at, moved_to, fairness, released_at))
    since = old.effective_since
    if finding.state is DecisionState.EFFECTIVE:
        since, decision = since or facts.now, _on_ground_of_today(facts, decision)
    elif finding.state is not DecisionState.CLOSED:
        since = None
    return revised(
        decision.status,
        state=finding.state,
        reason=finding.reason.value,
        message=finding.message,
        effective_at=at,
        undeferred_at=effect.undeferred,
        deferred_until=until,
        deferral=effect.deferral,
        effective_since=since,
        closed_at=facts.now if finding.state is DecisionState.CLOSED else None,
        released_at=released_at,
        fairness=fairness,
    )


def _as_told(
    facts: Facts, decision: UnpublishDecision, old: UnpublishDecisionStatus, at: datetime
) -> UnpublishDecision:
    """On the ground of today where people hear of it again, or where another version causes it."""
    today = _on_ground_of_today(facts, decision)
    if today is decision:
        return decision
    again = decision.status.announced_at != old.announced_at or lapsed(old) or at != old.effective_at
    other = recorded_ground(today).caused_by != recorded_ground(decision).caused_by
    return today if again or other else decision


def _on_ground_of_today(facts: Facts, decision: UnpublishDecision) -> UnpublishDecision:
    known = facts.world.templates.get(decision.spec.release.template.name)
    return on_ground_of_today(decision, known, facts.now, facts.policy)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What was found of a decision before its state."""

    at: datetime
    until: date | None
    """The last day of the deferral that makes the instant; none where another day is later."""
    fairness: Fairness | None
    released_at: datetime | None


def _closing(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What closes a decision for good: the Agency's revocation, or renewal.

    Renewed means that the public release is on another template version, and that this is no mere word of the
    institution's. Whether that one lags too much is another decision's question; the gate TemplateSupported
    keeps overdue versions from going live.
    """
    revoked = revocation(decision, facts.today)
    if revoked is not None:
        return revoked
    public = facts.proven_template
    if public is not None and not same_template(public, decision.spec.release.template):
        text = f"renewed: the public release is on {public.name} {public.version}"
        return Finding(DecisionState.CLOSED, Reason.RENEWED, text)
    return None


def revocation(decision: UnpublishDecision, today: date) -> Finding | None:
    """That the Agency took the decision back, by that day."""
    revoked = revoked_by(today, decision.spec.revoked)
    if revoked is None:
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
    early, braking = facts.now < terms.at, frozen(decision, terms.released_at)
    effective = decision.status.state is DecisionState.EFFECTIVE
    if effective and not (early and terms.until is not None and facts.policy.clock_trusted):
        return Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(decision))
    if early and terms.until is not None:
        text = f"deferred until {terms.until}, that day included"
        return Finding(DecisionState.SCHEDULED, Reason.DEFERRED, text)
    unannounced = lapse(facts, decision)
    if unannounced is not None:
        return unannounced
    if early and braking is not None:
        return braking
    if early:
        return _scheduled(facts, decision, terms.at)
    return _take_effect(facts, decision, terms)


def _scheduled(facts: Facts, decision: UnpublishDecision, at: datetime) -> Finding:
    text = f"overdue since {recorded_ground(decision).overdue_since}: renew before this takes effect"
    text += _in_place(decision)
    hold = unfounded(facts, decision, local_day(at, facts.policy.zone))
    if hold is not None:
        text = f"as things stand it would be held: {hold.message}"
    return Finding(DecisionState.SCHEDULED, Reason.SCHEDULED, text)


def _take_effect(facts: Facts, decision: UnpublishDecision, terms: _Terms) -> Finding:
    """Its instant has come: it takes effect if nothing holds it; what does is asked in this order."""
    return (
        unfounded(facts, decision, facts.today)
        or clock(facts)
        or renewal(facts, decision, terms.fairness)
        or uninformed(facts, decision, terms.at)
        or frozen(decision, terms.released_at)
        or braked(facts, decision, terms.released_at)
        or Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(_on_ground_of_today(facts, decision)))
    )


def _effect(decision: UnpublishDecision) -> str:
    """What an effective decision says: on which ground it took effect."""
    reference, ground = decision.spec.release.template, recorded_ground(decision)
    what = f"{reference.name} {reference.version}"
    off = f"off the public route until renewed{_in_place(decision)}"
    if ground.caused_by is None:
        return f"{what} was withdrawn: {off}"
    return f"{what} lags behind {ground.caused_by} by more than {ground.maximum_lag}: {off}"


def _in_place(decision: UnpublishDecision) -> str:
    replaced = decision.spec.replaces
    deleted = replaced is not None and replaced.overdue_since is not None
    return f" (in the place of {replaced.name}, which was deleted)" if replaced and deleted else ""


def blocking_decision(facts: Facts, template: TemplateRef) -> UnpublishDecision | None:
    """The decision in effect that keeps releases on this template version off the public route."""
    for decision in facts.decisions:
        about = is_open(decision) and same_template(decision.spec.release.template, template)
        if about and judge(facts, decision).state is DecisionState.EFFECTIVE:
            return decision
    return None


def ground(facts: Facts, decision: UnpublishDecision) -> Recorded:
    """Why the release is overdue by a decision as it is judged now."""
    return ground_as_judged(decision, judge(facts, decision))


def governing_decision(facts: Facts) -> UnpublishDecision | None:
    """The open decision about the public release."""
    return None if facts.public_template is None else open_about(facts, facts.public_template)


def open_about(facts: Facts, template: TemplateRef) -> UnpublishDecision | None:
    """The open decision about a template version; by name the first, where there are several."""
    for decision in facts.decisions:
        if is_open(decision) and same_template(decision.spec.release.template, template):
            return decision
    return None
