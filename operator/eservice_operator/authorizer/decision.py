# SPDX-License-Identifier: Apache-2.0
"""Whether a call is allowed: it needs a token, a right and a grant that is open, all three as of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from eservice_operator.api.webservice import Isolation, Protocol
from eservice_operator.authorizer.answer import Answer, Decision, Why
from eservice_operator.authorizer.asked import Consumer, Place, Unclear, customer_of, place_of, token_of
from eservice_operator.authorizer.hearing import SILENT_SECONDS
from eservice_operator.authorizer.known import Known
from eservice_operator.authorizer.reviews import CannotDecide, Reviews
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.terms import Times


class Authorizer:
    """Decides for one request. ``silence`` says for how many seconds the watches have brought nothing."""

    def __init__(
        self,
        known: Known,
        reviews: Reviews,
        silence: Callable[[], float],
        now: Callable[[], datetime],
        zone: ZoneInfo,
    ) -> None:
        self._known = known
        self._reviews = reviews
        self._silence = silence
        self._now = now
        self._zone = zone

    async def decide(self, path: str, authorization: Sequence[str], on_behalf_of: Sequence[str]) -> Answer:
        """The answer to a request target with the values of these two headers."""
        place = place_of(path)
        if place is None:
            return Answer(Decision.REFUSED, Why.ADDRESS_UNCLEAR)
        answer = await self._judged(place, authorization, on_behalf_of)
        web_service = self._known.web_service(place.namespace, place.name)
        if web_service is None:
            return replace(answer, place=place)
        if answer.decision != Decision.ALLOWED and web_service.spec.isolation == Isolation.OBSERVE:
            answer = replace(answer, decision=Decision.OBSERVED)
        return replace(answer, place=place, web_service=(place.namespace, place.name))

    async def _judged(
        self, place: Place, authorization: Sequence[str], on_behalf_of: Sequence[str]
    ) -> Answer:
        token = token_of(authorization)
        if token is None:
            return Answer(Decision.UNAUTHENTICATED, Why.TOKEN_MISSING)
        try:
            customer = customer_of(on_behalf_of)
        except Unclear:
            return Answer(Decision.REFUSED, Why.CUSTOMER_UNCLEAR)
        try:
            caller = await self._reviews.caller(token, place.audience)
            if caller is None:
                return Answer(Decision.UNAUTHENTICATED, Why.TOKEN_REFUSED)
            consumer = caller.consumer
            web_service = self._known.web_service(place.namespace, place.name)
            grants = self._known.grants(place.namespace, place.name, consumer)
            if web_service is None or not grants:
                return self._seen(Answer(Decision.REFUSED, Why.NO_GRANT, consumer=consumer))
            subresource = place.version if web_service.spec.protocol is Protocol.SOAP else ""
            right = await self._reviews.may_invoke(caller, place, subresource)
        except CannotDecide:
            return Answer(Decision.UNDECIDED, Why.REVIEW_FAILED)
        closed = self._closed(place, consumer, customer)
        if closed is None and not right:
            closed = Why.RIGHT_MISSING
        answer = Answer(Decision.ALLOWED, Why.GRANTED, consumer=consumer, customer=customer)
        return self._seen(
            answer if closed is None else replace(answer, decision=Decision.REFUSED, reason=closed)
        )

    def _seen(self, answer: Answer) -> Answer:
        """The answer, if what it rests on is not older than may be."""
        if self._known.unlisted() or self._silence() > SILENT_SECONDS:
            return replace(answer, decision=Decision.UNDECIDED, reason=Why.WATCH_SILENT)
        return answer

    def _closed(self, place: Place, consumer: Consumer, customer: str | None) -> str | None:
        """None when a grant is open; else why the first is not. Looked up anew: reviews take their time."""
        web_service = self._known.web_service(place.namespace, place.name)
        grants = self._known.grants(place.namespace, place.name, consumer)
        if web_service is None or not grants:
            return Why.NO_GRANT
        times = Times(self._now(), self._zone)
        reasons = []
        for grant in grants:
            assignment = self._known.assignment(grant)
            finding = closed_now(grant, web_service, assignment, place.version, customer, times)
            if finding is None:
                return None
            reasons.append(str(finding.reason))
        return reasons[0]
