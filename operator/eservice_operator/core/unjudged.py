# SPDX-License-Identifier: Apache-2.0
"""R8: a decision without a status, of which the public route knows what became of it.

A backup that is restored brings no statuses. By its spec alone each decision of the past is due now: the
brake would hold them all, and the notice that once was delivered would be waited for. The route of a Gateway
records the last decision in full (ADR 0038), and that the ones before it are over.
"""

from __future__ import annotations

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision


def as_recorded(decision: UnpublishDecision, last: RememberedDecision | None) -> UnpublishDecision:
    """A decision that nobody has judged yet as the route of its e-service records it; any other as it is.

    ``last`` is what the route records: the open decision, or else the last one that ended. One is open at a
    time, so that those with lower numbers ended before.
    """
    if last is None or decision.status.observed_generation >= 0:
        return decision
    name = decision.metadata.name
    if name == last.name:
        return _ended(decision) if last.effective_at is None else _going_on(decision, last)
    earlier = _stem(name) == _stem(last.name) and number_of(name) < number_of(last.name)
    return _ended(decision) if earlier else decision


def number_of(name: str) -> int:
    """The number at the end of a decision's name; 0 for a name that has none."""
    text = name.rpartition("-")[2]
    return int(text) if text.isdecimal() else 0


def _stem(name: str) -> str:
    return name.rpartition("-")[0]


def _ended(decision: UnpublishDecision) -> UnpublishDecision:
    """Two things end a decision, and of one of them its spec tells; when it was, nobody knows any more."""
    reason = Reason.RENEWED if decision.spec.revoked is None else Reason.REVOKED
    text = "it was closed before its status was lost"
    return _with(decision, state=DecisionState.CLOSED, reason=reason.value, message=text)


def _going_on(decision: UnpublishDecision, last: RememberedDecision) -> UnpublishDecision:
    state, reason = _state(last)
    return _with(
        decision,
        state=state,
        reason=reason,
        effective_at=last.effective_at,
        undeferred_at=last.undeferred_at,
        deferred_until=last.deferred_until,
        deferral=last.deferral,
        effective_since=last.effective_since,
        hold_token=last.hold_token or decision.status.hold_token,
        held_since=last.held_since or decision.status.held_since,
    )


def _state(last: RememberedDecision) -> tuple[DecisionState, str]:
    if last.effective_since is not None:
        return DecisionState.EFFECTIVE, Reason.EFFECTIVE.value
    if last.lapsed is not None:
        return DecisionState.HELD, last.lapsed
    if last.deferred_until is not None:
        return DecisionState.SCHEDULED, Reason.DEFERRED.value
    if last.hold_token is not None:
        return DecisionState.HELD, Reason.BRAKE.value
    return DecisionState.SCHEDULED, Reason.SCHEDULED.value


def _with(decision: UnpublishDecision, **said: object) -> UnpublishDecision:
    return decision.model_copy(update={"status": decision.status.model_copy(update=said)})
