# SPDX-License-Identifier: Apache-2.0
"""R8: what people are told of a decision that is held, so that nobody is left with a day that does not count.

A wait for people (a renewal, a first notice) or for the operator's own clock is not told: it ends by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.notices import Notice, NoticeKind
from eservice_operator.api.reasons import Reason
from eservice_operator.api.template import EServiceTemplate, HeldSet
from eservice_operator.core.addressees import entries, owner_and_sinks
from eservice_operator.core.counting import WINDOW
from eservice_operator.core.dates import local_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.holds import braked, frozen
from eservice_operator.core.ledger import Notices, enter, fold, heard_days
from eservice_operator.core.letters import Delivery
from eservice_operator.core.policy import Policy
from eservice_operator.core.promise import LOST_GROUND
from eservice_operator.core.tidings import Tiding

TOLD_HOLDS = LOST_GROUND | {Reason.BRAKE}
"""What holds a decision until somebody at the Agency does something."""


def announced_as_held(facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> bool:
    """Whether an announcement has to say that the brake holds the decision.

    It asks behind the wait for a first accepted notice, which this very announcement ends.
    """
    if judged.state is DecisionState.HELD:
        waits = judged.reason == Reason.NOTICE_UNDELIVERED
        return judged.reason == Reason.BRAKE or (waits and _braked(facts, decision, judged))
    at = judged.effective_at
    soon = at is not None and at < facts.now + WINDOW and judged.reason == Reason.SCHEDULED
    return judged.state is DecisionState.SCHEDULED and soon and _braked(facts, decision, judged)


def _braked(facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> bool:
    by_now = decision.model_copy(update={"status": judged})
    held = frozen(by_now, judged.released_at) or braked(facts, by_now, judged.released_at)
    return held is not None


def tells_of_hold(status: UnpublishDecisionStatus) -> bool:
    """Whether a decision is held by what people are told of."""
    return status.state is DecisionState.HELD and status.reason in TOLD_HOLDS


def of_hold(facts: Facts, notices: tuple[Notice, ...], judged: UnpublishDecisionStatus) -> Tiding | None:
    """That a decision is held, for those who were told a day; whether they know that too is not asked."""
    if not tells_of_hold(judged) or judged.effective_at is None:
        return None
    heard = heard_days(notices)
    if not heard or (judged.reason == Reason.BRAKE and heard[-1].held):
        return None
    day = local_day(judged.effective_at, facts.policy.zone)
    return Tiding(NoticeKind.UNPUBLISH_HELD, f"{judged.reason} {day}", day)


def template_notices(
    template: EServiceTemplate,
    held: tuple[HeldSet, ...],
    deliveries: Mapping[str, Delivery],
    now: datetime,
    policy: Policy,
) -> Notices:
    """The ledger of a template: each set that the brake took, to the template's owner and the sinks."""
    notices, uid = fold(template.status.notices, deliveries), template.metadata.uid
    known = {one.token for one in template.status.held}
    everybody = owner_and_sinks(policy, template.spec.owner.email)
    for one in held:
        if one.token not in known:
            tiding = Tiding(NoticeKind.BRAKE_ENGAGED, one.token)
            notices = enter(notices, entries(tiding, uid, now, everybody))
    return notices
