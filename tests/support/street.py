# SPDX-License-Identifier: Apache-2.0
"""What stands around a gateway as people run it: the notice page behind it, and a way to look through it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.kubectl import KUBECTL
from tests.support.operator import PROGRAM
from tools.demo.street import NOTICE, NoticePage

if TYPE_CHECKING:
    from controlplane import Cluster

ROUTES = "eservice-routes"
NOWHERE = "192.0.2.1"
"""The Pods' address on a machine without a network: nobody can answer on it."""


def address_of_pods(cluster: Cluster) -> str:
    """The one address of all Pods; where nobody can answer on it the test is skipped, and CI fails."""
    if cluster.pod_address is None or cluster.pod_address == NOWHERE:
        why = "a Pod that answers needs an address of this machine other than loopback"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a network: {why}")
        pytest.skip(why)
    return cluster.pod_address


def looking_in(cluster: Cluster) -> dict[str, str]:
    """Settings of an operator that shows the notice page, and asks the public gateway what it shows."""
    return {
        "notice-service": NOTICE,
        "probe": "http",
        "probe-address": cluster.gateway_url.removeprefix("http://"),
        "probe-allow": "127.0.0.0/8",
    }


@contextmanager
def notice_page(cluster: Cluster, folder: Path) -> Iterator[None]:
    """The image's notice page, running, and the Service that leads to it."""
    page = NoticePage(PROGRAM, address_of_pods(cluster), folder / "notice.log")
    try:
        apply = [str(KUBECTL), f"--kubeconfig={cluster.kubeconfig}", "apply", "--filename=-"]
        subprocess.run(apply, input=page.manifests(ROUTES).encode(), check=True, capture_output=True)
        yield
    finally:
        page.close()
