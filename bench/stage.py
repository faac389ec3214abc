# SPDX-License-Identifier: Apache-2.0
"""A control plane to measure on, and what it, and an operator of ours on it, have used."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from bench import fleet
from bench.processes import PATIENCE, Used, comes_true, scrape, total, used
from eservice_operator.cluster.client import KubeApi
from tests.support.audit import OPERATOR, AuditLog, Request, request_of
from tests.support.cluster import Options, private_control_plane
from tests.support.operator import OperatorProcess
from tests.support.rights import operator_credentials, people_credentials

if TYPE_CHECKING:
    from controlplane import Cluster

from localcluster.layout import Layout, State

THROTTLE = 2.0
"""Seconds for which the gateway collects changes: its own default."""
ROUTES = 500.0
"""Routes for each second of it, where there are more: it makes all of its configuration anew each time."""
ASKED = OPERATOR.encode()
BLOCK = 1 << 24
ENDED = 'eservice_operator_reconciles_total{kind="EService"'


@dataclass
class OperatorLog(AuditLog):
    """Only what operators ask: the log of a large fleet would not fit into memory."""

    @override
    def read(self) -> list[Request]:
        """Everything that operators have asked since the log was opened, the newest last."""
        with self.path.open("rb") as log:
            log.seek(self._offset)
            while fresh := log.read(BLOCK):
                self._offset += len(fresh)
                *lines, self._rest = (self._rest + fresh).split(b"\n")
                asked = (request_of(json.loads(line)) for line in lines if ASKED in line)
                self.requests += [one for one in asked if one is not None and one.user == OPERATOR]
        return self.requests


@dataclass
class Stage:
    """A control plane of its own, people on it, and the credentials of an operator that is yet to start."""

    cluster: Cluster
    kubeconfig: Path
    people: Path
    api: KubeApi
    audit: OperatorLog
    folder: Path
    stack: AsyncExitStack = field(repr=False)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    async def set(cls, stack: AsyncExitStack, folder: Path, count: int = 1) -> Stage:
        """Start the control plane for so many e-services; everything ends with the stack.

        With one the gateway follows at once.
        """
        await asyncio.to_thread(folder.mkdir, parents=True)
        throttle = max(THROTTLE, count / ROUTES) if count > 1 else 0.05
        options = Options(throttle=f"{throttle * 1000:.0f}ms")
        starting = private_control_plane(folder / "cluster", options)
        cluster = await asyncio.to_thread(stack.enter_context, starting)
        kubeconfig = operator_credentials(cluster, folder / "operator")
        people = people_credentials(cluster, folder / "people")
        api = await stack.enter_async_context(await fleet.connect(people))
        audit = OperatorLog(cluster.audit_log, _offset=cluster.audit_log.stat().st_size)
        return cls(cluster, kubeconfig, people, api, audit, folder, stack)

    def operator(self, *program: str, **settings: str) -> Ours:
        """An operator of ours, not started yet: the one of production, or another program with its flags."""
        process = fleet.new_operator(self.kubeconfig, self.folder, **settings)
        if program:
            process.program = program
        ours = Ours(process)
        self.stack.callback(process.end)
        self.stack.push(lambda kind, *_: _tell(process) if kind is not None else None)
        return ours

    def tell(self, text: str) -> None:
        """Say how far it is, for whoever waits."""
        sys.stderr.write(f"{time.monotonic() - self.began:5.0f} s  {text}\n")
        sys.stderr.flush()

    def server(self) -> Used:
        """What the API server and its store have used so far."""
        state = State.load(Layout.of(self.cluster.folder)) or State()
        return used(*(one.pid for one in state.processes if one.name in {"kube-apiserver", "etcd"}))


@dataclass
class Ours:
    """The operator in the shape of a `Contender`."""

    process: OperatorProcess

    async def start(self) -> None:
        """Start it, and wait until it is ready: a large fleet takes a while to list."""
        process = self.process.launch()
        await comes_true(lambda: process.ready or not process.running, process.tail, PATIENCE)
        if not process.running:
            raise RuntimeError(process.tail())

    async def terminate(self) -> None:
        """SIGTERM, and wait for its end.

        Raises:
            RuntimeError: it did not end well.
        """
        if await self.process.terminate() != 0:
            raise RuntimeError(self.process.tail())

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.process.pid

    def looks(self) -> float:
        """How many reconciles of e-services have ended; negative while keys wait or run."""
        metrics = self._metrics()
        if metrics["eservice_operator_queue_depth"] or metrics["eservice_operator_queue_running"]:
            return -1.0
        return total(metrics, ENDED)

    def ended(self) -> float:
        """How many have, whatever waits: an operator that resyncs all the time is never at rest."""
        return total(self._metrics(), ENDED)

    def _metrics(self) -> dict[str, float]:
        metrics = scrape(str(self.process.address))
        if metrics is None:
            raise RuntimeError(f"it shows no figures: {self.process.tail()}")
        return metrics


def _tell(operator: OperatorProcess) -> None:
    """What went wrong, as far as the operator knows."""
    sys.stderr.write(f"the operator {'runs' if operator.running else 'has ended'}: {operator.tail()}\n")
