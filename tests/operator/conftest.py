# SPDX-License-Identifier: Apache-2.0
"""The operator as a process on the real control plane, and a corner of the cluster for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from tests.support.audit import OPERATOR, AuditLog
from tests.support.figures import Figures
from tests.support.kubectl import Kubectl
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.site import Site

if TYPE_CHECKING:
    from controlplane import Cluster

PEOPLE = "people"
ADMINISTRATORS = ["system:masters"]

COUNTED = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COUNTED] = Figures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was counted."""
    config.stash[COUNTED].show(terminalreporter, "counted on the real API server")


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """What a test counts is printed at the end of the run."""
    return pytestconfig.stash[COUNTED]


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster: "Cluster", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Credentials of the operator's own, so that the audit log tells its requests from everybody else's."""
    target = tmp_path_factory.mktemp("credentials") / "operator"
    return cluster.user_kubeconfig(OPERATOR, ADMINISTRATORS, target)


@pytest.fixture(scope="session")
def people_kubeconfig(cluster: "Cluster", tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("credentials") / "people"
    return cluster.user_kubeconfig(PEOPLE, ADMINISTRATORS, target)


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """What a module's operator is told besides; a module overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def launched(
    operator_kubeconfig: Path, operator_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """One operator for the tests of a module."""
    process = OperatorProcess(
        operator_kubeconfig, tmp_path_factory.mktemp("operator") / "log", operator_settings
    ).launch()
    yield process
    process.end()


@pytest.fixture
async def operator(launched: OperatorProcess) -> OperatorProcess:
    """The module's operator, ready."""
    return await launched.until_ready()


@pytest.fixture
async def people(people_kubeconfig: Path) -> AsyncIterator[KubeApi]:
    """A client for what people do: the institution, the Agency, an administrator, a vandal."""
    async with KubeApi(await credentials.load(str(people_kubeconfig), None)) as client:
        yield client


@pytest.fixture
def kubectl(people_kubeconfig: Path) -> Kubectl:
    return Kubectl(people_kubeconfig)


@pytest.fixture
def audit(cluster: "Cluster") -> AuditLog:
    """What is asked of the API server from the beginning of the test on."""
    return AuditLog.from_now(cluster.audit_log)


@pytest.fixture
async def site(people: KubeApi, operator: OperatorProcess) -> AsyncIterator[Site]:
    """A corner of the cluster under the module's operator; at its end all is sound and the log is clean."""
    begins = len(operator.records())
    place = Site(people)
    yield place
    try:
        assert operator.running, operator.tail()
        await place.assert_sound()
        assert_log_clean(operator.records()[begins:])
    finally:
        await place.clear(operated=operator.running)
