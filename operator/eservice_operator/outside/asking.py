# SPDX-License-Identifier: Apache-2.0
"""One question: a GET for a public host, as a citizen's browser would send it, and who answered.

Only the head of the answer is read. Nothing is followed off the host, nothing is remembered between questions
(no cookies, no connections), no proxy of the environment is used, and certificates are always checked.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp

from eservice_operator.api import names
from eservice_operator.api.seen import Answered
from eservice_operator.core.sightings import Answer
from eservice_operator.outside.addresses import CheckedResolver, NotAllowed, is_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TIMEOUT: Final = 5.0
"""Seconds for one question: DNS, connection, TLS, and every redirect."""
FOLLOWED: Final = 3
"""Redirects that are followed on the host."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
BUFFER: Final = 4096
"""Bytes of a body that are taken off the wire before the connection is closed."""
LONGEST_MARK: Final = 128
AGENT: Final = "eservice-operator-probe (+https://eservice.dev/probe)"
PORTS: Final = {"http": 80, "https": 443}

Trusted = Callable[[], Awaitable[ssl.SSLContext]]
"""Whom a server is trusted by, at this moment."""


class _Place(NamedTuple):
    """Where a question goes."""

    scheme: str
    host: str
    path: str
    """With its query."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


class Asker:
    """Asks hosts over ``scheme`` (http or https); ``elsewhere`` where the resolver leads all to one place.

    ``now`` and ``monotonic`` are the clocks that answers are dated and timed by.
    """

    def __init__(
        self,
        scheme: str,
        resolver: CheckedResolver,
        trusted: Trusted,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        elsewhere: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self._scheme = scheme
        self._resolver = resolver
        self._trusted = trusted
        self._now = now
        self._monotonic = monotonic
        self._elsewhere = elsewhere
        self._timeout = timeout

    async def ask(self, host: str, path: str) -> Answer:
        """Ask for ``path`` of a public host; never raises but for a bug."""
        began, failure, code, mark, why = self._monotonic(), None, 0, "", ""
        try:
            async with asyncio.timeout(self._timeout):
                code, mark = await self._asked(_Place(self._scheme, host, path))
        except _Unanswered as odd:
            failure, why = odd.answered, odd.why
        except NotAllowed as refused:
            failure, why = Answered.NOT_ALLOWED, refused.why
        except TimeoutError:
            failure = Answered.TIMED_OUT
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure, why = _failed(error), type(error).__name__
        return Answer(self._now(), self._monotonic() - began, code, mark, failure, why)

    async def _asked(self, place: _Place) -> tuple[int, str]:
        """The status and the mark of the first answer that is marked, or leads nowhere else on the host."""
        if is_address(place.host):
            raise NotAllowed("literal")
        code = 0
        async with self._session() as session:
            for _ in range(FOLLOWED + 1):
                code, mark, target = await self._get(session, place)
                if mark or not target or _host_of(urljoin(place.url, target)) != place.host:
                    return code, mark
                following = self._following(place, target)
                if following is None:
                    break
                place = following
        raise _Unanswered(Answered.REDIRECTED, f"{code}")

    async def _get(self, session: aiohttp.ClientSession, place: _Place) -> tuple[int, str, str]:
        """The status, the mark, and where a redirect leads; both empty where there is none."""
        tls = await self._trusted() if place.scheme == "https" else True
        async with session.get(place.url, allow_redirects=False, ssl=tls) as response:
            mark = response.headers.get(names.ROUTE_HEADER, "")[:LONGEST_MARK]
            target = response.headers.get("Location", "") if response.status in REDIRECTS else ""
            response.close()  # whatever else it sends
            return response.status, mark, target

    def _following(self, place: _Place, target: str) -> _Place | None:
        """Where a redirect on the host leads: the same scheme or up to https, and that scheme's own port.

        None where the probe does not go. Whoever the redirect names as the user is left out.
        """
        to = urlsplit(urljoin(place.url, target))
        up = to.scheme == "https" and not self._elsewhere
        if to.scheme not in PORTS or not (to.scheme == place.scheme or up):
            return None
        if to.port not in (None, PORTS[to.scheme]):
            return None
        path = to.path if to.path.startswith("/") else f"/{to.path}"
        return _Place(to.scheme, place.host, f"{path}?{to.query}" if to.query else path)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        connector = aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, force_close=True)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": AGENT, "Accept": "text/html, */*;q=0.1", "Cache-Control": "no-cache"},
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=BUFFER,
            auto_decompress=False,
            trust_env=False,
        ) as session:
            yield session


class _Unanswered(Exception):
    def __init__(self, answered: Answered, why: str) -> None:
        super().__init__(why)
        self.answered = answered
        self.why = why


def _host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _failed(error: Exception) -> Answered:
    """What a broken question came to."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return Answered.NO_ADDRESS
        case aiohttp.ClientConnectorCertificateError():
            return Answered.UNTRUSTED
        case aiohttp.ClientConnectorError() if error.errno == errno.ECONNREFUSED:
            return Answered.REFUSED
        case _:
            return Answered.BROKEN
