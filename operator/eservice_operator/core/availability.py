# SPDX-License-Identifier: Apache-2.0
"""What the Deployment controller says of a release's Pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eservice_operator.core.world import Observed


def replicas_of(deployment: Observed | None) -> int:
    """How many replicas a Deployment is told to have; 0 without one."""
    return 0 if deployment is None else int(deployment.spec.get("replicas") or 0)


def condition_of(deployment: Observed, kind: str) -> Mapping[str, Any] | None:
    """A condition of a Deployment."""
    for condition in deployment.status.get("conditions") or ():
        if condition.get("type") == kind:
            found: Mapping[str, Any] = condition
            return found
    return None


def available(deployment: Observed | None) -> bool:
    """Whether a Deployment is Available; that its controller has not seen a change yet takes nothing away.

    What is told to have no Pods is not, though those that are going still count for a moment.
    """
    if deployment is None or not replicas_of(deployment) or not _count(deployment, "availableReplicas"):
        return False
    condition = condition_of(deployment, "Available")
    return condition is not None and condition.get("status") == "True"


def rolled_out(deployment: Observed | None, replicas: int) -> bool:
    """Whether that many Pods of a Deployment's newest template are available, and no older ones are left."""
    if deployment is None or not available(deployment) or not _up_to_date(deployment):
        return False
    updated = _count(deployment, "updatedReplicas")
    return (
        min(replicas_of(deployment), updated) >= replicas
        and _count(deployment, "availableReplicas") >= replicas
        and _count(deployment, "replicas") == updated
    )


def emptying(deployment: Observed | None) -> bool:
    """Whether a Deployment was told to have no Pods, and its controller still counts some."""
    return deployment is not None and replicas_of(deployment) == 0 and _count(deployment, "replicas") > 0


def scaled_to_zero(deployment: Observed | None) -> bool:
    """Whether no Pod of a Deployment is left."""
    return deployment is not None and replicas_of(deployment) == 0 and _count(deployment, "replicas") == 0


def failure_of(deployment: Observed | None) -> str | None:
    """Why a Deployment that is to have Pods has given up getting them; none while it is still at work."""
    if deployment is None or replicas_of(deployment) == 0 or not _up_to_date(deployment):
        return None
    condition = condition_of(deployment, "Progressing")
    if condition is None or condition.get("reason") != "ProgressDeadlineExceeded":
        return None
    return f"Deployment {deployment.ref.name}: {condition.get('message') or 'its Pods do not become ready'}"


def _up_to_date(deployment: Observed) -> bool:
    """Whether the status speaks of the present generation."""
    return _count(deployment, "observedGeneration") >= deployment.generation


def _count(deployment: Observed, field: str) -> int:
    return int(deployment.status.get(field) or 0)
