# SPDX-License-Identifier: Apache-2.0
"""What a forecast tells of: the dated changes of an e-service, found by comparing it before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core.availability import available
from eservice_operator.core.conditions import find
from eservice_operator.core.dates import local_day
from eservice_operator.core.deadlines import installation_due
from eservice_operator.core.facts import Facts
from eservice_operator.core.posting import ladders
from eservice_operator.core.promise import LOST_GROUND


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

    public: bool
    """Whether the public is served."""
    began: bool
    """Whether it has a release that was public."""
    decisions: tuple[tuple[str, DecisionState, str, str], ...]
    """Name, state, reason and token of each decision."""
    migration_due: bool
    installation_overdue: bool


def mark_of(facts: Facts, status: EServiceStatus) -> Mark:
    """The mark of an e-service with that status, its decisions as they are recorded."""
    return Mark(
        public=is_public(status),
        began=facts.public_name is not None,
        decisions=tuple(
            (one.metadata.name, one.status.state, one.status.reason or "", one.status.hold_token or "")
            for one in facts.decisions
        ),
        migration_due=_migration_due(facts),
        installation_overdue=_installation_overdue(facts),
    )


def is_public(status: EServiceStatus) -> bool:
    """Whether a status says that the public is served."""
    published = find(status.conditions, ConditionType.PUBLISHED)
    return published is not None and published.status is ConditionStatus.TRUE


def _migration_due(facts: Facts) -> bool:
    """R7: the duty is one of Production."""
    lag = facts.public_lag
    return facts.production and lag is not None and lag.migration_due(facts.today)


def _installation_overdue(facts: Facts) -> bool:
    due = installation_due(facts)
    return due is not None and due < facts.today and not available(facts.deployment(facts.wanted.name))


def changes(facts: Facts, before: Mark, after: Mark) -> Iterator[Foreseen]:
    """What happened to an e-service at an instant."""
    known = {entry[0]: entry[1:] for entry in before.decisions}
    by_name = {decision.metadata.name: decision for decision in facts.decisions}
    for name, state, reason, token in after.decisions:
        if known.get(name) != (state, reason, token):
            yield from _of_decision(facts, by_name[name], known.get(name))
    if after.public and before.began and not before.public:
        yield _foreseen(facts, Happening.REPUBLISH, facts.now, "back on the public route")
    lag, due = facts.public_lag, installation_due(facts)
    if after.migration_due and not before.migration_due and lag is not None:
        why = f"R7: the last day for migrating was {lag.migrate_by}"
        yield _foreseen(facts, Happening.MIGRATION_DUE, facts.now, why)
    if after.installation_overdue and not before.installation_overdue:
        why = f"R5: not installed by the tenth working day, {due}"
        yield _foreseen(facts, Happening.INSTALLATION_OVERDUE, facts.now, why)


def _of_decision(
    facts: Facts, decision: UnpublishDecision, before: tuple[DecisionState, str, str] | None
) -> Iterator[Foreseen]:
    """What became of a decision, its status judged for this instant."""
    status = decision.status
    if status.state is DecisionState.EFFECTIVE:
        if before is None or before[0] is not DecisionState.EFFECTIVE:
            yield _decided(facts, Happening.UNPUBLISH, decision, status.message)
    elif status.state is DecisionState.HELD:
        yield _decided(facts, Happening.HOLD, decision, f"{status.reason}: {status.message}")
    elif status.state is DecisionState.SCHEDULED and before is None:
        yield _decided(facts, Happening.WARN, decision, f"decided: {_leaves(facts, status)}")
    elif status.state is DecisionState.SCHEDULED and before is not None and before[1] in LOST_GROUND:
        yield _decided(facts, Happening.WARN, decision, f"announced anew: {_leaves(facts, status)}")


def warnings(facts: Facts, since: datetime) -> Iterator[Foreseen]:
    """The steps of warnBefore that are taken now, unless they were before (R8).

    Earlier ones of a ladder that has just moved are past: nobody is warned by them.
    """
    for at, decision in _ladder(facts):
        if since < at == facts.now:
            if decision is None:
                lag = facts.public_lag
                day = None if lag is None else lag.overdue_since
                why = f"overdue from {day} unless renewed; the template's policy only warns"
                yield _foreseen(facts, Happening.WARN, at, why)
            else:
                yield _decided(facts, Happening.WARN, decision, _leaves(facts, decision.status), at)


def next_warning(facts: Facts) -> datetime | None:
    """The next step of warnBefore after now."""
    return min((at for at, _ in _ladder(facts) if at > facts.now), default=None)


def _ladder(facts: Facts) -> Iterator[tuple[datetime, UnpublishDecision | None]]:
    """The instants at which people are warned, with the decision that they are warned of."""
    return ((step, decision) for decision, steps in ladders(facts) for step in steps)


def _leaves(facts: Facts, status: UnpublishDecisionStatus) -> str:
    """What is announced, as people read it."""
    at = status.effective_at
    day = "an unknown day" if at is None else local_day(at, facts.policy.zone)
    return f"leaves the public route on {day} unless renewed"


def _decided(
    facts: Facts, action: Happening, decision: UnpublishDecision, why: str, at: datetime | None = None
) -> Foreseen:
    """Something that happens because of a decision."""
    release, name = decision.spec.release.template, decision.metadata.name
    token = decision.status.hold_token if decision.status.reason == Reason.BRAKE else None
    return _foreseen(facts, action, at or facts.now, why)._replace(
        template=release.name, version=release.version, decision=name, token=token or ""
    )


def _foreseen(facts: Facts, action: Happening, at: datetime, why: str) -> Foreseen:
    """Something that happens to the e-service; the template is that in public use, or else the wanted one."""
    namespace, name = facts.place
    template = facts.public_template or facts.wanted.template
    return Foreseen(at.astimezone(UTC), namespace, name, action, why, template.name, template.version)
