# SPDX-License-Identifier: Apache-2.0
"""What happens next by itself: the earliest dated change of an e-service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from eservice_operator.api.course import Next
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.naming import named
from eservice_operator.core.availability import available
from eservice_operator.core.conditions import told
from eservice_operator.core.dates import day_after_end
from eservice_operator.core.deadlines import installation_due
from eservice_operator.core.decide import Decision
from eservice_operator.core.facts import Facts
from eservice_operator.core.holds import foreseen_hold, frozen, uninformed_until
from eservice_operator.core.unpublication import governing_decision, judge

ENDING_BY_THEMSELVES = frozenset({Reason.NOTICE_UNDELIVERED, Reason.RENEWAL_UNDER_WAY})
"""What holds a decision up to a day that is known, and no longer."""


def takes_effect_at(
    facts: Facts, decision: UnpublishDecision, judged: UnpublishDecisionStatus
) -> datetime | None:
    """R8: when a decision takes effect by itself, by what is known: its instant, or the end of what holds it.

    None when it is in effect or closed, when people have to act first, or when it will lack its ground. What
    is held by a notice or a renewal has its ground today, and so on every later day.
    """
    if judged.effective_at is None:
        return None
    if judged.state is DecisionState.SCHEDULED:
        return judged.effective_at if foreseen_hold(facts, decision) is None else None
    if judged.state is not DecisionState.HELD or judged.reason not in ENDING_BY_THEMSELVES:
        return None
    if frozen(decision, judged.released_at) is not None:
        return None
    ends = [uninformed_until(facts, decision, judged.effective_at)]
    if judged.reason == Reason.RENEWAL_UNDER_WAY and judged.fairness is not None:
        ends.append(day_after_end(judged.fairness.until, facts.policy.zone))
    return max((end for end in ends if end is not None), default=None)


def outlook(decision: Decision) -> Next | None:
    """The earliest of the dated changes that lie ahead."""
    now = decision.facts.now
    return min(
        (change for change in _changes(decision) if change.at > now),
        key=lambda change: change.at,
        default=None,
    )


def _changes(decision: Decision) -> Iterator[Next]:
    facts = decision.facts
    zone = facts.policy.zone
    governing = governing_decision(facts)
    lag = facts.public_lag
    if governing is not None:
        judged = judge(facts, governing)
        at = takes_effect_at(facts, governing, judged)
        if at is not None:
            why = told(f"{judged.message} ({governing.metadata.name})")
            yield Next(action="Unpublish", at=at, why=why)
    paused = facts.spec.publication.paused
    if facts.public_name is not None and facts.paused and paused is not None and paused.until is not None:
        until = paused.until.astimezone(UTC)
        yield Next(action="Republish", at=until, why=f"the pause ends: {paused.reason}")
    if lag is not None and lag.migrate_by is not None:
        why = f"R7: the last day for migrating is {lag.migrate_by}"
        yield Next(action="MigrationDue", at=day_after_end(lag.migrate_by, zone), why=why)
    due = installation_due(facts)
    if due is not None and not available(facts.deployment(facts.wanted.name)):
        why = f"R5: the tenth working day is {due}"
        yield Next(action="InstallationOverdue", at=day_after_end(due, zone), why=why)
    yield from _ends_of_access(facts)


def _ends_of_access(facts: Facts) -> Iterator[Next]:
    """R3, R10: the ends of what holders granted, and of the contract versions."""
    for standing in map(facts.standing, facts.spec.uses):
        if standing.allowed and standing.ends_on is not None:
            why = f"R10: the last day of {named(standing.use)} ({standing.use.name}) is {standing.ends_on}"
            yield Next(
                action="AccessEnds", at=day_after_end(standing.ends_on, facts.policy.zone), why=told(why)
            )
