# SPDX-License-Identifier: Apache-2.0
"""An operator on whose way to the API server things go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.faults.plays import Endings, Stage
from tests.support.api_session import api_session
from tests.support.audit import AuditLog
from tests.support.fault_proxy import fault_proxy
from tests.support.figures import Figures
from tests.support.operator import OperatorProcess
from tests.support.oracles import oracles

if TYPE_CHECKING:
    from controlplane import Cluster


@pytest.fixture
def audit(cluster: Cluster) -> AuditLog:
    """What is asked of the API server from the beginning of the test on."""
    return AuditLog.from_now(cluster.audit_log)


@pytest.fixture(scope="session")
def endings() -> Endings:
    """How plays end without faults."""
    return {}


Survived = Callable[[int, Counter[str]], None]


@pytest.fixture
def survived(figures: Figures, request: pytest.FixtureRequest) -> Survived:
    """Told of how many runs a test has survived, and of the faults in them."""

    def tell(runs: int, faults: Counter[str]) -> None:
        assert runs
        assert faults
        figures.add(f"faults in {request.node.name}", f"{runs} runs, all survived", faults)

    return tell


@pytest.fixture
async def stage(
    cluster: Cluster,
    operator_kubeconfig: Path,
    tmp_path: Path,
    people: KubeApi,
    audit: AuditLog,
    endings: Endings,
    survived: Survived,
) -> AsyncIterator[Stage]:
    """An operator behind the proxy, under the oracles; at the end of the test another finds nothing to do."""
    configuration = await credentials.load(str(operator_kubeconfig), None)
    async with fault_proxy(configuration) as proxy, api_session(configuration) as session:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(kubeconfig, tmp_path / "log", {"resync": "10m"})
        try:
            await operator.start()
            made = Stage(operator, proxy, people, audit, endings, configuration, session)
            async with oracles(cluster, operator) as watch:
                try:
                    yield made
                    await made.rests()
                    await watch.kept(rest=True)
                finally:
                    await made.clear()
            survived(made.runs, made.injected)
        finally:
            operator.end()
