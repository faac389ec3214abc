# SPDX-License-Identifier: Apache-2.0
"""The Published condition: what the public sees, as the gateway reports it, and why not where it is not."""

from __future__ import annotations

from dataclasses import replace

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.answering import SILENT, answer_of
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.contests import contested_here
from eservice_operator.core.dates import instant
from eservice_operator.core.decide import Decision
from eservice_operator.core.domain import gate_list
from eservice_operator.core.driver import Serving
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.remembered import kept_off, why_kept_off
from eservice_operator.core.showing import taken_off
from eservice_operator.core.unpublication import blocking_decision, ground
from eservice_operator.core.world import Observed


def published_verdict(decision: Decision) -> Verdict:
    """Whether the public is served: what the gateway reports of the route, or why there is none.

    What was true stays true until the gateway has answered for the route as it is now: it goes on serving
    what it was told before.
    """
    shown = decision.rollout.shown
    stays = f"; it cannot move: {shown.cannot_move}" if shown is not None and shown.cannot_move else ""
    said = _said(decision)
    return replace(said, message=said.message + stays)


def _said(decision: Decision) -> Verdict:
    facts = decision.facts
    lingers = None if facts.lingering is None else _by_former(decision, facts.lingering)
    if lingers is not None:
        return _served(decision, lingers)
    seen = answer_of(facts)
    if seen is None:
        return _off(decision)
    if seen.reason in SILENT:
        still = seen.served and facts.was_public
        if still or facts.face is Face.LIVE:
            return _served(decision, Serving(still, seen.reason, seen.message))
        return _off(decision)
    if facts.face is Face.LIVE:
        return _served(decision, _beside_former(facts, seen))
    shown = "is shown" if seen.served else f"is not shown: {seen.message}"
    return _off(decision, f"; the notice page {shown}")


def _by_former(decision: Decision, former: Observed) -> Serving | None:
    """What still serves it from before another driver was set up; None once the new one does."""
    facts = decision.facts
    by = f"the {former.ref.kind} {former.ref.name} of before serves it"
    seen = answer_of(facts)
    if seen is not None:
        text = f"{seen.message}; until then {by}"
        return None if seen.served else Serving(served=True, reason=Reason.AWAITING_GATEWAY, message=text)
    if decision.rollout.serves or taken_off(facts, decision.rollout.public):
        return Serving(served=True, reason=Reason.AWAITING_GATEWAY, message=by)
    text = (
        f"{by}; it gets no {facts.driver.kind} before it passes: {gate_list(decision.rollout.public_gates)}"
    )
    return Serving(served=True, reason=Reason.PUBLISHED, message=text)


def _beside_former(facts: Facts, seen: Serving) -> Serving:
    """What is said of a route that nobody answers for: the one of before serves until people delete it."""
    former = facts.lingering
    if former is None or facts.driver.answers:
        return seen
    by = f"the {former.ref.kind} {former.ref.name} of before serves it too, until somebody deletes it"
    return replace(seen, message=f"{seen.message}; {by}")


def _served(decision: Decision, seen: Serving) -> Verdict:
    facts = decision.facts
    beside = () if facts.public_name == facts.wanted.name else decision.rollout.public_gates
    but = f"; the public release does not pass: {gate_list(beside)}" if seen.served and beside else ""
    if seen.served and (others := contested_here(facts)):
        but += f"; {others}"
    if seen.served and (ended := _pause_ended(facts)):
        but += f"; {ended}"
    return (c.true if seen.served else c.false)(ConditionType.PUBLISHED, seen.reason, seen.message + but)


def _pause_ended(facts: Facts) -> str:
    """That a pause which the spec still has is over, or was so from the start; empty without one."""
    paused = facts.spec.publication.paused
    if facts.paused or paused is None or paused.until is None:
        return ""
    return f"spec.publication.paused ended at {instant(paused.until)} and pauses nothing any more"


def _off(decision: Decision, but: str = "") -> Verdict:
    facts = decision.facts
    reason, text = _taken_off(facts) or _not_before_it_is_read(facts) or _not_yet(decision)
    return c.false(ConditionType.PUBLISHED, reason, text + but)


def _taken_off(facts: Facts) -> tuple[Reason, str] | None:
    """What takes a running service off the public route."""
    registration, paused = facts.world.registration, facts.spec.publication.paused
    if registration is not None and registration.spec.suspended is not None:
        text = f"suspended by the Agency: {registration.spec.suspended.reason}"
        return Reason.REGISTRATION_SUSPENDED, text
    if facts.paused and paused is not None:
        return Reason.PAUSED, f"paused by the institution: {paused.reason}"
    template = facts.public_template
    if template is None:
        return None
    blocking, gone = blocking_decision(facts, template), kept_off(facts, template)
    if blocking is None:
        return None if gone is None else (Reason.TEMPLATE_OVERDUE, why_kept_off(facts, gone))
    text = (
        f"unpublished by UnpublishDecision {blocking.metadata.name}: {template.version} is overdue since"
        f" {ground(facts, blocking).overdue_since}; comes back by itself once renewed"
    )
    return Reason.TEMPLATE_OVERDUE, text


def _not_before_it_is_read(facts: Facts) -> tuple[Reason, str] | None:
    if not facts.world.errors:
        return None
    return Reason.INVALID_SPEC, "it has no public route, and gets none before its spec can be read"


def _not_yet(decision: Decision) -> tuple[Reason, str]:
    """What a release that may be public waits for."""
    facts, rollout = decision.facts, decision.rollout
    gates = rollout.gates if facts.public_name is None else rollout.public_gates or rollout.gates
    if gates:
        return gates[0].reason, gates[0].message
    return Reason.SWITCHING, "every gate is passed; the release is being made public"
