# SPDX-License-Identifier: Apache-2.0
"""The lanes: the same tests through Traefik, and through Contour with Envoy, each with a control plane."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster.client import KubeApi
from tests.gateways.stage import Stage
from tests.support.cluster import Options, control_plane, private_control_plane
from tests.support.figures import Figures
from tests.support.kubectl import KUBECTL
from tests.support.load import citizen
from tests.support.operator import PROGRAM, OperatorProcess
from tests.support.rights import operator_credentials
from tests.support.site import Site, under
from tests.support.upstreams import upstreams
from tools.demo.street import NOTICE, NoticePage

if TYPE_CHECKING:
    from controlplane import Cluster

ROUTES = "eservice-routes"
PREVIEW_DOMAIN = "preview.agency.example"
NOWHERE = "192.0.2.1"
"""The Pods' address on a machine without a network: nobody can answer on it."""


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
        return {
            "notice-service": NOTICE,
            "preview-gateway": "gateway-system/internal",
            "preview-domain": PREVIEW_DOMAIN,
            "probe": "http",
            "probe-address": self.cluster.gateway_url.removeprefix("http://"),
            "probe-allow": "127.0.0.0/8",
            "drain-delay": "2s",
        }


@contextmanager
def notice_page(cluster: Cluster, address: str, folder: Path) -> Iterator[None]:
    """The image's notice page, running, and the Service that leads to it."""
    page = NoticePage(PROGRAM, address, folder / "notice.log")
    try:
        apply = [str(KUBECTL), f"--kubeconfig={cluster.kubeconfig}", "apply", "--filename=-"]
        subprocess.run(apply, input=page.manifests(ROUTES).encode(), check=True, capture_output=True)
        yield
    finally:
        page.close()


@pytest.fixture(scope="session", params=["traefik", pytest.param("contour", marks=pytest.mark.second_lane)])
def lane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """Every test of this folder passes through each."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "traefik":
        running = control_plane(folder / "cluster")
    else:
        running = private_control_plane(folder / "cluster", Options(public_gateway=request.param))
    with running as cluster:
        if cluster.pod_address is None or cluster.pod_address == NOWHERE:
            pytest.skip("a Pod that answers needs an address of this machine other than loopback")
        with notice_page(cluster, cluster.pod_address, folder):
            operator = operator_credentials(cluster, folder / "operator")
            yield Lane(request.param, cluster, operator)


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
    assert lane.cluster.pod_address is not None
    site = Site(people)
    gateways = citizen(lane.cluster.gateway_url), citizen(lane.cluster.internal_gateway_url)
    async with upstreams(lane.cluster.pod_address) as pods, gateways[0] as public, gateways[1] as internal:
        yield Stage(lane.name, site, pods, public, internal, figures)


@pytest.fixture
async def operated(stage: Stage, operator: OperatorProcess) -> AsyncIterator[Stage]:
    """The same under the module's operator; at its end all is sound and the log is clean."""
    async with under(operator, stage.site):
        yield stage
