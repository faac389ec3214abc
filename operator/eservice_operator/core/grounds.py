# SPDX-License-Identifier: Apache-2.0
"""R8: why a release is or will be overdue, as facts of a letter: each holds by the dates it was judged on."""

from __future__ import annotations

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.ground import DecidedVersion, DecisionInputs
from eservice_operator.api.lifecycle import LagMeasure
from eservice_operator.core.facts import Facts
from eservice_operator.core.inputs import inputs_of
from eservice_operator.core.known import KnownTemplate
from eservice_operator.core.recorded import recorded_ground


def grounds_of_lag(facts: Facts, template: TemplateRef) -> dict[str, str]:
    """Why a template version is or will be overdue by what is known today; nothing when it is not."""
    known, lag = facts.world.templates.get(template.name), facts.lag(template)
    if known is None or lag is None or lag.overdue_since is None:
        return {}
    lifecycle, inputs = known.template.spec.lifecycle, inputs_of(known, facts.policy.zone)
    cause = known.cause_of(template.version, lag)
    if cause is None:
        return _recall(inputs, template.version) | _recall_reason(known, template.version)
    return _distance(inputs, template.version, cause, lifecycle.maximum_lag, lifecycle.lag_measure)


def grounds_of_decision(facts: Facts, decision: UnpublishDecision) -> dict[str, str]:
    """Why a release was decided upon, by the dates that the decision recorded last.

    One without a record is explained by the dates in effect; nothing is said of a template that is gone.
    """
    ground, used = recorded_ground(decision), decision.spec.release.template
    known = facts.world.templates.get(used.name)
    inputs = ground.inputs
    if inputs is None and known is not None:
        inputs = inputs_of(known, facts.policy.zone)
    if inputs is None:
        return {}
    if ground.caused_by is None:
        reason = {} if known is None else _recall_reason(known, used.version)
        return _recall(inputs, used.version) | reason
    return _distance(inputs, used.version, ground.caused_by, ground.maximum_lag, ground.lag_measure)


def _recall(inputs: DecisionInputs, used: str) -> dict[str, str]:
    """The version in use is withdrawn itself."""
    own = _dated(inputs, used)
    if own is None or own.withdrawn_at is None or own.replace_by is None:
        return {}
    return {"withdrawnOn": str(own.withdrawn_at), "replaceBy": str(own.replace_by)}


def recalled(facts: Facts, used: TemplateRef) -> dict[str, str]:
    """The recall of a version, also of one that may stay in use without a last day."""
    known, version = facts.world.templates.get(used.name), facts.version(used)
    if known is None or version is None or version.withdrawn_at is None:
        return {}
    return {"withdrawnOn": str(version.withdrawn_at)} | _recall_reason(known, used.version)


def _recall_reason(known: KnownTemplate, used: str) -> dict[str, str]:
    for one in known.template.spec.versions:
        if one.version == used and one.withdrawn is not None:
            return {"recallReason": one.withdrawn.reason}
    return {}


def _distance(
    inputs: DecisionInputs, used: str, cause: str, maximum_lag: str, measure: LagMeasure
) -> dict[str, str]:
    """The version in use is too far behind another one."""
    own, other = _dated(inputs, used), _dated(inputs, cause)
    if own is None or other is None or other.published is None:
        return {}
    return {
        "released": str(own.released),
        "cause": cause,
        "causeReleased": str(other.released),
        "causePublished": str(other.published),
        "maximumLag": maximum_lag,
        "lagMeasure": measure.value,
    }


def _dated(inputs: DecisionInputs, version: str) -> DecidedVersion | None:
    return next((one for one in inputs.versions if one.version == version), None)
