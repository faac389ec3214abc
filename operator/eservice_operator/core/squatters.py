# SPDX-License-Identifier: Apache-2.0
"""What lies in the place of a public route that is off, and is not ours: it is left alone, and that is said.

Only where routes lie beside the e-service: whoever may write there can take off all that says that one is
ours, and it goes on showing the e-service past R8 and pauses.
"""

from __future__ import annotations

from dataclasses import replace

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.decide import Decision
from eservice_operator.core.witness import doubted


def squatter(decision: Decision) -> str:
    """What is said of a stranger that may show an e-service which is off; empty without one."""
    facts = decision.facts
    off = facts.public_name is not None and facts.route is None and not decision.rollout.serves
    if not off or facts.driver.far:
        return ""
    place = (facts.driver.kind, *facts.place)
    mine = [claim for claim in facts.world.contenders if claim.owner[1:] == place]
    if not mine:
        return ""
    hosts = ", ".join(sorted({claim.host for claim in mine}))
    return (
        f"{mine[0].owner} is there and is not ours to take off: it may show {hosts} until somebody deletes it"
    )


def not_final(decision: Decision, published: Verdict) -> Verdict:
    """Published, which is not final while a stranger may show what is off; what was seen says more."""
    text = squatter(decision)
    if not text or doubted(published):
        return published
    message = f"{published.message}; but {text}"
    return replace(published, status=ConditionStatus.UNKNOWN, reason=Reason.INGRESS_NOT_OURS, message=message)
