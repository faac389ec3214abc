# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT: the first asks for an orderly end, the second takes it at once."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import NoReturn

log = logging.getLogger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT)
SIGNALLED = 128
"""Added to a signal's number for the exit code, as shells do."""


def leave_within(seconds: float) -> None:
    """End the process (exit code 1) unless it has ended by then: no task that hangs may keep it."""

    def leave() -> None:
        log.error("something does not end; leaving without it")
        leave_now(1)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def leave_now(code: int) -> NoReturn:
    """End the process with this exit code. What it holds in memory is left to the system.

    Python would take it apart object by object, which on a busy node lasts longer than the rest of a stop.
    """
    logging.shutdown()
    os._exit(code)


class StopSignals:
    """Sets ``stop`` at the first signal, and leaves the process at the second."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()

    def install(self) -> None:
        """Take the signals; called again after somebody else has taken them."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self._received, number)

    def remove(self) -> None:
        """Leave the signals to Python's own handlers."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.remove_signal_handler(number)

    def _received(self, number: signal.Signals) -> None:
        if self.stop.is_set():
            log.warning("%s again: leaving at once", number.name)
            leave_now(SIGNALLED + number)
        log.info("%s: finishing what is under way; a second signal leaves at once", number.name)
        self.stop.set()
