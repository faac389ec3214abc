# SPDX-License-Identifier: Apache-2.0
"""/livez, /readyz and /metrics, and nothing else, on an address of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CLOSING_SECONDS: Final = 0.5


class HealthApp:
    """Ready while ``open`` is set and ``unready`` answers None; else it says the sentence that it answers.

    ``render`` gives the figures, and is called in a thread. ``headers`` are on every answer.
    """

    def __init__(
        self,
        render: Callable[[], bytes],
        headers: Mapping[str, str],
        unready: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.open = False
        self.app = web.Application()
        self._render = render
        self._headers = headers
        self._unready = unready
        self.app.router.add_get("/livez", self._livez)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", self._metrics)

    @property
    def runner(self) -> web.AppRunner:
        """Closes within a second, and does not fill the log."""
        return web.AppRunner(self.app, access_log=None, shutdown_timeout=CLOSING_SECONDS)

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n", headers=self._headers)

    async def _readyz(self, _request: web.Request) -> web.Response:
        why = self._unready() if self.open else "not ready"
        return web.Response(text=f"{why or 'ok'}\n", status=503 if why else 200, headers=self._headers)

    async def _metrics(self, _request: web.Request) -> web.Response:
        figures = await asyncio.to_thread(self._render)
        return web.Response(body=figures, headers={"Content-Type": METRICS_TYPE, **self._headers})
