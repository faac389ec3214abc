# SPDX-License-Identifier: Apache-2.0
"""/livez, /readyz and /metrics of the servers beside the operator, on an address of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from eservice_operator.serving.probes import ProbeServer, Verdict


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
        self._unready = unready
        self._server = ProbeServer({"/livez": self._livez, "/readyz": self._readyz}, render, headers)

    @property
    def runner(self) -> web.ServerRunner:
        """Closes within a second, and does not fill the log."""
        return self._server.runner

    def _livez(self) -> Verdict:
        return Verdict(well=True, text="ok\n")

    def _readyz(self) -> Verdict:
        why = self._unready() if self.open else "not ready"
        return Verdict(well=why is None, text=f"{why or 'ok'}\n")
