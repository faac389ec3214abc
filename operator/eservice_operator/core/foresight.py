# SPDX-License-Identifier: Apache-2.0
"""What a forecast tells of: the dated changes of an e-service, found by comparing it before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import local_day
from eservice_operator.core.decision_tidings import announced_anew
from eservice_operator.core.facts import Facts
from eservice_operator.core.tidings import SERVED


class Happening(StrEnum):
    """What can happen by itself, as a forecast names it."""

    WARN = "Warn"
    MIGRATION_DUE = "MigrationDue"
    INSTALLATION_OVERDUE = "InstallationOverdue"
    UNPUBLISH = "Unpublish"
    HOLD = "Hold"
    REPUBLISH = "Republish"


class Foreseen(NamedTuple):
    """One thing that happens to an e-service; sorts by time, then by place."""

    at: datetime
    namespace: str
    name: str
    action: Happening
    why: str
    template: str = ""
    version: str = ""
    decision: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What of an e-service can turn into something foreseen."""

    status: EServiceStatus
    began: bool
    """Whether it has a release that was public."""
    decisions: Mapping[str, UnpublishDecisionStatus]
    """The recorded status of each decision, by name."""
    migration_due: bool
    opening: bool = False
    """Whether nothing was told of it yet: what is held to begin with is told once."""


def mark_of(facts: Facts, status: EServiceStatus, *, opening: bool = False) -> Mark:
    """The mark of an e-service with that status, its decisions as they are recorded."""
    return Mark(
        status=status,
        began=facts.public_name is not None,
        decisions={decision.metadata.name: decision.status for decision in facts.decisions},
        migration_due=_migration_due(facts),
        opening=opening,
    )


def is_public(status: EServiceStatus) -> bool:
    """Whether the public is served, by the gateway's word where the look from outside doubts it."""
    published = find(status.conditions, ConditionType.PUBLISHED)
    if published is not None and published.status is ConditionStatus.UNKNOWN:
        return status.phase in SERVED
    return published is not None and published.status is ConditionStatus.TRUE


def _migration_due(facts: Facts) -> bool:
    """R7: the duty is one of Production."""
    lag = facts.public_lag
    return facts.production and lag is not None and lag.migration_due(facts.today)


def changes(facts: Facts, before: Mark, after: Mark) -> Iterator[Foreseen]:
    """What happened to an e-service at an instant."""
    for decision in facts.decisions:
        name = decision.metadata.name
        old, new = before.decisions.get(name), after.decisions[name]
        if before.opening and old is not None and _stays_held(old, new):
            yield _decided(facts, Happening.HOLD, decision, _held_already(facts, new))
        else:
            yield from _of_decision(facts, decision, old, new)
    if is_public(after.status) and before.began and not is_public(before.status):
        yield _foreseen(facts, Happening.REPUBLISH, "back on the public route")
    yield from _of_dates(facts, before, after)


def _of_dates(facts: Facts, before: Mark, after: Mark) -> Iterator[Foreseen]:
    """What comes with a day: the steps of a policy that only warns (R8), and terms that run out (R7, R5)."""
    lag, (old, new) = after.status.template, (before.status, after.status)
    if lag.decision is None and lag.warned_at is not None and lag.warned_at != old.template.warned_at:
        why = f"overdue from {lag.overdue_since} unless renewed; the template's policy only warns"
        yield _foreseen(facts, Happening.WARN, why)
    if after.migration_due and not before.migration_due:
        why = f"R7: the last day for migrating was {lag.migrate_by}"
        yield _foreseen(facts, Happening.MIGRATION_DUE, why)
    if new.installation.overdue_since is not None and old.installation.overdue_since is None:
        why = f"R5: not installed by the tenth working day, {new.installation.due_by}"
        yield _foreseen(facts, Happening.INSTALLATION_OVERDUE, why)


def _of_decision(
    facts: Facts,
    decision: UnpublishDecision,
    before: UnpublishDecisionStatus | None,
    after: UnpublishDecisionStatus,
) -> Iterator[Foreseen]:
    """What became of a decision: it takes effect, is held, or people are told of it once more."""
    match after.state:
        case DecisionState.EFFECTIVE if before is None or before.state is not after.state:
            yield _decided(facts, Happening.UNPUBLISH, decision, after.message)
        case DecisionState.HELD if before is None or _held_by(before) != _held_by(after):
            yield _decided(facts, Happening.HOLD, decision, f"{after.reason}: {after.message}")
        case DecisionState.SCHEDULED if before is None or before.warned_at != after.warned_at:
            yield _decided(facts, Happening.WARN, decision, _announced(facts, before, after))


def _stays_held(before: UnpublishDecisionStatus, after: UnpublishDecisionStatus) -> bool:
    return after.state is DecisionState.HELD and _held_by(before) == _held_by(after)


def _held_already(facts: Facts, status: UnpublishDecisionStatus) -> str:
    """What holds a decision that was held before the forecast begins, and for when it was announced."""
    at = status.effective_at
    day = "" if at is None else f", announced for {local_day(at, facts.policy.zone)}"
    return f"{status.reason}: {status.message} (held already{day})"


def _held_by(status: UnpublishDecisionStatus) -> tuple[DecisionState, str | None, str | None]:
    return status.state, status.reason, status.hold_token


def _announced(facts: Facts, before: UnpublishDecisionStatus | None, after: UnpublishDecisionStatus) -> str:
    """What people are told of a decision, and on what occasion."""
    if before is None:
        return f"decided: {_leaves(facts, after)}"
    if announced_anew(before, after):
        return f"announced anew: {_leaves(facts, after)}"
    return _leaves(facts, after)


def _leaves(facts: Facts, status: UnpublishDecisionStatus) -> str:
    """What is announced, as people read it."""
    at = status.effective_at
    day = "an unknown day" if at is None else local_day(at, facts.policy.zone)
    return f"leaves the public route on {day} unless renewed"


def _decided(facts: Facts, action: Happening, decision: UnpublishDecision, why: str) -> Foreseen:
    """Something that happens because of a decision."""
    release, name = decision.spec.release.template, decision.metadata.name
    token = decision.status.hold_token if decision.status.reason == Reason.BRAKE else None
    return _foreseen(facts, action, why)._replace(
        template=release.name, version=release.version, decision=name, token=token or ""
    )


def _foreseen(facts: Facts, action: Happening, why: str) -> Foreseen:
    """Something that happens to the e-service; the template is that in public use, or else the wanted one."""
    namespace, name = facts.place
    template = facts.public_template or facts.wanted.template
    return Foreseen(facts.now.astimezone(UTC), namespace, name, action, why, template.name, template.version)
