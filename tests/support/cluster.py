# SPDX-License-Identifier: Apache-2.0
"""The control plane that the tests of a session share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.rights import RIGHTS, applied

sys.path.append(str(Path(__file__).parents[2] / "tools" / "controlplane"))

from controlplane import Cluster, Options

__all__ = ["Cluster", "Options", "control_plane", "private_control_plane"]

GIVEN = "ESERVICE_TEST_KUBECONFIG"
"""Names the kubeconfig of a control plane that `make cluster-up` started: no run has to start one then."""


@contextmanager
def control_plane(folder: Path) -> Iterator[Cluster]:
    """A real control plane in ``folder``, or the one that ``ESERVICE_TEST_KUBECONFIG`` names.

    On each the operator has the rights of docs/manifests.
    """
    given = os.environ.get(GIVEN)
    if given:
        cluster = Cluster.attach(Path(given).parent)
        applied(cluster, RIGHTS)
        yield cluster
        return
    with private_control_plane(folder) as cluster:
        yield cluster


@contextmanager
def private_control_plane(folder: Path, options: Options | None = None) -> Iterator[Cluster]:
    """One that nobody else uses, whatever was given."""
    cluster = Cluster.up(folder, options)
    try:
        applied(cluster, RIGHTS)
        yield cluster
    finally:
        cluster.down()
