# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator notice``: the page as a process, from its settings to its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

import click
from typing_extensions import override

from eservice_operator import __version__
from eservice_operator.core.address import Address, to_listen_on
from eservice_operator.notice import logs
from eservice_operator.notice.figures import Figures
from eservice_operator.notice.server import (
    HealthApp,
    NoticeServer,
    health_runner_of,
    listening,
    runner_of,
)

log = logging.getLogger(__name__)

LEAVING_SECONDS: Final = 0.75
"""From SIGTERM until it no longer listens: who still comes is answered, and told to come to another."""
SIGNALLED: Final = 128
"""Added to a signal's number for the exit code, as shells do."""


class ListenOn(click.ParamType[Address]):
    """``HOST:PORT``, ``:PORT`` for every interface, ``[ADDRESS]:PORT`` for IPv6; port 0 takes a free one."""

    name = "HOST:PORT"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        if isinstance(value, Address):
            return value
        address = to_listen_on(str(value))
        if address is None:
            self.fail(
                f"{value!r} is not an address to listen on; write HOST:PORT: 0.0.0.0:8080, [::]:8080",
                param,
                ctx,
            )
        return address


@click.command()
@click.option(
    "--address",
    type=ListenOn(),
    default="0.0.0.0:8080",
    show_default=True,
    envvar="ESERVICE_NOTICE_ADDRESS",
    show_envvar=True,
    help="Where the page is; port 0 takes a free one and logs it.",
)
@click.option(
    "--health-address",
    type=ListenOn(),
    default="0.0.0.0:8081",
    show_default=True,
    envvar="ESERVICE_NOTICE_HEALTH_ADDRESS",
    show_envvar=True,
    help="Where /metrics, /livez and /readyz answer; no gateway leads there.",
)
def notice(address: Address, health_address: Address) -> None:
    """Serve the page that stands in for unpublished e-services, until SIGTERM or SIGINT.

    It needs no access to the cluster: what the page says comes with each request, from the rule of the route.
    """
    logs.configure()
    raise SystemExit(asyncio.run(serve(address, health_address)))


async def serve(address: Address, health_address: Address) -> int:
    """Serve until told to stop; the exit code: 0 after a signal, 1 when an address cannot be had."""
    stop = _signals()
    figures = Figures()
    server, health = NoticeServer(lambda: datetime.now(UTC), figures), HealthApp(figures)
    try:
        async with AsyncExitStack() as stack:
            probes = await stack.enter_async_context(listening(health_runner_of(health), health_address))
            log.info("answering probes and scrapes on %s", probes)
            bound = await stack.enter_async_context(listening(runner_of(server), address))
            log.info("eservice-operator %s gives notice on %s", __version__, bound)
            health.ready = True
            await stop.wait()
            health.ready = False
            server.leave()
            await asyncio.sleep(LEAVING_SECONDS)
    except OSError as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the sentence is for a person, and says all
        return 1
    log.info("stopped")
    return 0


def _signals() -> asyncio.Event:
    """Set by the first signal; the second ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def received(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(SIGNALLED + number)
        log.info("%s: no longer ready, then the end; a second signal leaves at once", number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received, number)
    return stop
