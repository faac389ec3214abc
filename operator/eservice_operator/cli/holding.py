# SPDX-License-Identifier: Apache-2.0
"""What a decision under R8 means for its e-service: what holds it, until when, and what to do."""

from __future__ import annotations

from typing import Any, Final

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.dated import Days, on_day

HOLDS: Final = {
    Reason.TEMPLATE_UNKNOWN: "nothing is unpublished while its template is unknown: the Agency puts it back",
    Reason.NOT_ENFORCED: "the template's policy does not enforce: once the policy does"
    " the decision is announced anew",
    Reason.NO_LONGER_OVERDUE: "by the template's present dates it is not overdue: the Agency revokes the"
    " decision if that is to stay",
    Reason.CLOCK_SKEW: "the operator's clock differs from the API server's: nothing new is unpublished until"
    " somebody sets it right",
    Reason.NOTICE_UNDELIVERED: "no notice of it was accepted for a contact of the institution yet: the Agency"
    " mends the contacts of the registration or the channel; it does not wait for ever (holdUninformed)",
    Reason.RENEWAL_UNDER_WAY: "the institution has done its part of a renewal: it waits for the Agency or a"
    " holder, once",
    Reason.BRAKE: "too many unpublications of a template at once: the Agency looks at the set and lets it go",
}


def meaning(judged: UnpublishDecisionStatus, days: Days) -> str:
    """What the state of a decision means, in a sentence."""
    match judged.state:
        case DecisionState.SCHEDULED:
            when = on_day(judged.effective_at, days)
            if judged.deferred_until is not None:
                return (
                    f"deferred until {judged.deferred_until}; off the public route from {when} unless renewed"
                )
            return f"off the public route from {when} unless renewed before"
        case DecisionState.HELD:
            return f"due since {on_day(judged.effective_at, days)} and held: {_hold(judged)}"
        case DecisionState.EFFECTIVE:
            return "off the public route until a release on a supported version is public"
        case DecisionState.CLOSED:
            return f"closed: {judged.message}"


def _hold(judged: UnpublishDecisionStatus) -> str:
    told = HOLDS.get(Reason(judged.reason)) if judged.reason in set(Reason) else None
    text = told or judged.message
    if judged.reason == Reason.RENEWAL_UNDER_WAY and judged.fairness is not None:
        text += f", until {judged.fairness.until} at the latest"
    return text


def to_run(decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> tuple[str, ...]:
    """What the Agency can run about it."""
    name, template = decision.metadata.name, decision.spec.release.template.name
    if judged.state is DecisionState.HELD and judged.reason == Reason.BRAKE:
        token = f" --token {judged.hold_token}" if judged.hold_token else ""
        return (f"kubectl eservice release-brake {template}{token}",)
    if judged.state is DecisionState.HELD and judged.reason == Reason.NOTICE_UNDELIVERED:
        return (f"kubectl get unpublishdecision {name} -o jsonpath={{.status.notices}}",)
    return ()


def document(decision: UnpublishDecision, judged: UnpublishDecisionStatus, days: Days) -> dict[str, Any]:
    """The decision as JSON: its record, its state now, and what that means."""
    status = judged.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"notices", "conditions"}
    )
    return {
        "name": decision.metadata.name,
        "overdueSince": str(decision.spec.overdue_since),
        "promised": decision.spec.model_dump(mode="json", by_alias=True)["effectiveAt"],
        **status,
        "meaning": meaning(judged, days),
        "run": list(to_run(decision, judged)),
    }
