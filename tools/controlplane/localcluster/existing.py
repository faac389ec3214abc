# SPDX-License-Identifier: Apache-2.0
"""Preparing a cluster that somebody else runs, in place of starting one."""

from __future__ import annotations

import json
from pathlib import Path

from localcluster import components
from localcluster.binaries import require_kubectl
from localcluster.build import Say, cached
from localcluster.client import Kubectl
from localcluster.cluster import Cluster, down
from localcluster.errors import ClusterError
from localcluster.layout import Layout, State
from localcluster.pki import write_private

_HTTP_ROUTES = "httproutes.gateway.networking.k8s.io"


def use_existing(folder: Path | str, kubeconfig: Path, crds: Path, bin_dir: Path | None, say: Say) -> Cluster:
    """Apply the project's CRDs to the cluster that `kubeconfig` names, and write its credentials to `folder`.

    No process is started, and of what the cluster has nothing is replaced but the project's own CRDs. Those
    of the Gateway API are applied only if there are none; nodes and gateways are the cluster's own.
    """
    if not kubeconfig.is_file():
        raise ClusterError(f"there is no kubeconfig {kubeconfig}")
    given = kubeconfig.resolve()
    layout = Layout.of(folder)
    if given == layout.kubeconfig:
        raise ClusterError(f"{kubeconfig} is this folder's own cluster; leave --kubeconfig out to start it")
    down(folder)
    layout.prepare()
    kubectl = Kubectl(require_kubectl(bin_dir), given, layout.kubectl_cache)
    version = json.loads(kubectl.run(["version", "--output=json"]))["serverVersion"]["gitVersion"]
    minified = kubectl.run(["config", "view", "--minify", "--flatten", "--raw"])
    server = kubectl.run(["config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}"])
    ours = components.manifests(crds)
    if ours:
        kubectl.apply(*ours)
    say(f"{len(ours)} CRDs of the project applied to {server}")
    _gateway_api(kubectl, say)
    say("namespaces and Gateways are that cluster's own: name them in the operator's settings")
    write_private(layout.kubeconfig, minified)
    State(server=server, version=version).save(layout)
    return Cluster.attach(folder)


def _gateway_api(kubectl: Kubectl, say: Say) -> None:
    there = kubectl.run(["get", "crd", _HTTP_ROUTES, "--ignore-not-found", "--output=name"])
    if there.strip():
        say("the cluster has the Gateway API; its CRDs are left as they are")
    elif (folder := cached()) is not None:
        kubectl.apply(*components.manifests(folder / "share" / "gateway-api"))
        say("the Gateway API's CRDs applied")
    else:
        say("the cluster has no Gateway API: apply its CRDs (controlplane.py build would bring them)")
