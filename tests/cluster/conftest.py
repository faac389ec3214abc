# SPDX-License-Identifier: Apache-2.0
"""What the tests against the real API server share."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.apply import Applier
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.store import Change, Store
from tests.support.fault_proxy import FaultProxy, fault_proxy

if TYPE_CHECKING:
    from controlplane import Cluster


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def changes() -> list[Change]:
    """What somebody was told of."""
    return []


@pytest.fixture
def applier(api: KubeApi, store: Store, changes: list[Change]) -> Applier:
    return Applier(api, store, changes.append)


@pytest.fixture
async def proxy(cluster: "Cluster") -> AsyncIterator[FaultProxy]:
    """The way to the API server on which things go wrong."""
    async with fault_proxy(await credentials.load(str(cluster.kubeconfig), None)) as running:
        yield running


@pytest.fixture
async def faulty_api(proxy: FaultProxy) -> AsyncIterator[KubeApi]:
    """A client that goes through the proxy."""
    async with KubeApi(proxy.configuration(), request_timeout=5.0) as client:
        yield client
