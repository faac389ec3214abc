# SPDX-License-Identifier: Apache-2.0
"""What is counted and measured. No label is a caller's word: web services are those that there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import generate_latest

from eservice_operator import __version__
from eservice_operator.authorizer.answer import Answer
from eservice_operator.authorizer.remembered import HIT, MISS

PREFIX: Final = "eservice_authorizer"
SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Figures:
    """The registry of one server."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        Info(f"{PREFIX}_build", "The version of the authorizer", registry=registry).info(
            {"version": __version__}
        )
        self._answers = _Answers(registry)
        self._lookups = Counter(
            f"{PREFIX}_cache_lookups",
            "Whether the answer to a review was known (hit) or had to be waited for (miss)",
            ["cache", "result"],
            registry=registry,
        )
        self._reviews = Histogram(
            f"{PREFIX}_review_seconds",
            "How long the API server took for a review, by kind and whether it answered or failed",
            ["kind", "result"],
            buckets=SECONDS,
            registry=registry,
        )
        self.unreadable = Counter(
            f"{PREFIX}_unreadable",
            "Requests that are no HTTP or too large, and those not answered for a fault of ours",
            registry=registry,
        )
        self.connections = Gauge(f"{PREFIX}_connections", "Connections that are open now", registry=registry)
        self._silence = Gauge(
            f"{PREFIX}_watch_silence_seconds",
            "Since the watch that has been silent the longest was last heard of",
            registry=registry,
        )

    def answered(self, answer: Answer, seconds: float) -> None:
        """Count an answer."""
        self._answers.count(answer, seconds)

    def looked_up(self, cache: str) -> Callable[[str], None]:
        """Counts how often an answer was known."""
        counters = {result: self._lookups.labels(cache, result) for result in (HIT, MISS)}
        return lambda result: counters[result].inc()

    def reviewed(self, kind: str, result: str, seconds: float) -> None:
        """Count a review."""
        self._reviews.labels(kind, result).observe(seconds)

    def collect_silence(self, silence: Callable[[], float]) -> None:
        """Show how long the watches have been silent."""
        self._silence.set_function(silence)

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)


class _Answers:
    """How many there were of each kind, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            f"{PREFIX}_decisions",
            "Answers, by web service (empty for one that there is not), decision and reason",
            ["namespace", "name", "decision", "reason"],
            registry=registry,
        )
        self._seconds = Histogram(
            f"{PREFIX}_decision_seconds",
            "From a question to its answer, by decision",
            ["decision"],
            buckets=SECONDS,
            registry=registry,
        )
        self._counted: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}

    def count(self, answer: Answer, seconds: float) -> None:
        """Count one; its labels are resolved once."""
        labels = (*(answer.web_service or ("", "")), str(answer.decision), answer.reason)
        counted = self._counted.get(labels)
        if counted is None:
            counted = self._counted[labels] = (
                self._decisions.labels(*labels),
                self._seconds.labels(answer.decision),
            )
        counter, histogram = counted
        counter.inc()
        histogram.observe(seconds)
