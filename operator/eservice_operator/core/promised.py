# SPDX-License-Identifier: Apache-2.0
"""R8: a day that was announced stands for an EService that is deleted and created again.

GitOps controllers re-create what they find missing. Decisions belong to a registration and an environment:
one that has not taken effect lets the EService come back to what it had, until the day that was announced.
"""

from __future__ import annotations

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.core.facts import Facts
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
    """Whether a release may go live on an overdue or withdrawn version, as it was promised a day to come.

    Any image on an overdue version, as a fix could always go out; on a withdrawn one only that which was
    public when it was decided. What the Agency took back promises nothing.
    """
    decision = decision_to_come_back_to(facts, release.template)
    if decision is None or decision.status.state is DecisionState.EFFECTIVE:
        return False
    revoked = decision.spec.revoked
    if revoked is not None and revoked.at <= facts.today:
        return False
    return not withdrawn or decision.spec.release.image == release.image
