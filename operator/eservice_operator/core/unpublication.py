# SPDX-License-Identifier: Apache-2.0
"""R8: what becomes of a decision to unpublish, from being scheduled to being closed.

A decision is a record and a promise. Its instant is fixed when it is made and never moves earlier; a
deferral moves it later. Before it takes effect the facts must still hold (a template that vanished, or
a policy turned to Warn, holds it); once in effect only renewal, the Agency's revocation or a deferral
bring the e-service back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.core.dates import add_period, day_after_end, local_day, parse_period
from eservice_operator.core.facts import Facts
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
    """The last day of the deferral that is honoured: the latest, capped from the undeferred date.

    What was honoured once stays so until its deferral ends or is revoked, whatever the cap says later.
    Without the template the cap is unknown: then nothing new is honoured.
    """
    ends = [
        deferral.spec.until
        for deferral in facts.world.deferrals
        if (deferral.spec.e_service.namespace, deferral.spec.e_service.name) == facts.place
        and (deferral.spec.revoked is None or deferral.spec.revoked.at > facts.today)
    ]
    if not ends:
        return None
    last = max(ends)
    promised = local_day(decision.spec.effective_at, facts.policy.zone)
    honoured = decision.status.deferred_until
    limits = [] if honoured is None else [min(last, honoured)]
    lifecycle = facts.lifecycle(decision.spec.release.template)
    if lifecycle is not None:
        limits.append(min(last, add_period(promised, parse_period(lifecycle.maximum_deferral))))
    until = max(limits, default=None)
    return until if until is not None and until >= promised else None


def effective_at(facts: Facts, decision: UnpublishDecision) -> tuple[datetime, date | None]:
    """When a decision takes effect, and the last day of the deferral that moved it."""
    promise, until = decision.spec.effective_at, deferred_until(facts, decision)
    if until is None:
        return promise, None
    return max(promise, day_after_end(until, facts.policy.zone)), until


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
    finding = _closing(facts, decision) or _running(facts, decision, at, until)
    since = old.effective_since
    if finding.state is DecisionState.EFFECTIVE:
        since = since or facts.now
    elif finding.state is not DecisionState.CLOSED:
        since = None
    return UnpublishDecisionStatus(
        state=finding.state,
        reason=finding.reason,
        message=finding.message,
        effective_at=at,
        deferred_until=until,
        effective_since=since,
        closed_at=facts.now if finding.state is DecisionState.CLOSED else None,
        hold_token=old.hold_token,
        notices=old.notices,
    )


def _closing(facts: Facts, decision: UnpublishDecision) -> Finding | None:
    """What closes a decision for good: the Agency's revocation, or renewal.

    Renewed means that the public release is on another template version. Whether that one lags too much is
    another decision's question; the gate TemplateSupported keeps overdue versions from going live.
    """
    revoked, public = decision.spec.revoked, facts.public_template
    if revoked is not None and revoked.at <= facts.today:
        text = f"revoked by the Agency on {revoked.at}: {revoked.reason}"
        return Finding(DecisionState.CLOSED, Reason.REVOKED, text)
    if public is not None and not same_template(public, decision.spec.release.template):
        text = f"renewed: the public release is on {public.name} {public.version}"
        return Finding(DecisionState.CLOSED, Reason.RENEWED, text)
    return None


def _running(facts: Facts, decision: UnpublishDecision, at: datetime, until: date | None) -> Finding:
    if facts.now < at and until is not None:
        return Finding(DecisionState.SCHEDULED, Reason.DEFERRED, f"deferred until {until}, that day included")
    if facts.now < at:
        text = f"overdue since {decision.spec.overdue_since}: renew before this takes effect"
        return Finding(DecisionState.SCHEDULED, Reason.SCHEDULED, text)
    if decision.status.state is DecisionState.EFFECTIVE:
        return Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(decision))
    return _take_effect(facts, decision)


def _take_effect(facts: Facts, decision: UnpublishDecision) -> Finding:
    """Its instant has come: it takes effect if the facts still say so, and is held otherwise."""
    template = decision.spec.release.template
    lag = facts.lag(template)
    if lag is None:
        text = "the template or its version is unknown; an unknown template never unpublishes"
        return Finding(DecisionState.HELD, Reason.TEMPLATE_UNKNOWN, text)
    if not facts.enforces(template):
        text = "the template's policy does not enforce today"
        return Finding(DecisionState.HELD, Reason.NOT_ENFORCED, text)
    if not lag.overdue(facts.today):
        text = "by the template's present dates the release is not overdue"
        return Finding(DecisionState.HELD, Reason.NO_LONGER_OVERDUE, text)
    return Finding(DecisionState.EFFECTIVE, Reason.EFFECTIVE, _effect(decision))


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
