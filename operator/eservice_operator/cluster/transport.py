# SPDX-License-Identifier: Apache-2.0
"""One request to the API server: credentials, time limits, retries, counting. Knows no verbs and no kinds.

The session and the models of the Kubernetes client are not used: its conversions cost more than a request.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from eservice_operator import __version__
from eservice_operator.cluster.configuration import Configuration, trust_of
from eservice_operator.cluster.errors import ApiError, Transient, from_body

USER_AGENT: Final = f"eservice-operator/{__version__}"
ATTEMPTS: Final = 4
BACKOFF: Final = 0.25
"""Seconds: the upper bound of the first pause; it doubles, and each pause is drawn between zero and it."""
PATIENCE: Final = 10.0
"""Seconds: a worker sleeps no longer than that. A server that asks to wait longer is not asked until then:
whoever wants the same meanwhile gets its refusal again."""
CONNECT_TIMEOUT: Final = 5.0
READ_BUFFER: Final = 2**21
"""Bytes: more than the largest object that etcd takes."""

PUT_OFF: Final = 429
"""The status with which the server refuses to begin."""
NEEDS_MORE: Final = frozenset({401, 410})
"""Statuses that the same request gets again: other credentials, or another LIST, have to come first."""
UNREACHABLE: Final = "Unreachable"
"""The reason when no connection was made, so that nothing can have been carried out."""

APPLY: Final = "application/apply-patch+yaml"


def _escapes(*characters: int) -> dict[int, str]:
    return {character: f"\\u{character:04x}" for character in characters}


GO_ESCAPES: Final = _escapes(*map(ord, "<>&"), 0x2028, 0x2029)
"""What Go escapes in the strings of JSON besides what has to be."""
YAML_ESCAPES: Final = GO_ESCAPES | _escapes(*range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF)
"""What YAML refuses, or takes for a line break, when it is not escaped. (It refuses pairs of surrogates, by
which ASCII stands for emoji, too: so the rest is sent as it is.)"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt at a request went; told at the moment at which the headers of the answer have come."""

    verb: str
    code: int
    """The HTTP status; 0 when no answer came."""
    seconds: float
    """Until the answer, or the failure, came."""
    date: str = ""
    """The answer's ``Date`` header as it stands there; empty when there was none."""

    @property
    def answered(self) -> bool:
        """Whether the API server itself answered: an error of a server may be that of one in between."""
        return 0 < self.code < 500  # noqa: PLR2004


OnRequest = Callable[[Attempt], None]


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


class Transport:
    """Sends requests with the credentials of ``configuration`` over one session; ``close`` ends it.

    ``request_timeout`` is in seconds, for each attempt.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        request_timeout: float = 30.0,
        on_request: OnRequest | None = None,
    ) -> None:
        self._configuration = configuration
        self._session = _session(configuration)
        self._timeout = aiohttp.ClientTimeout(total=request_timeout, sock_connect=CONNECT_TIMEOUT)
        self._on_request = on_request
        self._put_off: dict[tuple[str, str], float] = {}
        """Until when (monotonic seconds) the server asked not to be asked for the same again."""

    async def close(self) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def send(self, request: Request) -> Any:
        """The parsed body of the answer, after up to ``ATTEMPTS`` tries.

        A request that is not ``repeatable`` is sent again only when it certainly was not carried out: no
        connection was made, or the server put it off with 429.

        Raises:
            ApiError: refused, or no answer.
        """
        attempt = 1
        while True:
            await self._keep_off(request)
            try:
                return await self._once(request)
            except Transient as error:
                self._remember(request, error.retry_after)
                safe = request.repeatable or error.status == PUT_OFF or error.reason == UNREACHABLE
                if (
                    not safe
                    or error.status in NEEDS_MORE
                    or attempt == ATTEMPTS
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
            now = time.monotonic()
            self._put_off = {what: until for what, until in self._put_off.items() if until > now}
            self._put_off[request.method, request.path] = now + seconds

    async def _once(self, request: Request) -> Any:
        async with self.open(request, self._timeout) as response:
            body = await response.read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise Transient(0, "Broken", f"the answer is not JSON: {error}") from error

    @asynccontextmanager
    async def open(
        self,
        request: Request,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the session carries it out
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one attempt, its body unread, closed at the end of the block.

        Raises:
            ApiError: refused, or no answer; also for what breaks while the body is read inside the block.
        """
        began = time.monotonic()
        code, date = 0, ""
        try:
            try:
                response = await self._session.request(
                    request.method,
                    self._configuration.host + request.path,
                    data=None if request.body is None else encoded(request.body, request.content_type),
                    headers=await self._headers(request),
                    timeout=timeout,
                    proxy=self._configuration.proxy,
                    proxy_headers=self._configuration.proxy_headers,
                    server_hostname=self._configuration.tls_server_name,
                )
                code, date = response.status, response.headers.get("Date", "")
            finally:
                if self._on_request is not None:
                    self._on_request(Attempt(request.verb, code, time.monotonic() - began, date))
            async with response:
                if code >= 400:  # noqa: PLR2004
                    raise from_body(code, await response.read(), retry_after=_retry_after(response))
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise _unanswered(error) from error

    async def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Accept": request.accept,
            "Accept-Encoding": "identity",  # inside a cluster the bytes are cheaper than compressing them
            "Content-Type": request.content_type,
            "User-Agent": USER_AGENT,
        }
        for setting in (await self._configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        return headers


def encoded(document: Any, content_type: str) -> bytes:
    """JSON as the API server itself would write it; for an apply, which it reads as YAML, as YAML too.

    It tells some documents apart by their bytes: the data of a ControllerRevision is immutable as text, and
    an apply of the same data is refused when the POST that made it was spelt otherwise.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(YAML_ESCAPES if content_type == APPLY else GO_ESCAPES).encode()


def _session(configuration: Configuration) -> aiohttp.ClientSession:
    """A session that looks for no proxies and passwords in the environment and in ~/.netrc.

    It has as many connections as are asked for: one for each watch, and the queue bounds the rest.
    """
    tls = configuration.host.startswith("https")
    connector = aiohttp.TCPConnector(limit=0, ssl=trust_of(configuration) if tls else True)
    return aiohttp.ClientSession(connector=connector, read_bufsize=READ_BUFFER)


def _unanswered(error: Exception) -> ApiError:
    never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    reason = UNREACHABLE if never_sent else "Timeout" if isinstance(error, TimeoutError) else "Broken"
    return Transient(0, reason, f"{type(error).__name__}: {error}")


def _retry_after(response: aiohttp.ClientResponse) -> float:
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 0.0
