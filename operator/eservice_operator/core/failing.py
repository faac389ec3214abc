# SPDX-License-Identifier: Apache-2.0
"""What a write that failed says of its object: tried again, or refused until somebody does something."""

from __future__ import annotations

from typing import Final

from eservice_operator.api import names
from eservice_operator.api.reasons import Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.actions import Failure, target_of
from eservice_operator.core.conditions import Verdict

INVALID: Final = "Invalid"
"""The API server's word for what does not fit the schema of a kind."""
OTHER_CRDS: Final = "are the CRDs (crds/) those of this version of the operator?"


def refusal(failure: Failure) -> tuple[Reason, str] | None:
    """Why a write is refused for good; None where trying again can help."""
    if failure.transient:
        return None
    collision = failure.reason == Reason.NAME_COLLISION
    return Reason.NAME_COLLISION if collision else Reason.REJECTED, words(failure)


def words(failure: Failure) -> str:
    """What the cluster said; of our own kinds also what may be the matter after an upgrade."""
    said = failure.message or failure.reason
    ours = target_of(failure.action).api_version == names.API_VERSION
    return f"{said}; {OTHER_CRDS}" if ours and failure.reason == INVALID else said


def failing(failure: Failure) -> tuple[Verdict, ...]:
    """Ready, and Reconciling or Stalled, after a write that failed."""
    refused = refusal(failure)
    if refused is not None:
        return c.stalling(*refused)
    return c.reconciling(Reason.PROGRESSING_WITH_RETRY, words(failure))
