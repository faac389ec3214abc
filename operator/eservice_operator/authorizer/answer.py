# SPDX-License-Identifier: Apache-2.0
"""The answer to a question, and how it is said in HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eservice_operator.authorizer.asked import Consumer, Place

CONSUMER_HEADER: Final = "X-EService-Consumer"
CUSTOMER_HEADER: Final = "X-EService-On-Behalf-Of"
REASON_HEADER: Final = "X-EService-Reason"
ALWAYS: Final = {"Server": "eservice-authorizer", "Cache-Control": "no-store"}


class Decision(StrEnum):
    """What becomes of the call."""

    ALLOWED = "allowed"
    OBSERVED = "observed"
    """Let through although it would not be: the web service only observes."""
    UNAUTHENTICATED = "unauthenticated"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Why(StrEnum):
    """Why, in one word, where it is not the grant that says why not."""

    GRANTED = "Granted"
    ADDRESS_UNCLEAR = "AddressUnclear"
    """The path names no web service and version."""
    TOKEN_MISSING = "TokenMissing"  # noqa: S105 - a word
    """No token, or more than one."""
    TOKEN_REFUSED = "TokenRefused"  # noqa: S105 - a word
    """The token is nobody's, has expired, or was made for another audience."""
    CUSTOMER_UNCLEAR = "CustomerUnclear"
    """X-On-Behalf-Of names no institution, or more than one."""
    NO_GRANT = "NoGrant"
    """No grant names the caller; the same where there is no such web service."""
    RIGHT_MISSING = "RightMissing"
    """RBAC does not let the caller invoke the web service."""
    WATCH_SILENT = "WatchSilent"
    """What was seen of grants may be old."""
    REVIEW_FAILED = "ReviewFailed"
    """The API server did not say whose token it is, or what its owner may do."""


STATUS: Final[Mapping[Decision, int]] = {
    Decision.ALLOWED: 200,
    Decision.OBSERVED: 200,
    Decision.UNAUTHENTICATED: 401,
    Decision.REFUSED: 403,
    Decision.UNDECIDED: 503,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """``reason`` is one word. ``web_service`` is set when there is such a web service (namespace, name)."""

    decision: Decision
    reason: str
    place: Place | None = None
    web_service: tuple[str, str] | None = None
    consumer: Consumer | None = None
    customer: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status: 200, 401, 403 or 503."""
        return STATUS[self.decision]

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy is told; who calls, and for whom, only of a call that is allowed."""
        told = {**ALWAYS, REASON_HEADER: self.reason}
        if self.decision == Decision.UNAUTHENTICATED:
            told["WWW-Authenticate"] = _challenge(self.place)
        if self.decision == Decision.ALLOWED:
            told[CONSUMER_HEADER] = str(self.consumer)
            if self.customer is not None:
                told[CUSTOMER_HEADER] = self.customer
        return told

    @property
    def body(self) -> str:
        """One line."""
        return f"{self.decision}: {self.reason}\n"


def _challenge(place: Place | None) -> str:
    return "Bearer" if place is None else f'Bearer realm="{place.audience}"'
