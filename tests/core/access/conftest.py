# SPDX-License-Identifier: Apache-2.0
"""A grant in good order, before it is opened and after."""

from __future__ import annotations

import pytest

from tests.core.access.grant_cluster import GrantCluster, in_good_order
from tests.support.worlds import NOW


@pytest.fixture
def cluster() -> GrantCluster:
    return in_good_order()


@pytest.fixture
def opened(cluster: GrantCluster) -> GrantCluster:
    cluster.settle(NOW)
    cluster.log.clear()
    return cluster
