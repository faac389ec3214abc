# SPDX-License-Identifier: Apache-2.0
"""An operator on whose way to the API server things go wrong, or that is killed there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.faults.killing import Assassin, Theatre
from tests.faults.plays import Endings, Stage
from tests.support.api_session import api_session
from tests.support.audit import AuditLog
from tests.support.fault_proxy import fault_proxy
from tests.support.figures import Figures
from tests.support.mailserver import MailServer, mail_server
from tests.support.operator import Launcher, OperatorProcess
from tests.support.oracles import oracles
from tests.support.replicas import Replicas, replicas
from tests.support.time_machine import machine, place
from tests.support.zygote import Zygote

if TYPE_CHECKING:
    from controlplane import Cluster

__all__ = ["machine", "place"]


@pytest.fixture
def audit(ground: Cluster) -> AuditLog:
    """What is asked of the API server from the beginning of the test on."""
    return AuditLog.from_now(ground.audit_log)


@pytest.fixture(scope="session")
def endings() -> Endings:
    """How plays end without faults."""
    return {}


@pytest.fixture
async def pair(
    people: KubeApi, operator_kubeconfig: Path, tmp_path: Path, cluster: Cluster
) -> AsyncIterator[Replicas]:
    """Two operators, of which one leads."""
    async with replicas(people, operator_kubeconfig, tmp_path, cluster.audit_log) as made:
        yield made


Survived = Callable[[int, Mapping[str, int]], None]


@pytest.fixture
def survived(figures: Figures, request: pytest.FixtureRequest) -> Survived:
    """Told of how many runs a test has survived, and of the faults in them."""

    def tell(runs: int, faults: Mapping[str, int]) -> None:
        assert runs
        assert faults
        figures.add(f"faults in {request.node.name}", f"{runs} runs, all survived", faults)
        figures.totals.update({"stories under faults": runs, "faults in them": sum(faults.values())})

    return tell


@asynccontextmanager
async def staged(
    kubeconfig: Path, folder: Path, people: KubeApi, audit: AuditLog, endings: Endings, **made: Any
) -> AsyncIterator[Stage]:
    """An operator behind a proxy; ``made`` is how it is made."""
    configuration = await credentials.load(str(kubeconfig), None)
    async with fault_proxy(configuration) as proxy, api_session(configuration) as session:
        operator = OperatorProcess(proxy.kubeconfig(folder / "kubeconfig"), folder / "log", **made)
        stage = Stage(operator, proxy, people, audit, endings, configuration, session)
        try:
            await operator.start()
            yield stage
        finally:
            try:
                await stage.clear()
            finally:
                operator.end()


Backstage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def backstage(
    operator_kubeconfig: Path,
    tmp_path: Path,
    people: KubeApi,
    audit: AuditLog,
    endings: Endings,
    brood: Zygote,
) -> Backstage:
    """Makes stages without oracles, with whatever else is said of the operator; it starts in a moment."""
    return partial(staged, operator_kubeconfig, tmp_path, people, audit, endings, launcher=brood.launch)


@pytest.fixture
def told() -> dict[str, str]:
    """Settings of the operator on the stage; a module whose operator needs others overrides this."""
    return {}


@pytest.fixture
async def stage(
    ground: Cluster, backstage: Backstage, survived: Survived, told: dict[str, str]
) -> AsyncIterator[Stage]:
    """An operator behind the proxy, under the oracles; at the end of the test another finds nothing to do."""
    async with backstage(settings=told) as made, oracles(ground, made.operator) as watch:
        yield made
        await made.rests()
        await watch.kept(rest=True)
        await made.clear()
        survived(made.runs, made.injected)


Opening = Callable[..., AbstractAsyncContextManager[Theatre]]


@pytest.fixture
def opened(
    ground: Cluster, operator_kubeconfig: Path, people: KubeApi, audit: AuditLog, tmp_path: Path
) -> Opening:
    """Opens a theatre with an operator started so, with settings; it sends mail, and is to be killed."""

    @asynccontextmanager
    async def open_with(launcher: Launcher, **settings: str) -> AsyncIterator[Theatre]:
        configuration = await credentials.load(str(operator_kubeconfig), None)
        async with fault_proxy(configuration) as proxy, mail_server() as mail:
            kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
            told = by_mail(mail) | {name.replace("_", "-"): value for name, value in settings.items()}
            operator = OperatorProcess(kubeconfig, tmp_path / "log", told, launcher=launcher)
            try:
                await operator.start()
                async with oracles(ground, operator) as watch:
                    yield Theatre(Assassin(operator, proxy), people, audit, mail, watch)
            finally:
                operator.end()

    return open_with


@pytest.fixture
async def theatre(opened: Opening, brood: Zygote) -> AsyncIterator[Theatre]:
    """One whose operator starts in a moment."""
    async with opened(brood.launch) as made:
        yield made


def by_mail(mail: MailServer) -> dict[str, str]:
    """Settings with which the operator tells people."""
    return {
        "smtp-server": f"127.0.0.1:{mail.port}",
        "smtp-security": "none",
        "mail-from": "e-pakalpojumi@agency.example",
    }
