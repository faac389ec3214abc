# SPDX-License-Identifier: Apache-2.0
"""R8: decisions to unpublish, from being scheduled to being closed.

A decision is a record and a promise. Its instant is fixed when it is made and never moves earlier; a
deferral moves it later. Before it takes effect the facts must still hold (a template that vanished, or
a policy turned to Warn, holds it); once in effect only renewal, the Agency's revocation or a deferral
bring the e-service back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from eservice_operator.api import names
from eservice_operator.api.acts import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.reasons import Reason
from eservice_operator.api.template import Enforcement
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import (
    add_period,
    day_after_end,
    instant,
    local_day,
    parse_period,
    start_of_day,
)
from eservice_operator.core.facts import Facts
from eservice_operator.core.lag import Lag
from eservice_operator.core.releases import short_hash
from eservice_operator.core.versions import current as current_version


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a decision is in, and why."""

    state: DecisionState
    reason: Reason
    message: str


def is_open(decision: UnpublishDecision) -> bool:
    """Whether a decision has not been closed yet."""
    return decision.status.state is not DecisionState.CLOSED


def deferred_until(facts: Facts, template: TemplateRef, promised: date) -> date | None:
    """The last day of the deferral that is honoured: the latest, capped from the undeferred date.

    Without the template its cap is unknown, and the deferral is honoured as written.
    """
    lasts = [
        deferral.spec.until
        for deferral in facts.world.deferrals
        if deferral.spec.revoked is None or deferral.spec.revoked.at > facts.today
    ]
    if not lasts:
        return None
    last = max(lasts)
    lifecycle = facts.lifecycle(template)
    if lifecycle is not None:
        last = min(last, add_period(promised, parse_period(lifecycle.maximum_deferral)))
    return last if last >= promised else None


def effective_at(facts: Facts, decision: UnpublishDecision) -> tuple[datetime, date | None]:
    """When a decision takes effect, and the last day of the deferral that moved it."""
    promise = decision.spec.effective_at
    until = deferred_until(facts, decision.spec.release.template, local_day(promise, facts.policy.zone))
    if until is None:
        return promise, None
    return max(promise, day_after_end(until, facts.policy.zone)), until


def renewed(facts: Facts, decision: UnpublishDecision) -> bool:
    """Whether the public release has moved to another template version.

    Whether that one lags too much is another decision's question; the gate TemplateSupported keeps
    overdue versions from going live.
    """
    return facts.public_template is not None and facts.public_template != decision.spec.release.template


def judge(facts: Facts, decision: UnpublishDecision) -> UnpublishDecisionStatus:
    """What the status of a decision has to say now (its conditions apart)."""
    old = decision.status
    if old.state is DecisionState.CLOSED:
        return old
    at, until = effective_at(facts, decision)
    verdict = _verdict(facts, decision, at, until)
    in_effect = verdict.state is DecisionState.EFFECTIVE
    closed = verdict.state is DecisionState.CLOSED
    return UnpublishDecisionStatus(
        state=verdict.state,
        reason=verdict.reason,
        message=verdict.message,
        effective_at=at,
        deferred_until=until,
        effective_since=(old.effective_since or facts.now)
        if in_effect
        else old.effective_since
        if closed
        else None,
        closed_at=facts.now if closed else None,
        hold_token=old.hold_token,
        notices=old.notices,
    )


def _verdict(facts: Facts, decision: UnpublishDecision, at: datetime, until: date | None) -> Verdict:
    revoked = decision.spec.revoked
    if revoked is not None and revoked.at <= facts.today:
        text = f"revoked by the Agency on {revoked.at}: {revoked.reason}"
        return Verdict(DecisionState.CLOSED, Reason.REVOKED, text)
    if renewed(facts, decision) and facts.public_template is not None:
        text = (
            f"renewed: the public release is on {facts.public_template.name} {facts.public_template.version}"
        )
        return Verdict(DecisionState.CLOSED, Reason.RENEWED, text)
    if facts.now < at:
        if until is not None:
            text = f"deferred until {until}, that day included"
            return Verdict(DecisionState.SCHEDULED, Reason.DEFERRED, text)
        text = f"overdue since {decision.spec.overdue_since}: renew before this takes effect"
        return Verdict(DecisionState.SCHEDULED, Reason.SCHEDULED, text)
    if decision.status.state is DecisionState.EFFECTIVE:
        return Verdict(DecisionState.EFFECTIVE, Reason.EFFECTIVE, effect_text(decision))
    return _take_effect(facts, decision)


def _take_effect(facts: Facts, decision: UnpublishDecision) -> Verdict:
    """Its instant has come: it takes effect if the facts still say so, and is held otherwise."""
    lag = facts.lag(decision.spec.release.template)
    if lag is None:
        text = "the template or its version is unknown; an unknown template never unpublishes"
        return Verdict(DecisionState.HELD, Reason.TEMPLATE_UNKNOWN, text)
    if not facts.enforces(decision.spec.release.template):
        return Verdict(
            DecisionState.HELD, Reason.NOT_ENFORCED, "the template's policy does not enforce today"
        )
    if not lag.overdue(facts.today):
        text = "by the template's present dates the release is not overdue"
        return Verdict(DecisionState.HELD, Reason.NO_LONGER_OVERDUE, text)
    return Verdict(DecisionState.EFFECTIVE, Reason.EFFECTIVE, effect_text(decision))


