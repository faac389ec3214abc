# SPDX-License-Identifier: Apache-2.0
"""R8: what was decided outlives the record of it, should somebody delete an open decision.

The public route and the status of the EService remember the last decision. While a remembered open one is
not there, what it took off the public route stays off; the one made in its place keeps its promise, or goes
on with its effect. An institution that may write the status may make up a decision, and any part of one. All
of what the route of a Gateway records is believed; of what the status says beside it only what it takes, and
nothing that it gives: no later instant, no brake.
"""

from __future__ import annotations

from collections.abc import Iterable

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.dates import local_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.holds import groundless
from eservice_operator.core.promise import lapsed
from eservice_operator.core.recorded import ground_as_judged
from eservice_operator.core.releases import same_template
from eservice_operator.core.unjudged import number_of
from eservice_operator.core.unpublication import governing_decision, judge, open_about


def missing_decision(facts: Facts) -> RememberedDecision | None:
    """The open decision about the public release that was deleted, and has none in its place yet.

    Of an Ingress, on which nothing can be recorded, the status is believed: whoever may write it may promise
    a later instant there, and an institution that may not is kept what it was promised.
    """
    if not facts.production:
        return None
    said = facts.world.service.status.last_decision
    if not facts.driver.far:
        return said if _is_missing(facts, said) else None
    if _is_missing(facts, facts.recorded_decision):
        return facts.recorded_decision
    return None if said is None or not _is_missing(facts, said) else _what_it_takes(said, facts)


def _is_missing(facts: Facts, old: RememberedDecision | None) -> bool:
    """Whether a remembered decision was open, about the public release, and has nothing in its place.

    It is about another release, and so over, where more says so than the institution's word. One is open at
    a time for a template version, by whichever name; and about one that this e-service never had, there was
    none.
    """
    if old is None or old.effective_at is None:
        return False
    for decision in facts.world.decisions:
        replaced = decision.spec.replaces
        if old.name == decision.metadata.name or (replaced is not None and old.name == replaced.name):
            return False
    if not facts.attested(old.template) or open_about(facts, old.template) is not None:
        return False
    public = facts.proven_template
    return public is None or same_template(public, old.template)


def _what_it_takes(old: RememberedDecision, facts: Facts) -> RememberedDecision | None:
    """Of a decision by the word of the status alone: that it keeps the e-service off, or was to by now."""
    due = old.effective_at is not None and old.effective_at <= facts.now
    if old.effective_since is None and not due:
        return None
    since = None if old.effective_since is None else min(old.effective_since, facts.now)
    return RememberedDecision(
        name=old.name,
        template=old.template,
        overdue_since=old.overdue_since,
        caused_by=old.caused_by,
        effective_at=old.effective_at if due else facts.now,
        effective_since=since,
    )


def kept_off(facts: Facts, template: TemplateRef) -> RememberedDecision | None:
    """The missing decision that took releases on a template version off the public route."""
    gone = missing_decision(facts)
    if gone is None or gone.effective_since is None or not same_template(gone.template, template):
        return None
    return gone


def why_kept_off(facts: Facts, gone: RememberedDecision) -> str:
    """What is to be said of what a missing decision keeps off, until another takes its place."""
    since = "" if gone.effective_since is None else local_day(gone.effective_since, facts.policy.zone)
    template = gone.template
    if facts.lag(template) is None:
        until = f"{template.name} {template.version} is known"
    elif not facts.policy.clock_trusted:
        until = "the operator's clock is trusted"
    else:
        until = "the e-service stands for its registration"
    return (
        f"off the public route since {since} by UnpublishDecision {gone.name}, which was deleted: stays off"
        f" until renewed; a decision that can be revoked takes its place once {until}"
    )


def last_decision(facts: Facts) -> RememberedDecision | None:
    """What the status of the EService is to remember: the open decision, or else the last number given."""
    said = facts.world.service.status.last_decision
    return _open_decision(facts) or _last_ended(facts, (facts.recorded_decision, said))


def to_record(facts: Facts) -> RememberedDecision | None:
    """What the public route is to record: the same, but of what ended nothing that only the status says."""
    return _open_decision(facts) or _last_ended(facts, (facts.recorded_decision,))


def _open_decision(facts: Facts) -> RememberedDecision | None:
    governing = governing_decision(facts)
    if governing is None:
        gone = missing_decision(facts)
        return None if gone is None else _lapsing(facts, gone)
    return _as_seen(facts, governing)


def _last_ended(facts: Facts, remembered: Iterable[RememberedDecision | None]) -> RememberedDecision | None:
    ended = [_ended(one.metadata.name, one.spec.release.template) for one in facts.decisions]
    ended += [_ended(old.name, old.template) for old in remembered if old is not None]
    return max(ended, key=lambda one: number_of(one.name), default=None)


def _lapsing(facts: Facts, gone: RememberedDecision) -> RememberedDecision:
    """The missing decision as it is now: its day can pass without a ground while it is not there."""
    passed = gone.effective_at is not None and facts.now >= gone.effective_at
    if not passed or gone.effective_since is not None or gone.lapsed is not None:
        return gone
    found = groundless(facts, gone.template, facts.today)
    return gone if found is None else gone.model_copy(update={"lapsed": found.reason.value})


def _as_seen(facts: Facts, decision: UnpublishDecision) -> RememberedDecision:
    judged = judge(facts, decision)
    if judged.state is DecisionState.CLOSED:
        return _ended(decision.metadata.name, decision.spec.release.template)
    said = _said(decision, judged)
    for known in (facts.recorded_decision, facts.world.service.status.last_decision):
        if known is not None and vars(known) == said:
            return known
    return RememberedDecision.model_validate(said)


def _said(decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> dict[str, object]:
    """What is remembered of an open decision, by field."""
    ground = ground_as_judged(decision, judged)
    held = judged.hold_token is not None and judged.released_at is None
    return {
        "name": decision.metadata.name,
        "template": decision.spec.release.template,
        "overdue_since": ground.overdue_since,
        "caused_by": ground.caused_by,
        "effective_at": judged.effective_at,
        "undeferred_at": judged.undeferred_at,
        "deferred_until": judged.deferred_until,
        "deferral": judged.deferral,
        "lapsed": judged.reason if lapsed(judged) else None,
        "effective_since": judged.effective_since,
        "hold_token": judged.hold_token if held else None,
        "held_since": judged.held_since if held else None,
    }


def _ended(name: str, template: TemplateRef) -> RememberedDecision:
    return RememberedDecision(name=name, template=template)
