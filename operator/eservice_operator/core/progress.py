# SPDX-License-Identifier: Apache-2.0
"""Ready, Reconciling and Stalled: whether the operator has done its part."""

from __future__ import annotations

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.actions import Outcome
from eservice_operator.core.answering import SILENT
from eservice_operator.core.availability import failure_of, rolled_out, scaled_to_zero
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.dates import instant, local_day
from eservice_operator.core.decide import Decision
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.failing import failing, refusal
from eservice_operator.core.gates import refused
from eservice_operator.core.limits import not_in_place
from eservice_operator.core.outside_in import still_looking
from eservice_operator.core.rollout import Running
from eservice_operator.core.squatters import squatter
from eservice_operator.core.unpublication import governing_decision, judge
from eservice_operator.core.witness import doubted

UNDER_WAY = frozenset({Reason.SWITCHING, Reason.AWAITING_INSTALLATION, Reason.AWAITING_PODS})
"""Reasons for not being public that say no more than that somebody is at it."""


def progress(decision: Decision, outcome: Outcome, published: Verdict) -> tuple[Verdict, ...]:
    """Ready, and Reconciling or Stalled where one of them holds; never both."""
    if decision.facts.world.service.metadata.deletion_timestamp is not None:
        return c.reconciling(Reason.TERMINATING, "the public route is being removed")
    stalled = _stalled(decision, outcome)
    if stalled is not None:
        return c.stalling(*stalled)
    if outcome.failure is not None:
        return failing(outcome.failure)
    under_way = _under_way(decision, published)
    if under_way is not None:
        return c.reconciling(*under_way)
    if published.status is ConditionStatus.TRUE:
        return (_public(decision),)
    return (c.true(ConditionType.READY, published.reason, published.message),)


def held_by(facts: Facts) -> tuple[UnpublishDecision, UnpublishDecisionStatus] | None:
    """R8: the decision about the public release with what is judged of it, where something holds it up."""
    governing = governing_decision(facts)
    if governing is None:
        return None
    judged = judge(facts, governing)
    return (governing, judged) if judged.state is DecisionState.HELD else None


def _public(decision: Decision) -> Verdict:
    """What people have to know of one that is served: what another release lacks, and what R8 waits for."""
    facts, gates, held = decision.facts, decision.rollout.gates, held_by(decision.facts)
    reason, said = Reason.SUCCEEDED, ["public"]
    for stays in not_in_place(decision.rollout.shown):  # by the settings: no institution can mend it
        reason = stays.reason
        said.append(stays.message)
    if held is not None:
        reason = Reason(held[1].reason or "")
        said.append(_hold(facts, *held))
    if gates:
        reason = gates[0].reason
        beside = facts.public_name != facts.wanted.name
        said.insert(1, f"{'for the release the spec names: ' if beside else ''}{gates[0].message}")
    return c.true(ConditionType.READY, reason, "; ".join(said) if said[1:] else "public; nothing left to do")


def _hold(facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> str:
    at = judged.effective_at or decision.spec.effective_at
    day = local_day(at, facts.policy.zone)
    return f"due to leave the public route on {day}, and held ({decision.metadata.name}): {judged.message}"


def why_not(published: Verdict, summary: tuple[Verdict, ...]) -> Verdict:
    """The Published condition, which names what stalls the way to the public where it knew no better."""
    stall = next((verdict for verdict in summary if verdict.type is ConditionType.STALLED), None)
    if stall is None or published.status is ConditionStatus.TRUE or published.reason not in UNDER_WAY:
        return published
    return c.false(ConditionType.PUBLISHED, stall.reason, stall.message)


def _stalled(decision: Decision, outcome: Outcome) -> tuple[Reason, str] | None:
    """What only a change of spec, or of a foreign object, can mend."""
    facts, failure = decision.facts, outcome.failure
    refused_write = None if failure is None else refusal(failure)
    if refused_write is not None:
        return refused_write
    theirs = squatter(decision)
    if theirs:
        return Reason.NAME_COLLISION, theirs
    unmet = refused(facts, decision.rollout.gates)
    if unmet is not None:
        return unmet.reason, unmet.message
    for running in decision.rollout.running:
        text = failure_of(facts.deployment(running.release.name))
        if text is not None:
            return Reason.ROLLOUT_FAILED, text
    return None


def _under_way(decision: Decision, published: Verdict) -> tuple[Reason, str] | None:
    """What the operator, the cluster, the gateway or the rest of the way to the public is still doing."""
    facts = decision.facts
    if decision.actions:
        return Reason.PROGRESSING, f"{len(decision.actions)} more changes to make"
    for running in decision.rollout.running:
        if not _settled(facts, running):
            text = f"release {running.release.template.version} ({running.release.name}) waits for its Pods"
            return Reason.AWAITING_PODS, text
    if decision.rollout.switches_at is not None:
        text = f"switched to at {instant(decision.rollout.switches_at)}, once the release before is drained"
        return Reason.SWITCHING, text
    if any(route is not None and route.terminating for route in (facts.route, facts.former)):
        return Reason.PROGRESSING, "the public route is being removed"
    if doubted(published):
        return (published.reason, published.message) if still_looking(decision) else None
    silent = published.reason in SILENT
    if silent or (facts.face is Face.LIVE and published.reason is not Reason.PUBLISHED):
        return published.reason, published.message
    stays = next(not_in_place(decision.rollout.shown), None)
    chosen = decision.rollout.shown is not None and decision.rollout.shown.chosen
    if facts.face is Face.LIVE and stays is not None and chosen:
        return stays.reason, stays.message
    return None


def _settled(facts: Facts, running: Running) -> bool:
    deployment = facts.deployment(running.release.name)
    if running.replicas == 0:
        return scaled_to_zero(deployment)
    return rolled_out(deployment, running.replicas)
