# SPDX-License-Identifier: Apache-2.0
"""The status of an object that cannot be read: Stalled until its spec changes; what was last known stays."""

from __future__ import annotations

from datetime import datetime

from eservice_operator.api.base import Status
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.report import report_invalid


def invalid_status(old: Status, generation: int, errors: tuple[str, ...], now: datetime) -> Status:
    """The status that says which fields are wrong and what to write instead."""
    if isinstance(old, EServiceStatus):
        return report_invalid(old, generation, errors, now)
    text = "; ".join(errors)
    summary = {ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED}
    verdicts = (
        c.false(ConditionType.READY, Reason.INVALID_SPEC, text),
        c.true(ConditionType.STALLED, Reason.INVALID_SPEC, text),
        *(
            Verdict(ConditionType(known.type), known.status, Reason(known.reason), known.message)
            for known in old.conditions
            if known.type not in summary
        ),
    )
    return old.model_copy(
        update={
            "observed_generation": generation,
            "conditions": c.merge(old.conditions, verdicts, generation, now),
        }
    )
