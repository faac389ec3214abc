# SPDX-License-Identifier: Apache-2.0
"""The last gate before the publication: R8. It reads decisions, and these read the other gates."""

from __future__ import annotations

from eservice_operator.api.gates import GateOwner
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.facts import Facts
from eservice_operator.core.remembered import kept_off, why_kept_off
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Unmet, holds_publish
from eservice_operator.core.unpublication import blocking_decision, ground


def template_within_limit(facts: Facts, subject: Subject) -> Unmet | None:
    """R8: no unpublication is in effect for the template version of the release, be its record deleted."""
    template = subject.snapshot.template
    decision, gone = blocking_decision(facts, template), kept_off(facts, template)
    if decision is None and gone is not None:
        text = why_kept_off(facts, gone)
        return holds_publish(
            Gate.TEMPLATE_WITHIN_LIMIT, Reason.DECISION_MISSING, text, GateOwner.AGENCY, "R8"
        )
    if decision is None:
        return None
    reference = decision.spec.release.template
    text = (
        f"{reference.name} {reference.version} is overdue since {ground(facts, decision).overdue_since}"
        f" (UnpublishDecision {decision.metadata.name}): renew from a newer template version"
    )
    return holds_publish(
        Gate.TEMPLATE_WITHIN_LIMIT, Reason.TEMPLATE_OVERDUE, text, GateOwner.INSTITUTION, "R8"
    )
