# SPDX-License-Identifier: Apache-2.0
"""When to look at an e-service again: the earliest instant at which any answer can change by itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from eservice_operator.api.acts import AcceptanceAct
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDeferral
from eservice_operator.api.reasons import Reason
from eservice_operator.core.access.case import AgentCase
from eservice_operator.core.access.turns import assignment_turns, customer_turns, turns
from eservice_operator.core.answering import patience_ends
from eservice_operator.core.availability import available
from eservice_operator.core.dates import (
    ONE_SECOND,
    add_working_days,
    day_after_end,
    following_day,
    start_of_day,
)
from eservice_operator.core.facts import Facts
from eservice_operator.core.fairness import INSTALL_WITHIN_WORKING_DAYS
from eservice_operator.core.holds import uninformed_until
from eservice_operator.core.posting import next_notice
from eservice_operator.core.preview import preview_patience_ends
from eservice_operator.core.rollout import Rollout
from eservice_operator.core.unpublication import is_open, judge

A_LITTLE_LATER = timedelta(minutes=1)
"""When to look again at what is held by something that nobody may announce the end of."""


def installation_due(facts: Facts) -> date | None:
    """R5: the tenth working day after the later of (act signed, request received); none before both."""
    request = facts.spec.production_request
    act = facts.act(facts.wanted)
    if not facts.production or request is None or act is None or not facts.in_force(act):
        return None
    start = max(request.requested_at, act.spec.signed_at)
    return add_working_days(start, INSTALL_WITHIN_WORKING_DAYS, facts.policy.calendar)


def next_instant(facts: Facts, rollout: Rollout) -> datetime | None:
    """The earliest instant after now, in whole seconds, at which an answer can come out differently."""
    now, today = facts.now, facts.today
    days = [day for day in _days(facts) if day > today]
    to_come = [at for at in _instants(facts, rollout) if at > now]
    if days:
        to_come.append(start_of_day(min(days), facts.policy.zone))
    return _whole(min(to_come)) if to_come else None


def _whole(at: datetime) -> datetime:
    """The first whole second that is not before an instant: decisions count in whole seconds."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + ONE_SECOND


def _days(facts: Facts) -> Iterator[date]:
    """Local days, the first instant of which matters."""
    today = facts.today
    for known in facts.world.templates.values():
        following = bisect_right(known.turns, today)
        yield from known.turns[following : following + 1]
    for template in _templates(facts):
        lag = facts.lag(template)
        if lag is not None and lag.overdue_since is not None:
            yield lag.overdue_since
        ends = None if lag is None or lag.migrate_by is None else following_day(lag.migrate_by)
        if ends is not None:
            yield ends
    due = None if available(facts.deployment(facts.wanted.name)) else installation_due(facts)
    ends = None if due is None else following_day(due)
    if ends is not None:
        yield ends
    for record in _revocable(facts):
        if record.spec.revoked is not None:
            yield record.spec.revoked.at


def _revocable(facts: Facts) -> tuple[AcceptanceAct | UnpublishDeferral | UnpublishDecision, ...]:
    return (*facts.world.acts, *facts.world.deferrals, *facts.decisions)


def _templates(facts: Facts) -> Iterator[TemplateRef]:
    """The template versions whose lag some answer rests on."""
    yield facts.wanted.template
    if facts.public_template is not None:
        yield facts.public_template
    yield from (decision.spec.release.template for decision in facts.decisions if is_open(decision))


def _turns_of(facts: Facts, decision: UnpublishDecision) -> Iterator[datetime]:
    """The instants at which a decision comes to take effect, or a hold of it ends."""
    status = judge(facts, decision)
    if status.state not in {DecisionState.SCHEDULED, DecisionState.HELD} or status.effective_at is None:
        return
    yield status.effective_at
    uninformed = uninformed_until(facts, decision, status.effective_at)
    if uninformed is not None:
        yield uninformed
    if status.fairness is not None:
        yield day_after_end(status.fairness.until, facts.policy.zone)
    if status.reason == Reason.BRAKE and status.hold_token is None:
        yield facts.now + _until_frozen(facts.now - status.effective_at)
    if status.state is DecisionState.HELD and not facts.policy.clock_trusted:
        yield facts.now + A_LITTLE_LATER


def _until_frozen(waited: timedelta) -> timedelta:
    """How soon to ask the brake again, seldom once it has been asked for long.

    Another decision may have left the window before the template had a set to make: then no template is
    written, nothing wakes this one, and it is free.
    """
    return min(max(waited / 2, ONE_SECOND), A_LITTLE_LATER)


def _instants(facts: Facts, rollout: Rollout) -> Iterator[datetime]:
    for decision in facts.decisions:
        yield from _turns_of(facts, decision)
    for verification in facts.world.verifications:
        yield verification.spec.verified_at
    paused = facts.spec.publication.paused
    if paused is not None and paused.until is not None:
        yield paused.until
    if rollout.drained_at is not None:
        yield rollout.drained_at
    if rollout.switches_at is not None:
        yield rollout.switches_at
    yield from patience_ends(facts)
    yield from preview_patience_ends(facts)
    yield from _turns_of_access(facts)
    notice = next_notice(facts)
    if notice is not None:
        yield notice


def _turns_of_access(facts: Facts) -> Iterator[datetime]:
    """R3, R9, R10: when what holders have said of web services comes to count, or ends.

    A grant that changes is news by its status. This does not wait for it: what ends is closed at the instant.
    """
    access, zone = facts.world.access, facts.policy.zone
    for case in access.uses:
        for grant in case.grants:
            yield from turns(grant, zone)
        if case.agent is not None:
            yield from _turns_through(case.agent, zone)
    for agent in access.served:
        yield from _turns_through(agent, zone)


def _turns_through(agent: AgentCase, zone: ZoneInfo) -> Iterator[datetime]:
    yield from assignment_turns(agent.assignment, zone)
    yield from customer_turns(agent.assignment, zone)
    for connection in agent.connections:
        yield from turns(connection, zone)
