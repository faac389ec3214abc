# SPDX-License-Identifier: Apache-2.0
"""Building the control plane's binaries from Go modules into the user's cache.

The cache folder has `bin/`, in the layout of `KUBEBUILDER_ASSETS` (etcd, kube-apiserver, …), and `share/`,
with files that come from the same modules: kwok's stages and the CRDs of the Gateway API.
"""

from __future__ import annotations

import sys
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.layout import CONTROLPLANE

sys.path.append(str(CONTROLPLANE.parent / "gobuild"))

import gobuild
from gobuild import BuildError, GoMissing, GoTool, Say, Shared

__all__ = ["Say", "build", "cached", "gobuild"]

KWOK = "sigs.k8s.io/kwok"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
TOOL = GoTool(
    name="controlplane",
    folder=CONTROLPLANE,
    packages=(".", f"{KWOK}/cmd/kwok"),
    shared=(
        Shared(KWOK, "kustomize/stage/pod/fast/*.yaml", "kwok"),
        Shared(KWOK, "kustomize/stage/node/fast/*.yaml", "kwok"),
        Shared(KWOK, "kustomize/stage/node/heartbeat-with-lease/*.yaml", "kwok"),
        Shared("sigs.k8s.io/gateway-api", "config/crd/standard/*.yaml", "gateway-api"),
    ),
    stamps=(("k8s.io/component-base/version.gitVersion", "k8s.io/kubernetes"),),
    links=tuple((component, "controlplane") for component in COMPONENTS),
)
ALTERNATIVES = """\
Without Go there are two other ways:
  - a cluster that exists:
      .venv/bin/python tools/controlplane/controlplane.py up --kubeconfig "$KUBECONFIG"
  - binaries that you have, in a folder with etcd and kube-apiserver; with kube-controller-manager,
    kube-scheduler and kwok in it too, pods run:
      KUBEBUILDER_ASSETS=/that/folder make cluster-up"""


def cached() -> Path | None:
    """The cache folder, if the binaries for this very source are in it."""
    return gobuild.cached(TOOL)


def build(say: Say) -> Path:
    """Build what is missing and give back the cache folder."""
    try:
        return gobuild.build(TOOL, say)
    except GoMissing as error:
        raise ClusterError(f"{error}\n{ALTERNATIVES}") from None
    except BuildError as error:
        raise ClusterError(str(error)) from None
