# SPDX-License-Identifier: Apache-2.0
"""R8: why a release is overdue, as its decision recorded it last, in its spec or later in its status.

A spec is never changed. Where a template is corrected, a decision can go on for another reason than it was
made for. That one is recorded beside it: what people are told can be computed again.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from eservice_operator.api.decisions import DecisionState, UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.ground import DecidedVersion, DecisionInputs, Ground
from eservice_operator.core import promise
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import instant, local_day
from eservice_operator.core.inputs import Recorded, hash_on, inputs_of
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.policy import Policy
from eservice_operator.core.versions import CatalogueVersion, current


def recorded_ground(decision: UnpublishDecision) -> Recorded:
    """The ground that a decision recorded last."""
    return ground_as_judged(decision, decision.status)


def ground_as_judged(decision: UnpublishDecision, judged: UnpublishDecisionStatus) -> Recorded:
    """The ground that a decision stands on with the status that it is judged to have."""
    return judged.ground or decision.spec


def ground_of(
    known: KnownTemplate, day: date, zone: ZoneInfo, overdue_since: date, caused_by: str | None
) -> Manifest:
    """The facts of a ground on a day, as a spec and a status record them; none that is not there."""
    lifecycle, newest = known.template.spec.lifecycle, current(known.catalogue, day)
    stated = {
        "currentVersion": None if newest is None else newest.text,
        "causedBy": caused_by,
        "maximumLag": lifecycle.maximum_lag,
        "lagMeasure": lifecycle.lag_measure.value,
        "overdueSince": str(overdue_since),
        "inputs": inputs_of(known, zone).model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    return {name: value for name, value in stated.items() if value is not None}


def on_ground_of_today(
    decision: UnpublishDecision, known: KnownTemplate | None, now: datetime, policy: Policy
) -> UnpublishDecision:
    """The decision with the ground of today recorded, if there is one and it is another than recorded last.

    Dates are believed of a trusted clock only, and what is in effect keeps the ground that it took effect on.
    """
    if known is None or not policy.clock_trusted or decision.status.state is DecisionState.EFFECTIVE:
        return decision
    version, day = decision.spec.release.template.version, local_day(now, policy.zone)
    lag = known.lag(version, day)
    enforced = promise.ground_day(known.template.spec.lifecycle, lag) is not None
    if lag is None or lag.overdue_since is None or not enforced:
        return decision
    since, cause = lag.overdue_since, known.cause_of(version, lag)
    if _same(recorded_ground(decision), known, version, since, cause):
        return decision
    stated = ground_of(known, day, policy.zone, since, cause)
    dated = {"since": instant(now), "inputsHash": hash_on(decision.spec, stated)}
    change = {"ground": Ground.model_validate(stated | dated)}
    return decision.model_copy(update={"status": decision.status.model_copy(update=change)})


def _same(recorded: Recorded, known: KnownTemplate, used: str, since: date, cause: str | None) -> bool:
    """Whether people would be told the same; another version that causes nothing is no other ground."""
    lifecycle, inputs = known.template.spec.lifecycle, recorded.inputs
    found = since, cause, lifecycle.maximum_lag, lifecycle.lag_measure
    last = recorded.overdue_since, recorded.caused_by, recorded.maximum_lag, recorded.lag_measure
    if found != last or inputs is None:
        return found == last
    other = cause or used
    return _dates(_find(inputs, used), _find(inputs, other), cause) == _dates(
        known.catalogue.find(used), known.catalogue.find(other), cause
    )


def _find(inputs: DecisionInputs, number: str) -> DecidedVersion | None:
    for version in inputs.versions:
        if version.version == number:
            return version
    return None


def _dates(
    own: DecidedVersion | CatalogueVersion | None,
    other: DecidedVersion | CatalogueVersion | None,
    cause: str | None,
) -> tuple[date | None, ...]:
    """The dates that a ground rests on: of the recall, or of the version in use and the one ahead."""
    if own is None or other is None:
        return ()
    if cause is None:
        return own.withdrawn_at, own.replace_by
    return own.released, other.released, other.published
