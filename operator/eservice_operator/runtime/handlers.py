# SPDX-License-Identifier: Apache-2.0
"""What kopf calls: one handler for the events of our kinds, and the login."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from eservice_operator.api.names import GROUP, VERSION
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.resources import OWN
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.kopf_alone import kopf

LOGIN_PAUSE = 1.0
"""Seconds before each further look at the credentials: kopf asks again at once for every 401."""


class Observed(Protocol):
    """Takes an event; quick, and raises nothing: kopf never repeats an event."""

    def __call__(self, obj: Manifest, *, deleted: bool) -> None:
        """``obj`` as it is now, or as it was when it went away."""
        ...


Load = Callable[[], Awaitable[Configuration]]
"""Looks the credentials up as they are now."""


def registry_for(observed: Observed, load: Load) -> kopf.OperatorRegistry:
    """A registry of its own, so that nothing registered elsewhere runs along."""
    registry = kopf.OperatorRegistry()
    for resource in OWN:
        kopf.on.event(GROUP, VERSION, resource.plural, id=f"{resource.kind}-changed", registry=registry)(
            _observer(observed)
        )
    kopf.on.login(id="credentials", registry=registry)(_login(load))
    return registry


def _observer(observed: Observed) -> Callable[..., Awaitable[None]]:
    async def observe(event: kopf.RawEvent, **_: Any) -> None:
        observed(dict(event["object"]), deleted=event["type"] == "DELETED")

    return observe


def _login(load: Load) -> Callable[..., Awaitable[kopf.ConnectionInfo]]:
    pause = 0.0

    async def login(**_: Any) -> kopf.ConnectionInfo:
        nonlocal pause
        await asyncio.sleep(pause)
        pause = LOGIN_PAUSE
        return await connection_info(await load())

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
