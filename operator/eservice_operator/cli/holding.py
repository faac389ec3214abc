# SPDX-License-Identifier: Apache-2.0
"""What a decision under R8 means for its e-service: what holds it, until when, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Prospect:
    """What is known of what becomes of a decision."""

    untold_until: datetime | None = None
    """Until when it waits for a first accepted notice (`core.holds.uninformed_until`)."""
    foreseen: str = ""
    """What will hold it at its instant, as things stand (`core.holds.foreseen_hold`); empty for nothing."""


UNKNOWN: Final = Prospect()


def meaning(judged: UnpublishDecisionStatus, days: Days, prospect: Prospect = UNKNOWN) -> str:
    """What the state of a decision means, in a sentence."""
    match judged.state:
        case DecisionState.SCHEDULED:
            when = on_day(judged.effective_at, days)
            if prospect.foreseen:
                return f"announced for {when}; as things stand it would be held then: {prospect.foreseen}"
            if judged.deferred_until is not None:
                return (
                    f"deferred until {judged.deferred_until}; off the public route from {when} unless renewed"
                )
            return f"off the public route from {when} unless renewed before"
        case DecisionState.HELD:
            told = _hold(judged, days, prospect.untold_until)
            if judged.effective_at is not None and judged.effective_at > days.now:
                return f"due {on_day(judged.effective_at, days)}, and held already: {told}"
            return f"due since {since(judged.effective_at, days)} and held: {told}"
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


TO_DO: Final = {
    Reason.TEMPLATE_UNKNOWN: "the Agency puts the template or its version back",
    Reason.NOT_ENFORCED: "the Agency lets the policy enforce again, or takes the decision back",
    Reason.NO_LONGER_OVERDUE: "the Agency mends the template's dates, or takes the decision back",
    Reason.CLOCK_SKEW: "the administrators set the clocks of the nodes right",
    Reason.NOTICE_UNDELIVERED: "the Agency sees who was told and why that failed, then mends the address of a"
    " contact, or the channel",
    Reason.RENEWAL_UNDER_WAY: "whoever owes a gate above does that part; the institution has done its own",
    Reason.BRAKE: "the Agency looks at the set, then lets it go, or mends the template and takes it back",
}


def to_do(judged: UnpublishDecisionStatus) -> str:
    """What ends a hold, and who does it; empty where nothing is held."""
    if judged.state is not DecisionState.HELD or judged.reason not in set(Reason):
        return ""
    return TO_DO.get(Reason(judged.reason), "")


def to_run(decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> tuple[str, ...]:
    """Commands for that."""
    if judged.state is not DecisionState.HELD:
        return ()
    template, service = decision.spec.release.template.name, decision.spec.e_service
    match judged.reason:
        case Reason.BRAKE:
            token = f" --token {judged.hold_token}" if judged.hold_token else ""
            return (f"kubectl eservice release-brake {template}{token}",)
        case Reason.NOTICE_UNDELIVERED:
            return (
                f"kubectl eservice history {service.name} -n {service.namespace} --notices only",
                f"kubectl edit eserviceregistration {decision.spec.registration}",
            )
        case Reason.TEMPLATE_UNKNOWN:
            return (f"kubectl get eservicetemplate {template}",)
        case Reason.NOT_ENFORCED | Reason.NO_LONGER_OVERDUE:
            return (f"kubectl eservice revoke {decision.metadata.name} --reason <text>",)
        case _:
            return ()


def document(
    decision: UnpublishDecision,
    judged: UnpublishDecisionStatus,
    days: Days,
    prospect: Prospect = UNKNOWN,
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
        "meaning": meaning(judged, days, prospect),
        "toDo": to_do(judged),
        "run": list(to_run(decision, judged)),
    }
