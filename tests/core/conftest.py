# SPDX-License-Identifier: Apache-2.0
"""Starting points of the life-cycle tests."""

from __future__ import annotations

import pytest

from tests.support import worlds
from tests.support.pure_cluster import PureCluster


@pytest.fixture
def cluster() -> PureCluster:
    """An e-service that lacks nothing, and nothing is installed yet."""
    cluster = PureCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    return cluster


@pytest.fixture
def public(cluster: PureCluster) -> PureCluster:
    """The same e-service, public on 3.0.0 and at rest; what led there is forgotten."""
    cluster.settle(worlds.NOW)
    cluster.forget()
    return cluster
