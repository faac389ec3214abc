# SPDX-License-Identifier: Apache-2.0
"""What the API server says of a caller: whose token it is, and whether it may invoke a web service.

Both answers are kept for a moment, by the hash of the token: the token itself is sent on and forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

from eservice_operator.api.names import GROUP, INVOKE, SERVICE_ACCOUNT, WEB_SERVICES
from eservice_operator.authorizer.asked import Consumer, Place
from eservice_operator.authorizer.claims import claims_of
from eservice_operator.authorizer.figures import Figures
from eservice_operator.authorizer.remembered import Remembered
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError
from eservice_operator.cluster.resources import ACCESS_REVIEWS, TOKEN_REVIEWS, Resource

log = logging.getLogger(__name__)

TOKEN_SECONDS: Final = 10.0
"""How long a token that was found good is taken for good, and at most until it expires."""
ACCESS_SECONDS: Final = 1.0
"""How long a right holds once it was seen; also what was refused is asked again after it."""
MOST_KEPT: Final = 10_000
REVIEW_SECONDS: Final = 2.0
"""Until it is said that nothing can be decided."""
AT_ONCE: Final = 48
"""Reviews of known callers under way, so that an API server that is slow is not asked for ever more."""
UNKNOWN_AT_ONCE: Final = 16
"""Reviews of tokens that were never found good: anybody can make up as many as they like, and those who are
known do not wait for them."""


class CannotDecide(Exception):
    """The API server does not answer, or refuses to."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, in the words of the API server."""

    username: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, tuple[str, ...]], ...]
    consumer: Consumer


class Reviews:
    """Asks, and remembers. ``seconds`` is the wall clock since the epoch, by which tokens expire."""

    def __init__(
        self, api: KubeApi, figures: Figures, monotonic: Callable[[], float], seconds: Callable[[], float]
    ) -> None:
        self._api = api
        self._figures = figures
        self._monotonic = monotonic
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._unknown_turns = asyncio.Semaphore(UNKNOWN_AT_ONCE)
        self._callers: Remembered[tuple[bytes, str], _Reviewed] = Remembered(
            self._caller_holds, MOST_KEPT, monotonic, figures.looked_up("token")
        )
        self._rights: Remembered[tuple[Caller, Place, str], bool] = Remembered(
            lambda _: ACCESS_SECONDS, MOST_KEPT, monotonic, figures.looked_up("access")
        )

    async def caller(self, token: str, audience: str) -> Caller | None:
        """Whose token it is; None when it is nobody's, has expired, or is for another audience.

        Raises:
            CannotDecide: no answer.
        """
        key = sha256(token.encode()).digest(), audience

        async def ask() -> _Reviewed:
            claims = claims_of(token)
            if claims is None or not claims.worth_asking(audience, self._seconds()):
                return _Reviewed(None, 0)
            turns = self._turns if self._callers.was_good(key) else self._unknown_turns
            status = await self._review(TOKEN_REVIEWS, {"token": token, "audiences": [audience]}, turns)
            return _Reviewed(_caller(status, audience), claims.expires)

        reviewed = await self._callers.get(key, ask)
        return reviewed.caller if self._seconds() < reviewed.expires else None

    async def may_invoke(self, caller: Caller, place: Place, subresource: str) -> bool:
        """Whether RBAC (or whatever else the API server asks) lets the caller invoke the web service.

        ``subresource`` is the contract version, for SOAP; empty for REST.

        Raises:
            CannotDecide: no answer.
        """

        async def ask() -> bool:
            attributes = {
                "group": GROUP,
                "resource": WEB_SERVICES,
                "subresource": subresource,
                "verb": INVOKE,
                "namespace": place.namespace,
                "name": place.name,
            }
            who = {
                "user": caller.username,
                "uid": caller.uid,
                "groups": list(caller.groups),
                "extra": {key: list(values) for key, values in caller.extra},
            }
            status = await self._review(ACCESS_REVIEWS, who | {"resourceAttributes": attributes}, self._turns)
            return status.get("allowed") is True and not status.get("denied")

        return await self._rights.get((caller, place, subresource), ask)

    def _caller_holds(self, reviewed: _Reviewed) -> float:
        if reviewed.caller is None:
            return ACCESS_SECONDS
        return min(TOKEN_SECONDS, reviewed.expires - self._seconds())

    async def _review(
        self, resource: Resource, spec: dict[str, Any], turns: asyncio.Semaphore
    ) -> Mapping[str, Any]:
        """The status of one review, when it is its turn.

        Of what goes wrong only the API's own word is told, never the request.
        """
        began = self._monotonic()
        try:
            async with asyncio.timeout(REVIEW_SECONDS), turns:
                status = await self._api.review(resource, spec)
        except ApiError as error:
            why = f"{error.status or 'no answer'} {error.reason}"
        except TimeoutError:
            why = f"no answer within {REVIEW_SECONDS:g} s"
        else:
            self._figures.reviewed(resource.kind, "answered", self._monotonic() - began)
            return status
        self._figures.reviewed(resource.kind, "failed", self._monotonic() - began)
        log.warning("%s: %s", resource.kind, why)
        raise CannotDecide(f"{resource.kind}: {why}") from None


class _Reviewed(NamedTuple):
    """What a TokenReview came to; true when the token is somebody's."""

    caller: Caller | None
    expires: float

    def __bool__(self) -> bool:
        return self.caller is not None


def _caller(status: Mapping[str, Any], audience: str) -> Caller | None:
    """The ServiceAccount of an authenticated token of this audience."""
    if status.get("authenticated") is not True or audience not in (status.get("audiences") or ()):
        return None
    user = status["user"]
    username: str = user["username"]
    namespace, _, name = username.removeprefix(SERVICE_ACCOUNT).partition(":")
    if not username.startswith(SERVICE_ACCOUNT) or not namespace or not name:
        return None
    extra = sorted((key, tuple(values)) for key, values in (user.get("extra") or {}).items())
    return Caller(
        username,
        user.get("uid") or "",
        tuple(user.get("groups") or ()),
        tuple(extra),
        Consumer(namespace, name),
    )