def effect_text(decision: UnpublishDecision) -> str:
    """What an effective decision says."""
    reference = decision.spec.release.template
    if decision.spec.caused_by is None:
        return f"{reference.name} {reference.version} was withdrawn: off the public route until renewed"
    return (
        f"{reference.name} {reference.version} lags behind {decision.spec.caused_by} by more than"
        f" {decision.spec.maximum_lag}: off the public route until renewed"
    )


def blocking_decision(facts: Facts, template: TemplateRef) -> UnpublishDecision | None:
    """The decision in effect that keeps releases on this template version off the public route."""
    for decision in facts.world.decisions:
        if decision.spec.release.template == template and is_open(decision):
            if judge(facts, decision).state is DecisionState.EFFECTIVE:
                return decision
    return None


def governing_decision(facts: Facts) -> UnpublishDecision | None:
    """The open decision about the public release."""
    return next(
        (
            decision
            for decision in facts.world.decisions
            if is_open(decision) and decision.spec.release.template == facts.public_template
        ),
        None,
    )


def planned_at(facts: Facts, template: TemplateRef, lag: Lag) -> datetime | None:
    """When a decision made now would take effect: once overdue, enforced and announced for long enough.

    None when nothing is or will be overdue by the known dates, or the policy does not enforce.
    """
    lifecycle = facts.lifecycle(template)
    if lifecycle is None or lag.overdue_since is None or lifecycle.enforcement is not Enforcement.ENFORCE:
        return None
    zone = facts.policy.zone
    instants = [facts.now, start_of_day(lag.overdue_since, zone)]
    if lifecycle.enforce_from is not None:
        instants.append(start_of_day(lifecycle.enforce_from, zone))
    notice = parse_period(lifecycle.notice_period)
    if notice.months or notice.days:
        instants.append(day_after_end(add_period(facts.today, notice), zone))
    return max(instants)


def new_decision(facts: Facts) -> Manifest | None:
    """The decision that has to be made now about the public release, if any.

    One is open at a time for a template version; one that the Agency revoked is not made again for the
    same cause.
    """
    template, lag = facts.public_template, facts.public_lag
    if not facts.production or facts.public_name is None or template is None or lag is None:
        return None
    at = planned_at(facts, template, lag)
    if at is None or lag.overdue_since is None or governing_decision(facts) is not None:
        return None
    caused_by = None if lag.caused_by is None else lag.caused_by.text
    if any(
        decision.spec.revoked is not None
        and decision.spec.release.template == template
        and decision.spec.caused_by == caused_by
        for decision in facts.world.decisions
    ):
        return None
    return _decision_manifest(facts, template, lag, at)


def decision_name(facts: Facts) -> str:
    """Name of the next decision of this registration and environment."""
    spec = facts.spec
    return f"{spec.registration}-{spec.environment.value.lower()}-{len(facts.world.decisions) + 1:03d}"


def _decision_manifest(facts: Facts, template: TemplateRef, lag: Lag, at: datetime) -> Manifest:
    metadata, spec = facts.world.service.metadata, facts.spec
    known = facts.world.templates.get(template.name)
    current = None if known is None else current_version(known.catalogue, facts.today)
    remembered = facts.world.service.status.release.public
    image = facts.public.image if facts.public is not None else remembered.image if remembered else "unknown"
    lifecycle = facts.lifecycle(template)
    facts_decided = {
        "eService": {"namespace": metadata.namespace, "name": metadata.name},
        "registration": spec.registration,
        "environment": spec.environment.value,
        "release": {"image": image, "template": {"name": template.name, "version": template.version}},
        "currentVersion": None if current is None else current.text,
        "causedBy": None if lag.caused_by is None else lag.caused_by.text,
        "maximumLag": None if lifecycle is None else lifecycle.maximum_lag,
        "lagMeasure": None if lifecycle is None else lifecycle.lag_measure.value,
        "overdueSince": str(lag.overdue_since),
    }
    facts_decided = {key: value for key, value in facts_decided.items() if value is not None}
    return {
        "apiVersion": names.API_VERSION,
        "kind": "UnpublishDecision",
        "metadata": {
            "name": decision_name(facts),
            "labels": {
                names.MANAGED_BY_LABEL: names.MANAGER,
                names.REGISTRATION_LABEL: short_hash(spec.registration),
            },
        },
        "spec": facts_decided
        | {
            "effectiveAt": instant(at),
            "decidedAt": instant(facts.now),
            "inputsHash": short_hash(facts_decided, 16),
        },
    }
