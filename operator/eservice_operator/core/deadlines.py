# SPDX-License-Identifier: Apache-2.0
"""When to look at an e-service again: the earliest instant at which any answer can change by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from eservice_operator.api.acts import DecisionState
from eservice_operator.core.dates import add_working_days, day_after_end, start_of_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.rollout import Rollout
from eservice_operator.core.unpublication import judge

INSTALL_WITHIN_WORKING_DAYS = 10


def installation_due(facts: Facts) -> date | None:
    """R5: the tenth working day after the later of (act signed, request received); none before both."""
    request = facts.spec.production_request
    act = facts.act(facts.wanted)
    if not facts.production or request is None or act is None or not facts.in_force(act):
        return None
    start = max(request.requested_at, act.spec.signed_at)
    return add_working_days(start, INSTALL_WITHIN_WORKING_DAYS, facts.policy.calendar)


def next_instant(facts: Facts, rollout: Rollout) -> datetime | None:
    """The earliest instant after now at which the decision or the report can come out differently."""
    zone = facts.policy.zone
    candidates = [start_of_day(day, zone) for day in _days(facts)]
    candidates += list(_instants(facts, rollout))
    return min((at for at in candidates if at > facts.now), default=None)


def _days(facts: Facts) -> Iterator[date]:
    """Local days whose first instant matters."""
    for version in (v for known in facts.world.templates.values() for v in known.catalogue.versions):
        for day in (version.published, version.withdrawn_at):
            if day is not None:
                yield day
    for lag in (facts.public_lag, facts.lag(facts.wanted.template)):
        if lag is not None and lag.overdue_since is not None:
            yield lag.overdue_since
    for known in facts.world.templates.values():
        if known.template.spec.lifecycle.enforce_from is not None:
            yield known.template.spec.lifecycle.enforce_from
    for act in facts.world.acts:
        if act.spec.revoked is not None:
            yield act.spec.revoked.at
    for deferral in facts.world.deferrals:
        if deferral.spec.revoked is not None:
            yield deferral.spec.revoked.at
    for decision in facts.world.decisions:
        if decision.spec.revoked is not None:
            yield decision.spec.revoked.at


def _instants(facts: Facts, rollout: Rollout) -> Iterator[datetime]:
    """Instants that matter, and the ends of local days."""
    zone = facts.policy.zone
    for decision in facts.world.decisions:
        status = judge(facts, decision)
        if status.state is DecisionState.SCHEDULED and status.effective_at is not None:
            yield status.effective_at
    for verification in facts.world.verifications:
        yield verification.spec.verified_at
    paused = facts.spec.publication.paused
    if paused is not None and paused.until is not None:
        yield paused.until
    if rollout.drained_at is not None:
        yield rollout.drained_at
    for lag in (facts.public_lag, facts.lag(facts.wanted.template)):
        if lag is not None and lag.migrate_by is not None:
            yield day_after_end(lag.migrate_by, zone)
    due = installation_due(facts)
    if due is not None:
        yield day_after_end(due, zone)
