# SPDX-License-Identifier: Apache-2.0
"""The look from outside, beside the reconciles: what to ask about, what was seen, and how it is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eservice_operator.api.seen import Answered
from eservice_operator.core.decide import Decision
from eservice_operator.core.faces import Face
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.outside_in import looked_at, question_of
from eservice_operator.core.sightings import FACELESS, Answer, Question, Witnessed, recalled
from eservice_operator.notify.tls import Trust
from eservice_operator.outside.addresses import WHYS, CheckedResolver, Rules, SystemLookUp
from eservice_operator.outside.asking import Asker
from eservice_operator.outside.book import Book
from eservice_operator.runtime.clock import Clock
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.runtime.settings import Settings

ANSWERED, UNANSWERED = "answered", "unanswered"
"""How a question ends: with something that tells who is there, or not."""
KINDS: Final = {Face.LIVE: "publish", Face.NOTICE: "unpublish", Face.NOTHING: "unpublish"}


class Witnessing:
    """Leads the book by what is decided; without a book nobody looks, and nothing was seen."""

    def __init__(self, book: Book | None = None, monotonic: Callable[[], float] | None = None) -> None:
        self._book = book
        self._monotonic = monotonic
        self._decided: dict[ObjectKey, float] = {}
        """When it was decided to show something else; until that is on the route."""

    def seen(self, key: ObjectKey) -> Witnessed | None:
        """What is known of the hosts of an e-service."""
        return None if self._book is None else self._book.seen(key)

    def follow(self, key: ObjectKey, decision: Decision) -> None:
        """Ask about what the route shows, once it shows what was decided."""
        if self._book is None or self._monotonic is None:
            return
        facts = decision.facts
        if not looked_at(facts):
            self.forget(key)
        elif decision.rollout.face is not facts.face:
            self._decided.setdefault(key, self._monotonic())
        else:
            question = question_of(decision)
            if question is not None:
                known = recalled(facts.world.service.status.publication)
                self._book.watch(key, question, known, self._decided.pop(key, None))

    def forget(self, key: ObjectKey) -> None:
        """Ask no more about an e-service."""
        self._decided.pop(key, None)
        if self._book is not None:
            self._book.forget(key)


class ProbeFigures:
    """Counts for `Book` what was asked."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        for result in (
            ANSWERED,
            UNANSWERED,
        ):  # the first one shows as an increase only if the series was there
            metrics.probe_seconds.labels(result)
        for why in WHYS:
            metrics.probe_refused.labels(why)

    def answered(self, key: ObjectKey, host: str, answer: Answer) -> None:
        """A question has ended."""
        blind = answer.failure in FACELESS
        self._metrics.probe_seconds.labels(UNANSWERED if blind else ANSWERED).observe(answer.seconds)
        if answer.failure is Answered.NOT_ALLOWED:
            self._metrics.probe_refused.labels(answer.why).inc()
        if not blind:
            self._metrics.probe_last.labels(key.namespace, key.name, host).set(answer.at.timestamp())

    def agreed(self, question: Question, seconds: float) -> None:
        """So long after the change of a face was decided, all its hosts have shown it."""
        self._metrics.publication_lag.labels(KINDS[question.face]).observe(seconds)

    def forgotten(self, key: ObjectKey, host: str) -> None:
        """A host is not asked any more."""
        self._metrics.probe_last.remove(key.namespace, key.name, host)


def book_of(
    settings: Settings, clock: Clock, metrics: Metrics, wake: Callable[[ObjectKey], None]
) -> tuple[Book, SystemLookUp] | None:
    """The book under these settings, and the look-up that is closed after it; none where the probe is off."""
    if settings.probe == "off":
        return None
    look_up = SystemLookUp()
    resolver = CheckedResolver(Rules(settings.probe_allow), look_up, settings.probe_address)
    asker = Asker(
        settings.probe,
        resolver,
        Trust(None).context,
        now=clock.now,
        monotonic=clock.monotonic,
        elsewhere=settings.probe_address is not None,
    )
    figures = ProbeFigures(metrics)
    return Book(asker, wake, figures, clock=clock, interval=settings.probe_interval), look_up
