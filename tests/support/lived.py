# SPDX-License-Identifier: Apache-2.0
"""What happens to a fleet in memory, read off the statuses and routes that its operator leaves behind.

It is told in the words of a forecast, and found without any of a forecast's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from eservice_operator.api.decisions import DecisionState, UnpublishDecisionStatus
from eservice_operator.core.dates import local_day
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import RIGA

Event = tuple[datetime, str, str]
"""When, to whom, what."""


@dataclass(frozen=True)
class Seen:
    """What is there to be seen of one e-service."""

    routed: bool
    decisions: dict[str, UnpublishDecisionStatus]
    warned_at: datetime | None
    """That of a policy which only warns."""
    migrate_by: date | None
    installation_overdue: bool


def seen(cluster: PureCluster) -> Seen:
    status = cluster.status
    public = status.release.public is not None and cluster.service.spec.environment.value == "Production"
    return Seen(
        cluster.routed(),
        {one.metadata.name: one.status for one in cluster.decisions},
        status.template.warned_at if status.template.decision is None else None,
        status.template.migrate_by if public else None,
        status.installation.overdue_since is not None,
    )


def lived(fleet: PureFleet, start: datetime, until: datetime) -> list[Event]:
    """What happens to a fleet, from what is there before and after each instant.

    What is held at the start, and stays held then, is the first thing that is told of it.
    """
    events: list[Event] = []
    before, now = start, start
    while now <= until:
        old = {name: seen(cluster) for name, cluster in fleet.members.items()}
        following = fleet.settle(now)
        for name, cluster in fleet.members.items():
            new = seen(cluster)
            events += [(now, name, what) for what in _between(old[name], new, before, now)]
            if now == start:
                events += [(now, name, "Hold") for _ in _stay_held(old[name], new)]
        if following is None:
            break
        before, now = now, following
    return sorted(events)


def _stay_held(old: Seen, new: Seen) -> list[str]:
    """The decisions that were held, and still are for the same reason."""
    kept = old.decisions.keys() & new.decisions.keys()
    return [name for name in kept if _hold_of(old.decisions[name]) == _hold_of(new.decisions[name]) != ()]


def _hold_of(status: UnpublishDecisionStatus) -> tuple[str | None, ...]:
    """What holds a decision, as far as that tells one hold from another; empty when nothing does."""
    return (status.reason, status.hold_token) if status.state is DecisionState.HELD else ()


def _between(old: Seen, new: Seen, before: datetime, now: datetime) -> list[str]:
    found: list[str] = []
    for name, status in new.decisions.items():
        found += _of_decision(old.decisions.get(name), status)
    if new.warned_at is not None and new.warned_at != old.warned_at:
        found.append("Warn")
    if new.routed and not old.routed:
        found.append("Republish")
    if _breached(new, now) and not _breached(old, before):
        found.append("MigrationDue")
    if new.installation_overdue and not old.installation_overdue:
        found.append("InstallationOverdue")
    return found


def _of_decision(old: UnpublishDecisionStatus | None, new: UnpublishDecisionStatus) -> list[str]:
    states: list[Any] = [
        None if one is None else (one.state, one.reason, one.hold_token) for one in (old, new)
    ]
    if new.state is DecisionState.EFFECTIVE and (old is None or old.state is not new.state):
        return ["Unpublish"]
    if new.state is DecisionState.HELD and states[0] != states[1]:
        return ["Hold"]
    warned = new.warned_at is not None and (old is None or old.warned_at != new.warned_at)
    return ["Warn"] if warned and new.state is DecisionState.SCHEDULED else []


def _breached(of: Seen, now: datetime) -> bool:
    return of.migrate_by is not None and of.migrate_by < local_day(now, RIGA)
