# SPDX-License-Identifier: Apache-2.0
"""One request to the API server: credentials, time limits, retries, counting. Knows no verbs and no kinds.

The session and the models of the Kubernetes client are not used: its conversions cost more than a request.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from eservice_operator import __version__
from eservice_operator.cluster.attempts import AUDITED, Attempt, OnRequest
from eservice_operator.cluster.configuration import Configuration, trust_of
from eservice_operator.cluster.encoding import encoded
from eservice_operator.cluster.errors import ApiError, Transient, from_body
from eservice_operator.cluster.guard import GuardedBody, NotLeading, Unguarded, WriteGuard
from eservice_operator.cluster.nesting import read

USER_AGENT: Final = f"eservice-operator/{__version__}"
ATTEMPTS: Final = 4
BACKOFF: Final = 0.25
"""Seconds: the upper bound of the first pause; it doubles, and each pause is drawn between zero and it."""
PATIENCE: Final = 1.0
"""Seconds: a worker sleeps no longer than that, and serves others instead. Who asks to wait longer is not
asked until then: whoever wants the same meanwhile gets its refusal again."""
LONGEST_WAIT: Final = 300.0
"""Seconds: who asks to wait for longer, as a load balancer's page may, is asked again after this."""
CONNECT_TIMEOUT: Final = 5.0
READ_BUFFER: Final = 2**21
"""Bytes: more than the largest object that etcd takes."""

PUT_OFF: Final = 429
"""The status with which the server refuses to begin."""
NEEDS_MORE: Final = frozenset({401, 410})
"""Statuses that the same request gets again: other credentials, or another LIST, have to come first."""
UNREACHABLE: Final = "Unreachable"
"""The reason when no connection was made, so that nothing can have been carried out."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request but for credentials. ``repeatable``: sending it twice does the same as sending it once."""

    verb: str
    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    accept: str = "application/json"
    repeatable: bool = True

    @property
    def writes(self) -> bool:
        """Whether it may change something, so that the guard is asked; such a request has a body."""
        return self.method != "GET"


