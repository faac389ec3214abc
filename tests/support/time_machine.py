# SPDX-License-Identifier: Apache-2.0
"""An operator whose clock, and whose API server's clock, the test moves: apart, or both to another day."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.support.fault_proxy import FaultProxy, proxied
from tests.support.moved_operator import move_by
from tests.support.operator import OperatorProcess, traces
from tests.support.rights import operator_credentials
from tests.support.site import Site

if TYPE_CHECKING:
    from controlplane import Cluster

NONE = timedelta(0)


@dataclass
class TimeMachine:
    """``operator`` is not started yet; it reads its clock from a file and reaches the server by a proxy."""

    operator: OperatorProcess
    proxy: FaultProxy
    _offset: Path

    def move(self, machine: timedelta = NONE, server: timedelta = NONE) -> None:
        """Set both clocks off the true time by so much, at once."""
        self.proxy.ahead = server
        move_by(self._offset, machine.total_seconds())

    def travel(self, step: timedelta) -> None:
        """Live on another day: both clocks agree."""
        self.move(step, step)

    @property
    def trusted(self) -> bool:
        return self.operator.metrics()["eservice_operator_clock_trusted"] == 1

    @property
    def skew(self) -> float:
        """Seconds by which the machine is ahead."""
        return self.operator.metrics()["eservice_operator_clock_skew_seconds"]


@asynccontextmanager
async def time_machine(cluster: Cluster, folder: Path, **settings: str) -> AsyncIterator[TimeMachine]:
    """For the operator with these settings; it is killed at the end if it still runs."""
    offset = folder / "offset"
    program = (sys.executable, "-m", "tests.support.moved_operator", str(offset))
    async with proxied(operator_credentials(cluster, folder / "operator"), folder) as (proxy, kubeconfig):
        operator = OperatorProcess(kubeconfig, folder / "log", settings, program)
        machine = TimeMachine(operator, proxy, offset)
        machine.move()
        try:
            yield machine
        finally:
            operator.end()


@pytest.fixture
async def machine(cluster: Cluster, tmp_path: Path) -> AsyncIterator[TimeMachine]:
    """One whose operator asks often enough: a quiet one hears late of a server's clock."""
    async with time_machine(cluster, tmp_path, resync="5s") as made:
        yield made


@pytest.fixture
async def place(people: KubeApi, machine: TimeMachine) -> AsyncIterator[Site]:
    """A corner of the cluster; at its end all is sound."""
    site = Site(people)
    yield site
    try:
        await site.assert_sound()
        assert traces(machine.operator) == []
    finally:
        await site.clear(operated=machine.operator.running)
