# SPDX-License-Identifier: Apache-2.0
"""When an object is looked at again, at once or later, by what came of its reconcile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from eservice_operator.cluster.apply import OUTDATED
from eservice_operator.core.actions import Action, Outcome, target_of
from eservice_operator.core.decide import Decision
from eservice_operator.core.failing import words

ROUNDS = 8
"""Steps of one reconcile: each write can make the next one possible."""
RETRY_FOREIGN = timedelta(minutes=1)
"""How often to look whether a foreign object that stands in the way has gone."""


def retry(outcome: Outcome) -> str | None:
    """What to try again with backoff, if anything: what others are in the way of is not."""
    return next((failure.message for failure in outcome.failures if failure.transient), None)


def error_of(outcome: Outcome) -> str | None:
    """Like `retry`, where another try is worth it whatever it was: a status, a number taken meanwhile."""
    return None if outcome.failure is None else words(outcome.failure)


def outdated(outcome: Outcome) -> bool:
    """Whether a write failed only because what it was decided on was written to meanwhile."""
    return outcome.failure is not None and outcome.failure.reason == OUTDATED


class Decided(Protocol):
    """A decision about one object."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What to do now, in this order."""
        ...


def contested(decision: Decided, outcome: Outcome) -> str | None:
    """What is still to be done after the last round: somebody undoes it, and haste would feed the quarrel.

    After a failure, which ends the rounds, what was done in spite of it.
    """
    failed = outcome.failure is not None
    action = next((one for one in decision.actions if not failed or one in outcome.done), None)
    if action is None:
        return None
    return f"is undone each time it is done: {type(action).__name__} {target_of(action)}: {action.reason}"


def foreign_look(outcome: Outcome, now: datetime) -> datetime | None:
    """When to look whether what stands in the way of a write has gone; None where nothing does."""
    return now + RETRY_FOREIGN if any(not failure.transient for failure in outcome.failures) else None


def look_again(decision: Decision, outcome: Outcome) -> datetime | None:
    """The instant at which to look at an e-service again by itself."""
    return earliest_of(foreign_look(outcome, decision.facts.now), decision.next_at)


def earliest_of(*instants: datetime | None) -> datetime | None:
    """The earliest of those that there are."""
    return min((at for at in instants if at is not None), default=None)
