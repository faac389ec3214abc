# SPDX-License-Identifier: Apache-2.0
"""What a decision under R8 means for its e-service: what holds it, until when, and what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.dated import Days, on_day, since
from eservice_operator.core.recorded import ground_as_judged

HOLDS: Final = {
    Reason.TEMPLATE_UNKNOWN: "nothing is unpublished while its template is unknown: the Agency puts it back",
    Reason.NOT_ENFORCED: "the template's policy does not enforce: once the policy does"
    " the decision is announced anew",
    Reason.NO_LONGER_OVERDUE: "by the template's present dates it is not overdue: the Agency revokes the"
    " decision if that is to stay",
    Reason.CLOCK_SKEW: "the operator's clock differs from the API server's: nothing new is unpublished until"
    " somebody sets it right",
    Reason.NOTICE_UNDELIVERED: "no notice of it was accepted for a contact of the institution yet: the Agency"
    " mends the contacts of the registration or the channel",
    Reason.RENEWAL_UNDER_WAY: "the institution has done its part of a renewal: it waits for the Agency or a"
    " holder, once",
    Reason.BRAKE: "too many unpublications of a template at once: the Agency looks at the set and lets it go",
}


def meaning(judged: UnpublishDecisionStatus, days: Days, untold_until: datetime | None = None) -> str:
    """What the state of a decision means, in a sentence.

    ``untold_until`` is until when it waits for a first accepted notice (`core.holds.uninformed_until`).
    """
    match judged.state:
        case DecisionState.SCHEDULED:
            when = on_day(judged.effective_at, days)
            if judged.deferred_until is not None:
                return (
                    f"deferred until {judged.deferred_until}; off the public route from {when} unless renewed"
                )
            return f"off the public route from {when} unless renewed before"
        case DecisionState.HELD:
            due = since(judged.effective_at, days)
            return f"due since {due} and held: {_hold(judged, days, untold_until)}"
        case DecisionState.EFFECTIVE:
            return "off the public route until a release on a supported version is public"
        case DecisionState.CLOSED:
            return f"closed: {judged.message}"


def _hold(judged: UnpublishDecisionStatus, days: Days, untold_until: datetime | None) -> str:
    told = HOLDS.get(Reason(judged.reason)) if judged.reason in set(Reason) else None
    text = told or judged.message
    if judged.reason == Reason.RENEWAL_UNDER_WAY and judged.fairness is not None:
        text += f", until {judged.fairness.until} at the latest"
    if judged.reason == Reason.NOTICE_UNDELIVERED and untold_until is not None:
        frozen = judged.hold_token is not None and judged.released_at is None
        then = "the brake holds its set" if frozen else "it takes effect without a notice"
        text += f"; it waits until {days.local(untold_until)}, then {then}"
    return text


def to_run(decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> tuple[str, ...]:
    """What the Agency can run about it."""
    template, service = decision.spec.release.template.name, decision.spec.e_service
    if judged.state is DecisionState.HELD and judged.reason == Reason.BRAKE:
        token = f" --token {judged.hold_token}" if judged.hold_token else ""
        return (f"kubectl eservice release-brake {template}{token}",)
    if judged.state is DecisionState.HELD and judged.reason == Reason.NOTICE_UNDELIVERED:
        return (f"kubectl eservice history {service.name} -n {service.namespace}",)
    return ()


def document(
    decision: UnpublishDecision,
    judged: UnpublishDecisionStatus,
    days: Days,
    untold_until: datetime | None = None,
) -> dict[str, Any]:
    """The decision as JSON: its record, its state now, and what that means."""
    status = judged.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        exclude={"notices": True, "conditions": True, "ground": {"inputs"}},
    )
    return {
        "name": decision.metadata.name,
        "overdueSince": str(ground_as_judged(decision, judged).overdue_since),
        "promised": decision.spec.model_dump(mode="json", by_alias=True)["effectiveAt"],
        **status,
        "meaning": meaning(judged, days, untold_until),
        "run": list(to_run(decision, judged)),
    }
