# SPDX-License-Identifier: Apache-2.0
"""A server as a process: how it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Final

log = logging.getLogger(__name__)

SIGNALLED: Final = 128
"""Added to a signal's number for the exit code, as shells do."""


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
