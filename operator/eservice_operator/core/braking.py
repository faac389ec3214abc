# SPDX-License-Identifier: Apache-2.0
"""The decision about one EServiceTemplate: which decisions the brake takes into a set, and its status.

Nobody else gives a decision its token, so that a set is one set however many e-services run into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.template import EServiceTemplateStatus
from eservice_operator.core.abandoned import abandoned
from eservice_operator.core.actions import Action
from eservice_operator.core.brake import Brake
from eservice_operator.core.counting import WINDOW
from eservice_operator.core.dates import ONE_SECOND, local_day, start_of_day
from eservice_operator.core.holds import frozen
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.promise import instant_of
from eservice_operator.core.records import decision_status, status_write
from eservice_operator.core.templating import template_status
from eservice_operator.core.unpublication import is_open, revocation
from eservice_operator.core.world import TemplateWorld


@dataclass(frozen=True)
class TemplateDecision:
    """What to do about a template now, what its status has to say, and when to look again."""

    actions: tuple[Action, ...]
    status: EServiceTemplateStatus
    next_at: datetime | None


def decide_template(world: TemplateWorld, now: datetime, policy: Policy) -> TemplateDecision:
    """Decide about one template at an instant; ``now`` counts in whole seconds."""
    now = now.replace(microsecond=0)
    known = KnownTemplate(world.template, world.catalogue)
    status, following = template_status(world, now, policy)
    actions = (*_freeze(world, known, now, policy), *_close(world, now, policy))
    turns = [] if following is None else [start_of_day(following, policy.zone)]
    turns += _turns(world, known, now, policy)
    return TemplateDecision(actions, status, min((at for at in turns if at > now), default=None))


def _freeze(world: TemplateWorld, known: KnownTemplate, now: datetime, policy: Policy) -> Iterator[Action]:
    """Everything else in a decision's status is its e-service's to say: what is there stays as it is.

    But for one that waits for its token: that it has it now is what its e-service would say next. By a clock
    that is not trusted no set is formed either: only the Agency can dissolve one.
    """
    if not policy.clock_trusted:
        return
    wave = Brake(known, world.fleet, now, policy).wave()
    for decision in sorted(wave.freeze, key=lambda one: one.metadata.name):
        token = {"hold_token": wave.token, "held_since": now, "released_at": None}
        status = _with_token(decision, decision.status.model_copy(update=token), now)
        yield status_write(decision, status, f"the brake takes it into the set {wave.token}")


def _with_token(
    decision: UnpublishDecision, status: UnpublishDecisionStatus, now: datetime
) -> UnpublishDecisionStatus:
    held = frozen(decision.model_copy(update={"status": status}), None)
    up_to_date = status.observed_generation == decision.metadata.generation
    if held is None or not up_to_date or (status.state, status.reason) != (held.state, held.reason):
        return status
    return decision_status(decision, status.model_copy(update={"message": held.message}), now)


def _close(world: TemplateWorld, now: datetime, policy: Policy) -> Iterator[Action]:
    """A revoked decision is closed also when no e-service is left that would do it."""
    today = local_day(now, policy.zone)
    for decision in world.fleet.decisions:
        if decision.spec.revoked is None or not is_open(decision):
            continue
        found = revocation(decision, today)
        if found is not None and world.fleet.forsaken(decision):
            closed = {
                "state": found.state,
                "reason": found.reason.value,
                "message": found.message,
                "closed_at": now,
                "notices": abandoned(decision.status.notices, "no longer to come"),
            }
            status = decision_status(decision, decision.status.model_copy(update=closed), now)
            yield status_write(decision, status, f"{found.state.value}: {found.reason.value}")


def _turns(world: TemplateWorld, known: KnownTemplate, now: datetime, policy: Policy) -> list[datetime]:
    """When decisions come into the brake's window, one by one or by a day of the template; or are revoked."""
    today = local_day(now, policy.zone)
    open_ones = [decision for decision in world.fleet.decisions if is_open(decision)]
    days: set[date] = set()
    if known.template.spec.lifecycle.enforce_from is not None:
        days.add(known.template.spec.lifecycle.enforce_from)
    for version in {service.version for service in world.fleet.services}:
        lag = known.lag(version, today)
        if lag is not None and lag.overdue_since is not None:
            days.add(lag.overdue_since)
    instants = [start_of_day(day, policy.zone) for day in days]
    opens = now + WINDOW - ONE_SECOND
    first = min((at for at in instants if at > opens), default=None)
    for decision in open_ones:
        status, promised = decision.status, decision.spec.effective_at
        if first is not None and promised >= first:
            continue  # never before its promise: something else comes into the window first
        if status.hold_token is not None or status.state is DecisionState.EFFECTIVE:
            continue
        deferrals = world.fleet.deferrals(decision.spec.e_service)
        at = instant_of(decision, deferrals, known, now, policy, today)
        if at > opens:
            first = at if first is None else min(first, at)
    instants += [] if first is None else [first]
    revoked = [decision.spec.revoked.at for decision in open_ones if decision.spec.revoked is not None]
    return [
        *(at - WINDOW + ONE_SECOND for at in instants if at > now),
        *(start_of_day(day, policy.zone) for day in revoked),
    ]
