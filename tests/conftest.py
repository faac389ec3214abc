# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures that only one folder needs live in that folder's conftest."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Ref
from eservice_operator.runtime.clock import now
from eservice_operator.runtime.settings import Settings
from tests.support import processes
from tests.support.audit import AuditLog
from tests.support.cluster import control_plane
from tests.support.figures import Figures
from tests.support.kubectl import Kubectl
from tests.support.operator import LAUNCHED, OperatorProcess
from tests.support.oracles import Watch
from tests.support.rights import (
    CREDENTIAL_RIGHTS,
    applied,
    assert_none_was_missing,
    operator_credentials,
    people_credentials,
)
from tests.support.taken_rights import TAKEN, TakenRights, left_out, taken
from tests.support.zygote import Zygote, zygote

if TYPE_CHECKING:
    from controlplane import Cluster

# No deadline, nor a judgement of how long examples take to draw: that says more about the machine's load than
# about the code.
# Both inherit Hypothesis' own choice: with CI=true it repeats the same examples on every run.
UNTIMED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("usual", **UNTIMED, print_blob=True)
settings.register_profile("full", **UNTIMED, print_blob=True, max_examples=2_000)
settings.load_profile("usual")  # more with: pytest --hypothesis-profile full


FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is counted yet.

    Raises:
        pytest.UsageError: figures of a part of the tests would stand in a page that tells of all.
    """
    config.stash[FIGURES] = Figures()
    config.pluginmanager.register(TakenRights(config))
    if config.getoption("--figures", None) and (chosen := left_out(config)):
        raise pytest.UsageError(f"--figures takes the whole run, pytest tests: {chosen}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order in which several processes are done soonest."""
    processes.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> processes.FilesInTurn:
    """Which process runs what."""
    return processes.FilesInTurn(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """A set has no order, and processes compare the names of their tests."""
    return f"{{{', '.join(sorted(map(repr, val)))}}}" if isinstance(val, set | frozenset) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands what it counted to the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = session.config.stash[FIGURES].handed_over()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What such a process has counted; one that crashed hands over nothing."""
    if handed := getattr(node, "workeroutput", {}).get("figures"):
        node.config.stash[FIGURES].take(handed)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print what was counted and measured, and put it into the page that was named, if all is well."""
    counted, page = config.stash[FIGURES], config.getoption("--figures")
    counted.show(terminalreporter, "counted and measured")
    if page is not None and exitstatus == pytest.ExitCode.OK:
        counted.write(page, now().astimezone(Settings().time_zone).date())


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """What a test counts or measures is printed at the end of the run."""
    return pytestconfig.stash[FIGURES]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run can write: a page's figures, and the files that tests/core/golden compares with.

    Both are for a person to review.
    """
    parser.addoption("--figures", type=Path, help="a page into which to put what the run has counted")
    parser.addoption("--update-golden", action="store_true", help="write the golden manifests anew")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator["Cluster"]:
    """A real control plane with the project's CRDs, the same one for all tests."""
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        log = Path(running.audit_log)
        begins = log.stat().st_size
        yield running
        pytestconfig.stash[TAKEN].update(taken(log, begins))


@pytest.fixture(scope="module")
def ground(cluster: "Cluster") -> "Cluster":
    """The control plane that a module's operator runs on; a folder that needs another overrides this."""
    return cluster


@pytest.fixture(scope="module")
def operator_kubeconfig(ground: "Cluster", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Credentials of the operator's own: with its rights, and told from everybody else in the audit log."""
    return operator_credentials(ground, tmp_path_factory.mktemp("credentials") / "operator")


@pytest.fixture
def copying(ground: "Cluster") -> Iterator[None]:
    """The operator may copy Secrets."""
    applied(ground, CREDENTIAL_RIGHTS)
    yield
    applied(ground, CREDENTIAL_RIGHTS, "delete")


@pytest.fixture(scope="module")
def people_kubeconfig(ground: "Cluster", tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people_credentials(ground, tmp_path_factory.mktemp("credentials") / "people")


@pytest.fixture
async def people(people_kubeconfig: Path) -> AsyncIterator[KubeApi]:
    """A client for what people do: the institution, the Agency, an administrator, a vandal."""
    async with KubeApi(await credentials.load(str(people_kubeconfig), None)) as client:
        yield client


@pytest.fixture
def kubectl(people_kubeconfig: Path) -> Kubectl:
    return Kubectl(people_kubeconfig)


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """What a module's operator is told besides; a module overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def idle(
    ground: "Cluster",
    operator_kubeconfig: Path,
    operator_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    """One operator for the tests of a module, which nobody has started yet; its rights are enough for it."""
    audit = AuditLog.from_now(ground.audit_log)
    log = tmp_path_factory.mktemp("operator") / "log"
    process = OperatorProcess(operator_kubeconfig, log, operator_settings)
    yield process
    process.end()
    assert_none_was_missing(audit.by())


@pytest.fixture(scope="session")
def brood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Whose ``launch`` starts operators in a moment, each a process of its own."""
    complaints = tmp_path_factory.mktemp("zygote") / "complaints"
    with zygote(complaints) as parent:
        yield parent
    assert not complaints.read_text(), complaints.read_text()


@pytest.fixture(scope="module")
def launched(idle: OperatorProcess) -> OperatorProcess:
    """The module's operator, starting."""
    return idle.launch()


@pytest.fixture
async def operator(launched: OperatorProcess) -> OperatorProcess:
    """The module's operator, ready."""
    return await launched.until_ready()


@pytest.fixture(scope="module")
def oracles_at_work(ground: "Cluster") -> Iterator[Watch]:
    """The always-on oracles over a module's cluster, and over each operator that is started meanwhile."""
    watch = Watch.over(ground)
    watch.start()
    LAUNCHED.append(watch.follow)
    yield watch
    LAUNCHED.remove(watch.follow)
    watch.stop()


@pytest.fixture
async def oracles(request: pytest.FixtureRequest, oracles_at_work: Watch) -> AsyncIterator[Watch]:
    """What must always be so, was so until the end of the test."""
    oracles_at_work.foreseen = [mark.args[0] for mark in request.node.iter_markers("foreseen")]
    yield oracles_at_work
    await oracles_at_work.kept()


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> None:
    """The oracles, unless a test says why not. A folder turns this on for each of its tests."""
    item = request.node
    if item.get_closest_marker("cluster") and not item.get_closest_marker("unjudged"):
        watch = request.getfixturevalue("oracles")
        if "launched" in request.fixturenames:  # since before the oracles
            watch.follow(request.getfixturevalue("launched"))


@pytest.fixture
async def api(cluster: "Cluster") -> AsyncIterator[KubeApi]:
    """The client, as the cluster's administrator."""
    async with KubeApi(await credentials.load(str(cluster.kubeconfig), None)) as client:
        yield client


@pytest.fixture
async def namespace(api: KubeApi) -> AsyncIterator[str]:
    """The name of a namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    created = await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await api.delete(Ref("v1", "Namespace", "", name), uid=created["metadata"]["uid"])
