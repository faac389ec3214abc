# SPDX-License-Identifier: Apache-2.0
"""A corner of the real control plane for each test, under the module's operator."""

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.support.audit import AuditLog
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.resting import Rested, rested
from tests.support.site import Site, under
from tests.support.time_machine import machine, place

if TYPE_CHECKING:
    from controlplane import Cluster

__all__ = ["machine", "place"]


@pytest.fixture(autouse=True)
def always(judged: None) -> None:
    """What must always be so is judged over every test."""


@pytest.fixture
def audit(cluster: "Cluster") -> AuditLog:
    """What is asked of the API server from the beginning of the test on."""
    return AuditLog.from_now(cluster.audit_log)


@pytest.fixture
async def site(people: KubeApi, operator: OperatorProcess) -> AsyncIterator[Site]:
    """A corner of the cluster under the module's operator; at its end all is sound and the log is clean."""
    async with under(operator, Site(people)) as place:
        yield place


@pytest.fixture
def rests(site: Site, operator: OperatorProcess, request: pytest.FixtureRequest) -> Rested:
    """Waits until the operator has done all it can about what anybody has written by then."""
    judged = not request.node.get_closest_marker("unjudged")
    return partial(rested, operator, site, request.getfixturevalue("oracles") if judged else None)


@pytest.fixture
async def register(site: Site) -> AsyncIterator[Register]:
    """A holder with a register beside the site's e-services."""
    await site.prepare()
    made = Register(site)
    await made.prepare()
    yield made
    await made.clear()
