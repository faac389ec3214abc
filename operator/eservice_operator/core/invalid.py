# SPDX-License-Identifier: Apache-2.0
"""The status of an object that cannot be read: Stalled until its spec changes; what was last known stays."""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api.base import Status
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import Reason
from eservice_operator.core.conditions import stalled
from eservice_operator.core.report import report_invalid


def invalid_status(old: Status, generation: int, errors: tuple[str, ...], now: datetime) -> Status:
    """The status that says which fields are wrong and what to write instead."""
    if isinstance(old, EServiceStatus):
        return report_invalid(old, generation, errors, now)
    return old.model_copy(
        update={
            "observed_generation": generation,
            "conditions": stalled(old.conditions, Reason.INVALID_SPEC, "; ".join(errors), generation, now),
        }
    )
