# SPDX-License-Identifier: Apache-2.0
"""What the real apiserver says to an object, without keeping it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import path, path_of, resource_of
from eservice_operator.cluster.transport import Request
from eservice_operator.core.actions import Manifest, ref_of

if TYPE_CHECKING:
    from controlplane import Cluster

DRY = urlencode({"dryRun": "All", "fieldValidation": "Strict"})


async def dry_create(api: KubeApi, manifest: Manifest) -> Manifest:
    """The object as it would be stored, defaults included; raises ``ApiError`` when it is refused."""
    ref = ref_of(manifest)
    url = f"{path(resource_of(ref.kind), ref.namespace)}?{DRY}"
    answer: Manifest = await api._transport.send(Request("create", "POST", url, manifest))
    return answer


async def dry_update(api: KubeApi, manifest: Manifest) -> Manifest:
    """As ``dry_create``, for an object that is there."""
    url = f"{path_of(ref_of(manifest))}?{DRY}"
    answer: Manifest = await api._transport.send(Request("update", "PUT", url, manifest))
    return answer


def kubectl(cluster: Cluster, *arguments: str, stdin: str = "") -> str:
    """What kubectl prints; an error fails the test with what it says."""
    command = [
        str(Path(sys.executable).parent / "kubectl"),
        "--kubeconfig",
        str(cluster.kubeconfig),
        *arguments,
    ]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
