# SPDX-License-Identifier: Apache-2.0
"""A control plane of its own with the real operator, and those who judge it, built where they are missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.gitops.argo import ROOT
from tests.gitops.verdicts import Kstatus
from tests.support.cluster import private_control_plane
from tests.support.door import Door, door_before
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.site import Site
from tests.support.street import looking_in, notice_page

if TYPE_CHECKING:
    from controlplane import Cluster


def tool(name: str) -> Path:
    """The folder with the programs of a Go tool; the first time it builds them."""
    script = ROOT / "tools" / name / f"{name}.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def judges() -> Path:
    """Where kstatus and the kustomize-controller are."""
    return tool("judges")


@pytest.fixture(scope="session")
def helm() -> Path:
    """Helm."""
    return tool("helm") / "helm"


@pytest.fixture(scope="session")
def kstatus(judges: Path) -> Kstatus:
    return Kstatus(judges / "kstatus")


@pytest.fixture(scope="module")
def seen() -> bool:
    """Whether the operator shows the notice page, and looks from outside; a module overrides this fixture."""
    return True


@pytest.fixture(scope="module")
def ground(seen: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane for one module: the samples have names that others use, too."""
    folder = tmp_path_factory.mktemp("gitops")
    with (
        private_control_plane(folder / "cluster") as running,
        notice_page(running, folder) if seen else nullcontext(),
    ):
        yield running


@pytest.fixture(scope="module")
def door(ground: Cluster, seen: bool) -> Iterator[Door | None]:
    """What stands before the gateway, where the operator looks from outside."""
    with door_before(ground.gateway_url) if seen else nullcontext() as made:
        yield made


@pytest.fixture(scope="module")
def operator_settings(ground: Cluster, door: Door | None) -> dict[str, str]:
    """With a door it is asked there, and often."""
    if door is None:
        return {}
    return looking_in(ground) | {"probe-address": f"127.0.0.1:{door.port}", "probe-interval": "10s"}


@pytest.fixture
async def operator(idle: OperatorProcess) -> AsyncIterator[OperatorProcess]:
    """The module's operator, ready; its log is clean in the end."""
    if not idle.running:
        idle.launch()
    yield await idle.until_ready()
    assert idle.running, idle.tail()
    assert_log_clean(idle.records())


@pytest.fixture
def site(people: KubeApi) -> Site:
    """A corner of the module's cluster, which nobody has to clear."""
    return Site(people)
