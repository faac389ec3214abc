# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures that only one folder needs live in that folder's conftest."""

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Ref
from tests.support.cluster import control_plane

if TYPE_CHECKING:
    from controlplane import Cluster

# No deadline: how long one example takes says more about the machine's load than about the code.
# Both inherit Hypothesis' own choice: with CI=true it repeats the same examples on every run.
settings.register_profile("usual", deadline=None, print_blob=True)
settings.register_profile("full", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("usual")  # more with: pytest --hypothesis-profile full


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the files that tests/core/golden compares with, for a person to review."""
    parser.addoption("--update-golden", action="store_true", help="write the golden manifests anew")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cluster"]:
    """A real control plane with the project's CRDs, the same one for all tests."""
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


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
