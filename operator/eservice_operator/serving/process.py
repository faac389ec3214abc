# SPDX-License-Identifier: Apache-2.0
"""A server as a process: where it listens, and how it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Any, Final

import click
from typing_extensions import override

from eservice_operator.core.address import Address, to_listen_on

log = logging.getLogger(__name__)

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


def stop_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process at once."""
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
