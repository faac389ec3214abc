# SPDX-License-Identifier: Apache-2.0
"""What happens next by itself: the earliest dated change of an e-service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.eservice import Next
from eservice_operator.core.availability import available
from eservice_operator.core.conditions import told
from eservice_operator.core.dates import day_after_end
from eservice_operator.core.deadlines import installation_due
from eservice_operator.core.decide import Decision
from eservice_operator.core.holds import foreseen_hold
from eservice_operator.core.unpublication import governing_decision, judge


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
        expected = judged.state is DecisionState.SCHEDULED and foreseen_hold(facts, governing) is None
        if expected and judged.effective_at is not None:
            yield Next(
                action="Unpublish",
                at=judged.effective_at,
                why=told(f"{judged.message} ({governing.metadata.name})"),
            )
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
