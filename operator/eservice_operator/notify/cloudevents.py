# SPDX-License-Identifier: Apache-2.0
"""The channel of CloudEvents 1.0: each letter is POSTed to one sink, in structured mode and signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from eservice_operator.core.cleaning import one_line
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.notify.event import CONTENT_TYPE, encoded, signature
from eservice_operator.notify.sender import NoCredentials, SigningKey
from eservice_operator.notify.tls import NoAuthorities, Trust

TIMEOUT: Final = 30.0
"""Seconds for one event, the connection included."""
AT_ONCE: Final = 4
"""Connections to the sink."""
OURS: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)
"""About the address or the key, which are our own configuration: mending them helps."""
LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class EventsSender:
    """The `Sender` of CloudEvents.

    ``url`` is that of the sink, ``trusted`` whom it is trusted by where it is https. Without a ``key`` events
    are not signed.
    """

    abreast = AT_ONCE

    def __init__(
        self,
        url: str,
        key: SigningKey | None,
        now: Callable[[], datetime],
        *,
        trusted: Trust,
        timeout: float = TIMEOUT,
    ) -> None:
        self._url = url
        self._key = key
        self._now = now
        self._trusted = trusted
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._open: aiohttp.ClientSession | None = None

    async def send(self, letter: Letter) -> Delivery:
        """One attempt to hand the letter over."""
        try:
            body = await asyncio.to_thread(encoded, letter)
        except ValueError as error:
            return self._not_accepted(f"no event can be made of it: {error}", permanent=True)
        headers = {"Content-Type": CONTENT_TYPE, "User-Agent": "eservice-operator"}
        try:
            if self._key is not None:
                headers |= signature(await self._key(), letter.id, self._now(), body)
            trusted = await self._trusted.context()  # another one takes another connection
            post = self._session().post(
                self._url, data=body, headers=headers, allow_redirects=False, ssl=trusted
            )
            async with post as response:
                return self._verdict(response.status, response.headers.get("Retry-After", ""))
        except (NoCredentials, NoAuthorities) as error:
            return self._not_accepted(str(error))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return self._not_accepted(_unanswered(error))

    async def close(self) -> None:
        """Close the connections to the sink."""
        if self._open is not None:
            await self._open.close()
            self._open = None

    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            self._open = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        return self._open

    def _verdict(self, status: int, retry_after: str) -> Delivery:
        """What a status means; a redirect is never followed, since nobody signed for another sink."""
        if status in range(200, 300):
            return Delivery(accepted=True, at=self._now())
        permanent = status in range(400, 500) and status not in LATER | OURS
        wait = 0.0 if permanent else seconds_to_wait(retry_after, self._now())
        return self._not_accepted(f"the sink answered {status}", permanent=permanent, retry_after=wait)

    def _not_accepted(self, error: str, *, permanent: bool = False, retry_after: float = 0.0) -> Delivery:
        return Delivery(
            accepted=False,
            at=self._now(),
            error=error,
            permanent=permanent,
            retry_after=retry_after,
            channel_failed=not permanent,
        )


def host_of(url: str) -> str:
    """The host of a sink: what ledgers and figures call it. Its path and query can be secret."""
    return urlsplit(url).hostname or ""


def seconds_to_wait(retry_after: str, now: datetime) -> float:
    """The seconds that a Retry-After header asks for; 0 for none or nonsense."""
    if retry_after.isdecimal() and retry_after.isascii():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return max(wait.total_seconds(), 0.0)


def _unanswered(error: Exception) -> str:
    """Why there was no answer; only what is known to say nothing of the path is repeated."""
    match error:
        case TimeoutError():
            return "the sink took too long"
        case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorCertificateError():
            return f"no connection to the sink: {one_line(str(error))}"
        case _:
            return f"the connection to the sink broke: {type(error).__name__}"
