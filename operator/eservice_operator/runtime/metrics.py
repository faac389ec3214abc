# SPDX-License-Identifier: Apache-2.0
"""The operator's own figures, and the hook for those about e-services."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from eservice_operator import __version__
from eservice_operator.runtime.exposition import Rendered

log = logging.getLogger(__name__)

SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """Every figure of one operator, in a registry of its own; all names begin with ``eservice_operator_``."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # nobody asks for a second series of each
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info(f"{PREFIX}_build", "The operator's version", registry=self.registry).info(
            {"version": __version__}
        )
        self._state: Callable[[], Iterable[Rendered]] = tuple
        self._queue()
        self._work()
        self._surroundings()
        self._notices()
        self._probe()

    def _queue(self) -> None:
        self.queue_depth = self._gauge("queue_depth", "Keys that wait for a worker")
        self.queue_oldest = self._gauge("queue_oldest_seconds", "How long the oldest waiting key has waited")
        self.queue_running = self._gauge("queue_running", "Keys being reconciled")
        self.queue_deadlines = self._gauge("queue_deadlines", "Keys with a future instant planned")
        self.queue_next = self._gauge(
            "queue_next_seconds", "Until the next planned instant or try of a key; regular looks apart"
        )
        self.queue_adds = self._counter("queue_adds", "Keys added to the queue", "kind")
        self.queue_retries = self._counter("queue_retries", "Keys that came back after a backoff", "kind")
        self.queue_wait = self._histogram("queue_wait_seconds", "From being added to being reconciled")

    def _work(self) -> None:
        self.reconcile_seconds = self._histogram("reconcile_seconds", "How long a reconcile took", "kind")
        self.reconciles = self._counter(
            "reconciles", "Reconciles by their end: ok or error", "kind", "result"
        )
        self.reconcile_raised = self._counter(
            "reconcile_raised", "Reconciles that ended in an exception: each is a bug", "kind"
        )
        self.events = self._counter("events", "Changes that the watches brought", "kind")
        self.trigger_raised = self._counter(
            "trigger_raised", "Changed objects whose triggers could not be computed: each is a bug", "kind"
        )
        self.resync_repairs = self._counter(
            "resync_repairs", "Objects of our kinds that a full list found before any event", "kind"
        )

    def _surroundings(self) -> None:
        self.leader = self._gauge("leader", "1 while this operator leads, by this lease", "lease")
        self.lease_transitions = self._gauge(
            "lease_transitions", "How often the lease has changed hands", "lease"
        )
        self.lease_failures = self._counter(
            "lease_failures", "Looks at the lease, or renewals, that failed or were not answered in time"
        )
        self.api_requests = self._counter("api_requests", "Answers of the API server", "verb", "code")
        self.api_seconds = self._histogram("api_request_seconds", "How long the API server took", "verb")
        self.too_deep = self._gauge(
            "objects_too_deep", "Objects kept without what is nested too deeply in them"
        )
        self.loop_lag = self._gauge("loop_lag_seconds", "How late the event loop last was")
        self.clock_jumps = self._counter("clock_jumps", "Times that the wall clock was moved")
        self.clock_skew = self._gauge(
            "clock_skew_seconds", "How far the wall clock is ahead of the API server's; NaN while unknown"
        )
        self.clock_trusted = self._gauge(
            "clock_trusted", "1 while the wall clock agrees with the API server's"
        )
        self.state_raised = self._counter(
            "state_collector_raised", "Scrapes without figures about e-services: each is a bug"
        )

    def _notices(self) -> None:
        self.notices = self._counter(
            "notices", "Letters answered by their channel", "channel", "kind", "result"
        )
        self.notices_in_flight = self._gauge("notices_in_flight", "Letters that no channel has answered yet")
        self.channel_failing = self._gauge(
            "notice_channel_failing",
            "1 after an attempt that failed for the settings or the channel",
            "channel",
        )
        self.notice_failures = Counter(
            "eservice_notice_failures",
            "Attempts to tell somebody that failed",
            ("channel", "kind"),
            registry=self.registry,
        )

    def _probe(self) -> None:
        self.probe_seconds = Histogram(
            "eservice_probe_duration_seconds",
            "How long a question to a public host took, by its end: answered or unanswered",
            ("result",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.probe_refused = Counter(
            "eservice_probe_refused",
            "Questions that were not asked, by the kind of address that DNS gave",
            ("why",),
            registry=self.registry,
        )
        self.probe_last = Gauge(
            "eservice_probe_last_timestamp_seconds",
            "When a public host last answered the operator",
            ("namespace", "name", "host"),
            registry=self.registry,
        )
        self.publication_lag = Histogram(
            "eservice_publication_lag_seconds",
            "From deciding what the public is shown until every host was seen to show it",
            ("kind",),
            buckets=SECONDS,
            registry=self.registry,
        )

    def reconciled(self, kind: str, seconds: float, *, ok: bool) -> None:
        """Count one reconcile."""
        self.reconcile_seconds.labels(kind).observe(seconds)
        self.reconciles.labels(kind, "ok" if ok else "error").inc()

    def requested(self, verb: str, code: int, seconds: float) -> None:
        """Count one request to the API server; code 0 means that no answer came."""
        self.api_requests.labels(verb, str(code)).inc()
        if verb != "watch":  # lasts minutes when all is well
            self.api_seconds.labels(verb).observe(seconds)

    def collect_list_ages(self, ages: Callable[[], dict[str, float]]) -> None:
        """Show, per kind, the seconds since its last successful full list."""
        self.registry.register(_ListAges(ages))

    def collect_state(self, collect: Callable[[], Iterable[Rendered]]) -> None:
        """Show what ``collect`` renders at each scrape. If it raises, the rest is shown without it."""
        self._state = collect

    def render(self) -> bytes:
        """All figures in the Prometheus text format; safe to call from a thread."""
        state = self._rendered_state().encode()
        return generate_latest(self.registry) + state

    def _rendered_state(self) -> str:
        try:
            return "".join(rendered.text() for rendered in self._state())
        except Exception:
            log.exception("the figures about e-services could not be computed")
            self.state_raised.inc()
            return ""

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, buckets=SECONDS, registry=self.registry)


PREFIX = "eservice_operator"


class _ListAges(Collector):
    def __init__(self, ages: Callable[[], dict[str, float]]) -> None:
        self._ages = ages

    @override
    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            f"{PREFIX}_list_age_seconds", "Since the last successful full list of a kind", labels=["kind"]
        )
        for kind, age in sorted(self._ages().items()):
            family.add_metric([kind], age)
        return [family]
