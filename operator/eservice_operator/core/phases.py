# SPDX-License-Identifier: Apache-2.0
"""The phase of an EService: one word for people, derived from the same facts as the conditions."""

from __future__ import annotations

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import Gate, Phase, Reason
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.decide import Decision
from eservice_operator.core.faces import Face
from eservice_operator.core.gates import blocks_install, refused


def phase_of(decision: Decision, published: Verdict) -> Phase:
    """Where the e-service is in its life."""
    facts, rollout = decision.facts, decision.rollout
    if facts.world.service.metadata.deletion_timestamp is not None:
        return Phase.TERMINATING
    if published.reason in (Reason.PAUSED, Reason.REGISTRATION_SUSPENDED):
        return Phase.PAUSED
    is_public = published.status is ConditionStatus.TRUE
    if is_public:
        in_progress = rollout.candidate is not None and not blocks_install(rollout.gates)
        return Phase.UPDATING if in_progress else Phase.PUBLISHED
    if facts.public_name is not None:
        on_route = rollout.serves or facts.face is Face.LIVE
        return Phase.INSTALLING if on_route else Phase.UNPUBLISHED
    return _first_time(decision)


def _first_time(decision: Decision) -> Phase:
    """The way to the public for a release that nobody has seen yet.

    Verified, or in no need of it, it waits for people as it did before the installation: for a host that is
    another's, for its description.
    """
    gates = decision.rollout.gates
    missing = {unmet.gate for unmet in gates}
    if refused(decision.facts, gates) is not None:
        return Phase.INVALID
    if blocks_install(gates):
        return Phase.PENDING
    if Gate.INSTALLED in missing or not missing:
        return Phase.INSTALLING
    return Phase.AWAITING_VERIFICATION if Gate.VERIFIED in missing else Phase.PENDING
