# SPDX-License-Identifier: Apache-2.0
"""R8: a recorded decision computed again from what it recorded, fact by fact.

Nothing else is read: neither the template as it is now nor the clock. So it can be done years later, and
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from eservice_operator.api.decisions import UnpublishDecisionSpec
from eservice_operator.api.ground import Ground
from eservice_operator.api.lifecycle import LagMeasure
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.dates import instant
from eservice_operator.core.inputs import Recomputed, Recorded, recompute, recompute_ground

GAP_RULE = (
    "R8: overdue from the day on which a version is current that was released more than {lag} after the one"
    " in use, or after the last day that its recall gives"
)
SUPERSEDED_RULE = (
    "R8: overdue from the day after {lag} have passed since a higher version was published, or after the last"
    " day that a recall gives"
)
RULE_OF_MEASURE = {LagMeasure.RELEASE_GAP: GAP_RULE, LagMeasure.SINCE_SUPERSEDED: SUPERSEDED_RULE}
EFFECTIVE_RULE = "R8: the latest of the decision, overdueSince, enforceFrom and the end of the notice period"
IN_PLACE_RULE = f"{EFFECTIVE_RULE}, and not before what the decision that it replaces had announced"
DEFERRED_RULE = "R8: what the decision that it replaces had announced, but for its deferral"
LAPSED_RULE = f"{IN_PLACE_RULE}, and with time for the last warning, as that one's day had passed without it"
IN_EFFECT_RULE = "R8: since the decision that it replaces was in effect"
NONE = "none"


class NotReplayableError(ValueError):
    """A decision that does not hold what its dates follow from; the message says why."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a decision: as it was recorded, and as it comes out again."""

    name: str
    """The field of the spec, or ``status.ground.`` and the field of the ground."""
    recorded: str
    computed: str
    reproduced: bool
    rule: str
    """From what it follows, in a sentence."""


def replay(spec: UnpublishDecisionSpec) -> tuple[Fact, ...]:
    """Every fact of a decision that follows from its inputs.

    Raises:
        NotReplayableError: the decision has no inputs, or they cannot be computed with on this machine.
    """
    if spec.inputs is None:
        raise NotReplayableError("it was made by an operator that did not record its inputs yet")
    try:
        found = recompute(spec, spec.inputs)
    except ValueError as error:
        raise NotReplayableError(f"its inputs cannot be computed with: {error}") from error
    return tuple(_facts(spec, found))


def replay_ground(spec: UnpublishDecisionSpec, ground: Ground) -> tuple[Fact, ...]:
    """Every fact of a ground that the decision recorded later, in its status.

    Raises:
        NotReplayableError: as `replay` does.
    """
    if ground.inputs is None:
        raise NotReplayableError("the ground in its status has no inputs")
    try:
        found = recompute_ground(spec, ground, ground.inputs)
    except ValueError as error:
        raise NotReplayableError(f"the inputs of its ground cannot be computed with: {error}") from error
    facts = (
        *_overdue(ground, found, spec.release.template.version, "on which it was recorded"),
        _fact("inputsHash", ground.inputs_hash, found.inputs_hash, "the hash over all facts, on this ground"),
    )
    return tuple(replace(fact, name=f"status.ground.{fact.name}") for fact in facts)


def _facts(spec: UnpublishDecisionSpec, found: Recomputed) -> Iterator[Fact]:
    yield from _overdue(spec, found, spec.release.template.version, "of the decision")
    yield _fact(
        "effectiveAt",
        instant(spec.effective_at),
        None if found.effective_at is None else instant(found.effective_at),
        _rule_of_promise(spec.replaces),
        reproduced=_same_second(spec.effective_at, found.effective_at),
    )
    yield _fact("inputsHash", spec.inputs_hash, found.inputs_hash, "the hash over all facts and inputs")


def _overdue(record: Recorded, found: Recomputed, used: str, day: str) -> Iterator[Fact]:
    """Since when, and because of which version, a release is overdue."""
    lag = record.maximum_lag
    yield _fact(
        "currentVersion",
        record.current_version,
        found.current_version,
        f"R8: the highest version whose migration instruction was published by the day {day}",
    )
    rule = RULE_OF_MEASURE[record.lag_measure].format(lag=lag)
    yield _fact("overdueSince", record.overdue_since, found.overdue_since, rule)
    yield _fact(
        "causedBy",
        record.caused_by,
        found.caused_by,
        f"R8: the version behind which {used} lags by more than {lag}; none where its own recall counts",
    )


def _rule_of_promise(replaced: RememberedDecision | None) -> str:
    if replaced is None:
        return EFFECTIVE_RULE
    if replaced.effective_since is not None:
        return IN_EFFECT_RULE
    if replaced.lapsed is not None:
        return LAPSED_RULE
    return IN_PLACE_RULE if replaced.deferred_until is None else DEFERRED_RULE


def _same_second(recorded: datetime, computed: datetime | None) -> bool:
    return computed is not None and recorded.replace(microsecond=0) == computed.replace(microsecond=0)


def _fact(
    name: str, recorded: object, computed: object, rule: str, *, reproduced: bool | None = None
) -> Fact:
    same = recorded == computed if reproduced is None else reproduced
    return Fact(
        name,
        NONE if recorded is None else str(recorded),
        NONE if computed is None else str(computed),
        same,
        rule,
    )
