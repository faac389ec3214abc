# SPDX-License-Identifier: Apache-2.0
"""R8: what was announced, or taken back, stands for an EService that is deleted and created again.

GitOps controllers re-create what they find missing. Decisions belong to a registration and an environment:
one that has not taken effect lets the EService come back to what it had, until the day that was announced,
and one that the Agency revoked lets it come back for good, as long as the cause is the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.base import TemplateRef, revoked_by
from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.core.facts import Facts
from eservice_operator.core.forgiveness import forgiving
from eservice_operator.core.releases import Snapshot, same_template


def decision_to_come_back_to(facts: Facts, template: TemplateRef) -> UnpublishDecision | None:
    """The open decision about a template version while nothing is public: for what is, another one counts."""
    if not facts.production or facts.public_name is not None:
        return None
    return next(
        (
            decision
            for decision in facts.decisions
            if decision.status.state is not DecisionState.CLOSED
            and same_template(decision.spec.release.template, template)
        ),
        None,
    )


def comes_back(facts: Facts, release: Snapshot, *, withdrawn: bool) -> bool:
    """Whether a release may go live on an overdue or withdrawn version, as it would be public still.

    It was promised a day to come, or the Agency took the decision back. Any image on an overdue version, as
    a fix could always go out; on a withdrawn one only that which was public when it was decided, and never
    was off since: what is off does not come back on it.
    """
    decisions = list(_letting_in(facts, release.template))
    if not withdrawn:
        return bool(decisions)
    return any(
        decision.spec.release.image == release.image and _never_off(facts, decision) for decision in decisions
    )


def _letting_in(facts: Facts, template: TemplateRef) -> Iterator[UnpublishDecision]:
    """The decisions by which a release on a template version would be public still."""
    if not facts.production or facts.public_name is not None:
        return
    decision, lag = decision_to_come_back_to(facts, template), facts.lag(template)
    ahead = decision is not None and decision.status.state is not DecisionState.EFFECTIVE
    if decision is not None and ahead and not _taken_back(facts, decision):
        yield decision
    if lag is not None:
        yield from (decision for decision in forgiving(facts, template, lag) if _taken_back(facts, decision))


def _never_off(facts: Facts, decision: UnpublishDecision) -> bool:
    """Whether a decision cannot have taken effect; a deferral of one in effect leaves no other trace."""
    status = decision.status
    if status.effective_since is not None:
        return False
    return _taken_back(facts, decision) or (status.undeferred_at or decision.spec.effective_at) > facts.now


def _taken_back(facts: Facts, decision: UnpublishDecision) -> bool:
    """Whether the Agency has taken a decision back by today."""
    return revoked_by(facts.today, decision.spec.revoked) is not None
