# SPDX-License-Identifier: Apache-2.0
"""R8: what a decision in the place of a deleted one takes over from it."""

from __future__ import annotations

from datetime import date, datetime

from eservice_operator.api.remembered import RememberedDecision


def promised_in_place(replaced: RememberedDecision | None, at: datetime, with_warning: datetime) -> datetime:
    """The promise of a decision that would promise ``at``, were it not in the place of another.

    Never before what was announced; what is in effect is so since it was. A deferral is no part of a promise:
    of what was deferred the promise is the one that was, as the cap on deferrals counts from it. Nobody
    reckons with what lapsed: the last warning, given now, has its time until ``with_warning``.
    """
    if replaced is None:
        return at
    if replaced.effective_since is not None:
        return replaced.effective_since
    announced = replaced.undeferred_at or replaced.effective_at or at
    if replaced.lapsed is not None:
        return max(at, announced, with_warning)
    return announced if replaced.deferred_until is not None else max(at, announced)


def ground_in_place(
    replaced: RememberedDecision | None, overdue_since: date | None, caused_by: str | None
) -> tuple[date | None, str | None]:
    """Since when and by which version a release is overdue: by the dates of today, or else as remembered."""
    if overdue_since is not None or replaced is None or replaced.effective_since is None:
        return overdue_since, caused_by
    return replaced.overdue_since, replaced.caused_by
