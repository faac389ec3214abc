# SPDX-License-Identifier: Apache-2.0
"""/livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from eservice_operator.core.address import Address
from eservice_operator.runtime.metrics import Metrics

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Answers None when all is well, otherwise a sentence that says what is not."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHUTDOWN = 1.0
"""Seconds for the requests under way when the server closes."""


class HealthServer:
    """Answers probes from the operator's own event loop, and scrapes from a thread beside it.

    A probe says what fails, one line per check, and answers 503 then; it reads what is known and waits for
    nothing, so a loop that does not answer is stuck.
    """

    def __init__(self, metrics: Metrics, live: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._metrics = metrics
        self._probes = {"/livez": live, "/readyz": ready}

    @asynccontextmanager
    async def serving(self, address: Address) -> AsyncIterator[Address]:
        """Serve inside the block; yields the address with the port in use. Raises OSError if it is taken."""
        app = web.Application()
        for path in self._probes:
            app.router.add_get(path, self._probe)
        app.router.add_get("/metrics", self._scrape)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        try:
            await web.TCPSite(runner, address.host or None, address.port).start()
            bound = Address(address.host, runner.addresses[0][1])
            log.info("answering probes and scrapes on %s", bound)
            yield bound
        finally:
            await runner.cleanup()

    async def _probe(self, request: web.Request) -> web.Response:
        verdicts = {name: check() for name, check in self._probes[request.path].items()}
        failed = {name: why for name, why in verdicts.items() if why is not None}
        lines = [f"[-] {name}: {failed[name]}" if name in failed else f"[+] {name}" for name in verdicts]
        return web.Response(
            text="\n".join([*lines, "failed" if failed else "ok", ""]), status=503 if failed else 200
        )

    async def _scrape(self, _request: web.Request) -> web.Response:
        figures = await asyncio.to_thread(self._metrics.render)
        return web.Response(body=figures, headers={"Content-Type": METRICS_TYPE})
