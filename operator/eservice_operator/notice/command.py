# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator notice``: the page as a process, from its settings to its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

import click

from eservice_operator import __version__
from eservice_operator.core.address import Address
from eservice_operator.notice.figures import Figures
from eservice_operator.notice.server import SERVER, NoticeServer
from eservice_operator.serving import logs
from eservice_operator.serving.bounded import listening
from eservice_operator.serving.health import HealthApp
from eservice_operator.serving.options import LISTEN_ON, setting
from eservice_operator.serving.process import stop_signals

log = logging.getLogger(__name__)

NOTICE: Final = "notice"
LEAVING_SECONDS: Final = 0.75
"""From SIGTERM until it no longer listens: who still comes is answered, and told to come to another."""


@click.command()
@setting(
    "--address", LISTEN_ON, "Where the page is; port 0 takes a free one and logs it.", "0.0.0.0:8080", NOTICE
)
@setting(
    "--health-address",
    LISTEN_ON,
    "Where /metrics, /livez and /readyz answer; no gateway leads there.",
    "0.0.0.0:8081",
    NOTICE,
)
def notice(address: Address, health_address: Address) -> None:
    """Serve the page that stands in for unpublished e-services, until SIGTERM or SIGINT.

    It needs no access to the cluster: what the page says comes with each request, from the rule of the route.
    """
    logs.configure()
    raise SystemExit(asyncio.run(serve(address, health_address)))


async def serve(address: Address, health_address: Address) -> int:
    """Serve until told to stop; the exit code: 0 after a signal, 1 when an address cannot be had."""
    stop = stop_signals()
    figures = Figures()
    server = NoticeServer(lambda: datetime.now(UTC), figures)
    health = HealthApp(figures.render, SERVER)
    try:
        async with AsyncExitStack() as stack:
            probes = await stack.enter_async_context(listening(health.runner, health_address))
            log.info("answering probes and scrapes on %s", probes)
            bound = await stack.enter_async_context(listening(server.runner, address))
            log.info("eservice-operator %s gives notice on %s", __version__, bound)
            health.open = True
            await stop.wait()
            health.open = False
            server.leave()
            await asyncio.sleep(LEAVING_SECONDS)
    except OSError as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the sentence is for a person, and says all
        return 1
    log.info("stopped")
    return 0
