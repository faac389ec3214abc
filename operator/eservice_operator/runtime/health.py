# SPDX-License-Identifier: Apache-2.0
"""/livez, /readyz and /metrics."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from eservice_operator.core.address import Address
from eservice_operator.runtime.metrics import Metrics
from eservice_operator.serving.bounded import listening
from eservice_operator.serving.probes import ProbeServer, Verdict

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Answers None when all is well, otherwise a sentence that says what is not."""


class HealthServer:
    """Answers probes from the operator's own event loop, and scrapes from a thread beside it.

    A probe says what fails, one line per check, and answers 503 then; it reads what is known and waits for
    nothing, so a loop that does not answer is stuck.
    """

    def __init__(self, metrics: Metrics, live: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._metrics = metrics
        self._probes = {"/livez": partial(_verdict, live), "/readyz": partial(_verdict, ready)}

    @asynccontextmanager
    async def serving(self, address: Address) -> AsyncIterator[Address]:
        """Serve inside the block; yields the address with the port in use. Raises OSError if it is taken."""
        server = ProbeServer(self._probes, self._metrics.render, {})
        async with listening(server.runner, address) as bound:
            log.info("answering probes and scrapes on %s", bound)
            yield bound


def _verdict(checks: Mapping[str, Check]) -> Verdict:
    verdicts = {name: check() for name, check in checks.items()}
    lines = [f"[+] {name}" if why is None else f"[-] {name}: {why}" for name, why in verdicts.items()]
    well = all(why is None for why in verdicts.values())
    return Verdict(well, "\n".join([*lines, "ok" if well else "failed", ""]))
