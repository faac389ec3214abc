# SPDX-License-Identifier: Apache-2.0
"""The lanes: the same tests through Traefik, and through Contour with Envoy, each with a control plane."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.gateways.stage import Stage
from tests.support.cluster import Options, control_plane, private_control_plane
from tests.support.figures import Figures
from tests.support.load import citizen
from tests.support.operator import OperatorProcess
from tests.support.rights import operator_credentials
from tests.support.site import Site, under
from tests.support.street import address_of_pods, looking_in, notice_page
from tests.support.upstreams import upstreams

if TYPE_CHECKING:
    from controlplane import Cluster

PREVIEW_DOMAIN = "preview.agency.example"


@dataclass(frozen=True)
class Lane:
    """One kind of public gateway, and the control plane that it belongs to."""

    name: str
    cluster: Cluster
    kubeconfig: Path
    """The operator's credentials."""

    @property
    def settings(self) -> dict[str, str]:
        """What an operator here is told: the notice page, the internal Gateway for previews, the probe."""
        return looking_in(self.cluster) | {
            "preview-gateway": "gateway-system/internal",
            "preview-domain": PREVIEW_DOMAIN,
            "drain-delay": "5s",  # on a busy machine a gateway may follow seconds late
        }


@contextmanager
def opened(name: str, running: AbstractContextManager[Cluster], folder: Path) -> Iterator[Lane]:
    """A lane through the public gateway of a control plane, with the notice page beside it."""
    with running as cluster, notice_page(cluster, folder):
        yield Lane(name, cluster, operator_credentials(cluster, folder / "operator"))


@pytest.fixture(scope="session", params=["traefik", pytest.param("contour", marks=pytest.mark.second_lane)])
def lane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """Every test of this folder passes through each."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "traefik":
        running = control_plane(folder / "cluster")
    else:
        running = private_control_plane(folder / "cluster", Options(public_gateway=request.param))
    with opened(request.param, running, folder) as lane:
        yield lane


@pytest.fixture(scope="module")
def ground(lane: Lane) -> Cluster:
    return lane.cluster


@pytest.fixture(scope="module")
def operator_settings(lane: Lane) -> dict[str, str]:
    """What a module's operator is told besides; a module overrides this fixture."""
    return lane.settings


@pytest.fixture
async def stage(lane: Lane, people: KubeApi, figures: Figures) -> AsyncIterator[Stage]:
    """A corner of the cluster, Pods that answer, and citizens; who operates it is the test's affair."""
    site = Site(people)
    gateways = citizen(lane.cluster.gateway_url), citizen(lane.cluster.internal_gateway_url)
    address = address_of_pods(lane.cluster)
    async with upstreams(address) as pods, gateways[0] as public, gateways[1] as internal:
        yield Stage(lane.name, site, pods, public, internal, figures)


@pytest.fixture
async def operated(stage: Stage, operator: OperatorProcess) -> AsyncIterator[Stage]:
    """The same under the module's operator; at its end all is sound and the log is clean."""
    async with under(operator, stage.site), stage.watched(operator):
        yield stage