class Transport:
    """Sends requests with the credentials of ``configuration`` over one session; ``close`` ends it.

    ``request_timeout`` is in seconds, for each of up to ``attempts`` attempts. No write is sent against the
    ``guard``, nor waited for longer than that allows. A server that asks to wait is asked for the same again
    after ``put_off_at_most`` seconds, whatever it said. ``agent`` goes behind the program's name in the
    requests, and so into the audit log.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        request_timeout: float = 30.0,
        attempts: int = ATTEMPTS,
        guard: WriteGuard | None = None,
        put_off_at_most: float = LONGEST_WAIT,
        agent: str = "",
        on_request: OnRequest | None = None,
    ) -> None:
        self._configuration = configuration
        self._session = _session(configuration)
        self._seconds = request_timeout
        self._attempts = attempts
        self._guard = guard or Unguarded()
        self._put_off_at_most = put_off_at_most
        self._agent = agent_of(agent)
        self._on_request = on_request or (lambda _: None)
        self._put_off: dict[tuple[str, str], float] = {}
        """Until when (monotonic seconds) the server asked not to be asked for the same again."""

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def send(self, request: Request) -> Any:
        """The parsed body of the answer, after up to as many tries as were set.

        A request that is not ``repeatable`` is sent again only when it certainly was not carried out: no
        connection was made, or the server put it off with 429.

        Raises:
            NotLeading: a write that the guard did not let out, which is not tried again.
            ApiError: refused, or no answer.
        """
        attempt = 1
        while True:
            await self._keep_off(request)
            try:
                return await self._once(request)
            except NotLeading:
                raise
            except Transient as error:
                self._remember(request, error.retry_after)
                safe = request.repeatable or error.status == PUT_OFF or error.reason == UNREACHABLE
                if (
                    not safe
                    or error.status in NEEDS_MORE
                    or attempt == self._attempts
                    or error.retry_after > PATIENCE
                ):
                    raise
                await asyncio.sleep(error.retry_after + random.uniform(0, BACKOFF * 2**attempt))  # noqa: S311
                attempt += 1

    async def _keep_off(self, request: Request) -> None:
        """Wait until the server may be asked this; refuse in its name where that takes too long."""
        left = self._put_off.get((request.method, request.path), 0.0) - time.monotonic()
        if left > PATIENCE:
            message = f"the API server asked to wait, {left:.0f} s are left"
            raise Transient(PUT_OFF, "TooManyRequests", message, retry_after=left)
        await asyncio.sleep(max(0.0, left))

    def _remember(self, request: Request, seconds: float) -> None:
        if seconds > 0:
            now, seconds = time.monotonic(), min(seconds, self._put_off_at_most)
            self._put_off = {what: until for what, until in self._put_off.items() if until > now}
            self._put_off[request.method, request.path] = now + seconds

    async def _once(self, request: Request) -> Any:
        async with self.open(request) as response:
            body = await response.read()
        try:
            return read(body)
        except ValueError as error:
            raise Transient(0, "Broken", f"the answer is not JSON: {error}") from error

    def _limits(self, request: Request) -> aiohttp.ClientTimeout:
        """How long one attempt may take: a write no longer than the guard gives it."""
        left = self._guard.time_left() if request.writes else math.inf
        if left <= 0:
            raise NotLeading
        seconds = min(self._seconds, left)
        # to the instant: aiohttp rounds what is longer than five seconds up to the next whole one
        return aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_TIMEOUT, ceil_threshold=2 * seconds)

    @asynccontextmanager
    async def open(
        self,
        request: Request,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 - the session carries it out
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one attempt, its body unread, closed at the end of the block.

        Without ``timeout`` it may take as long as was set, and a write no longer than the guard gives it.

        Raises:
            ApiError: refused, or no answer; also for what breaks while the body is read inside the block.
        """
        kind = request.content_type
        body = GuardedBody(self._guard, encoded(request.body, kind), kind) if request.writes else None
        try:
            async with await self._begin(request, body, timeout) as response:
                if response.status >= 400:  # noqa: PLR2004
                    after = _retry_after(response)
                    raise from_body(response.status, await response.read(), retry_after=after)
                yield response
        except (aiohttp.ClientError, OSError) as error:
            if body is not None and body.refused:
                raise NotLeading from error
            raise _unanswered(error) from error

    async def _begin(
        self,
        request: Request,
        body: GuardedBody | None,
        timeout: aiohttp.ClientTimeout | None,  # noqa: ASYNC109 - as above
    ) -> aiohttp.ClientResponse:
        """The head of the answer; ``on_request`` is told what came of the attempt, but not of none at all."""
        began = time.monotonic()
        try:
            headers = await self._headers(request)  # a plugin may take long, and the lease runs on
            response = await self._session.request(
                request.method,
                self._configuration.host + request.path,
                data=body,
                headers=headers,
                timeout=timeout or self._limits(request),
                proxy=self._configuration.proxy,
                proxy_headers=self._configuration.proxy_headers,
                server_hostname=self._configuration.tls_server_name,
            )
        except NotLeading:
            raise
        except BaseException:
            self._on_request(Attempt(request.verb, 0, time.monotonic() - began))
            raise
        seconds, date = time.monotonic() - began, response.headers.get("Date", "")
        self._on_request(Attempt(request.verb, response.status, seconds, date, AUDITED in response.headers))
        return response

    async def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Accept": request.accept,
            "Accept-Encoding": "identity",  # inside a cluster the bytes are cheaper than compressing them
            "Content-Type": request.content_type,
            "User-Agent": self._agent,
        }
        for setting in (await self._configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        return headers


def agent_of(name: str) -> str:
    """The User-Agent of one of several operators; without a name that of any."""
    return f"{USER_AGENT} ({name})" if name else USER_AGENT


def _session(configuration: Configuration) -> aiohttp.ClientSession:
    """A session that looks for no proxies and passwords in the environment and in ~/.netrc."""
    tls = trust_of(configuration) if configuration.host.startswith("https") else True
    connector = aiohttp.TCPConnector(limit=configuration.connection_pool_maxsize, ssl=tls)
    return aiohttp.ClientSession(connector=connector, read_bufsize=READ_BUFFER)


def _unanswered(error: Exception) -> ApiError:
    never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    reason = UNREACHABLE if never_sent else "Timeout" if isinstance(error, TimeoutError) else "Broken"
    return Transient(0, reason, f"{type(error).__name__}: {error}")


def _retry_after(response: aiohttp.ClientResponse) -> float:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 0.0
