# SPDX-License-Identifier: Apache-2.0
"""What kopf calls: one handler for the events of our kinds, and the login."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Protocol

import aiohttp

from eservice_operator.api.names import GROUP, VERSION
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.resources import OWN
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.answers import News, answers_with, everything
from eservice_operator.runtime.kopf_alone import kopf

LOGIN_PAUSE = 1.0
"""Seconds between two looks at the credentials, at least: kopf asks again at once for every 401."""


class Observed(Protocol):
    """Takes an event; quick, and raises nothing: kopf never repeats an event."""

    def __call__(self, obj: Manifest, *, deleted: bool) -> None:
        """``obj`` as it is now, or as it was when it went away."""
        ...


Listed = Callable[[str], None]
"""Told of each list that kopf has got, by the plural of its kind."""
Load = Callable[[], Awaitable[Configuration]]
"""Looks the credentials up as they are now."""


def registry_for(
    observed: Observed, load: Load, listed: Listed, agent: str, news: News = everything
) -> kopf.OperatorRegistry:
    """A registry of its own, so that nothing registered elsewhere runs along; it asks as ``agent``.

    Of what kopf lists ``observed`` is told only of the ``news``; watches tell it of everything.
    """
    registry = kopf.OperatorRegistry()
    for resource in OWN:
        kopf.on.event(GROUP, VERSION, resource.plural, id=f"{resource.kind}-changed", registry=registry)(
            _observer(observed)
        )
    kopf.on.login(id="credentials", registry=registry)(_login(load, listed, agent, news))
    return registry


def _observer(observed: Observed) -> Callable[..., Awaitable[None]]:
    async def observe(event: kopf.RawEvent, **_: Any) -> None:
        observed(dict(event["object"]), deleted=event["type"] == "DELETED")

    return observe


def _login(
    load: Load, listed: Listed, agent: str, news: News
) -> Callable[..., Awaitable[kopf.AiohttpSession]]:
    soonest = 0.0

    async def login(**_: Any) -> kopf.AiohttpSession:
        nonlocal soonest
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(soonest - clock())
        soonest = clock() + LOGIN_PAUSE
        configuration = await load()
        info = await connection_info(configuration)
        return session_of(info, listed, agent, configuration.tls_server_name, news)

    return login


async def connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """The same server, trust and identity as our own client's, in kopf's words."""
    settings = (await configuration.auth_settings()).values()
    scheme, _, token = next((s["value"] for s in settings if s["key"] == "authorization"), "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert or None,
        insecure=not configuration.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file or None,
        private_key_path=configuration.key_file or None,
        proxy_url=configuration.proxy or None,
    )


def session_of(
    info: kopf.ConnectionInfo,
    listed: Listed,
    agent: str,
    server_name: str | None = None,
    news: News = everything,
) -> kopf.AiohttpSession:
    """The session that kopf would make of it, and closes, which says when a list has come.

    When kopf has missed events it lists anew and tells its handlers of what is there. Of what is not there
    any more it tells nobody: whoever remembers it has to hear that there was a list, be it an empty one.
    ``server_name`` is the one in the server's certificate, for which kopf has no word.
    """

    async def ended(_: object, __: object, request: aiohttp.TraceRequestEndParams) -> None:
        if request.response.status == HTTPStatus.OK and "watch" not in request.url.query:
            listed(request.url.name)

    async def named(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.server_hostname = server_name
        return await send(request)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(ended)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers={**info.as_http_headers(), "User-Agent": f"kopf/{version('kopf')} {agent}"},
        proxy=info.proxy_url,
        trace_configs=[trace],
        response_class=answers_with(news),
        middlewares=[named] if server_name else [],
    )
    return kopf.AiohttpSession(aiohttp_session=session, server=info.server)
