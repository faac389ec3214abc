# SPDX-License-Identifier: Apache-2.0
"""An operator on whose way to the API server things go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
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


@pytest.fixture
async def stage(
    operator_kubeconfig: Path,
    tmp_path: Path,
    people: KubeApi,
    audit: AuditLog,
    endings: Endings,
    figures: Figures,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Stage]:
    """An operator behind the proxy; at the end of the test another one finds nothing to do."""
    configuration = await credentials.load(str(operator_kubeconfig), None)
    async with fault_proxy(configuration) as proxy, api_session(configuration) as session:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        operator = OperatorProcess(kubeconfig, tmp_path / "log", {"resync": "10m"})
        try:
            await operator.start()
            made = Stage(operator, proxy, people, audit, endings, configuration, session)
            try:
                yield made
                await made.rests()
            finally:
                await made.clear()
            figures.add(f"faults in {request.node.name}", f"{made.runs} runs, all survived", made.injected)
        finally:
            operator.end()
