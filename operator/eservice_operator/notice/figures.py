# SPDX-License-Identifier: Apache-2.0
"""What is counted: how many notices, in which language, and whether the gateway said what they are about."""

from __future__ import annotations

from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Info
from prometheus_client.exposition import generate_latest

from eservice_operator import __version__
from eservice_operator.notice.answer import Answer
from eservice_operator.notice.content import Header
from eservice_operator.notice.preferences import LANGUAGES, Form

PREFIX: Final = "eservice_notice_page"
BOTH: Final = "both"


class Figures:
    """The registry of one server. Every series is there from the start, and no label is a client's word."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        Info(f"{PREFIX}_build", "The version of the notice page", registry=registry).info(
            {"version": __version__}
        )
        self._answers = Counter(
            f"{PREFIX}_answers",
            "Notices given, by language (lv, en, both) and form (html, json, text)",
            ["language", "form"],
            registry=registry,
        )
        self._headers = Counter(
            f"{PREFIX}_headers",
            "Notices given, by whether the header with the e-service's title was read, absent or broken",
            ["header"],
            registry=registry,
        )
        self._unreadable = Counter(
            f"{PREFIX}_unreadable",
            "Requests that are no HTTP, or too large; they are given a notice too",
            registry=registry,
        )
        self.connections = Gauge(f"{PREFIX}_connections", "Connections that are open now", registry=registry)
        for language, form in product((*LANGUAGES, BOTH), Form):
            self._answers.labels(language, form)
        for header in Header:
            self._headers.labels(header)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        language = answer.languages[0] if len(answer.languages) == 1 else BOTH
        self._answers.labels(language, answer.form).inc()
        self._headers.labels(answer.header).inc()

    def unreadable(self) -> None:
        """Count a request that could not be read."""
        self._unreadable.inc()

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)
