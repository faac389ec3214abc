# SPDX-License-Identifier: Apache-2.0
"""Whether the API server answers: what readiness, liveness and the figures about e-services go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from eservice_operator.cluster.attempts import Attempt
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.exposition import Rendered
from eservice_operator.runtime.metrics import Metrics

FIGURES_KEPT: Final = 600.0
"""Seconds of requests in vain after which figures about e-services are left out: until then it is likelier
that nobody can be asked, and alerts go on by the last that was known."""


class Pulse:
    """Counts requests, and knows when the API server last answered at all."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._answered = clock.monotonic()
        self._in_vain_since: float | None = None

    def requested(self, attempt: Attempt) -> None:
        """Count a request that was sent, or tried to be."""
        self._metrics.requested(attempt.verb, attempt.code, attempt.seconds)
        if attempt.answered:
            self._answered = self._clock.monotonic()
            self._in_vain_since = None
        elif self._in_vain_since is None:
            self._in_vain_since = self._clock.monotonic()

    @property
    def silent_for(self) -> float:
        """Seconds since the last answer."""
        return self._clock.monotonic() - self._answered

    @property
    def in_vain_for(self) -> float:
        """Seconds since the first request in vain after the last answer; 0 if the last one was answered."""
        return 0.0 if self._in_vain_since is None else self._clock.monotonic() - self._in_vain_since


def unless_cut_off(
    pulse: Pulse, collect: Callable[[], Iterable[Rendered]]
) -> Callable[[], Iterable[Rendered]]:
    """Figures about e-services; none of long ago, which another operator may contradict by now."""
    return lambda: () if pulse.in_vain_for > FIGURES_KEPT else collect()
