# SPDX-License-Identifier: Apache-2.0
"""Contour and its Envoy, the second kind of public gateway: what is built, and how each is started.

One Contour serves one Gateway, through an Envoy of its own, which listens 8000 above the listener's port.
"""

from __future__ import annotations

import json
from pathlib import Path

from localcluster.build import Say, gobuild
from localcluster.errors import ClusterError
from localcluster.layout import PROJECT, Layout
from localcluster.ports import LOOPBACK, Ports

_MODULE = "github.com/projectcontour/contour"
TOOL = gobuild.GoTool(
    name="contour",
    folder=PROJECT / "tools" / "gateways",
    packages=(f"{_MODULE}/cmd/contour",),
    shared=(
        gobuild.Shared(_MODULE, "examples/contour/01-crds.yaml", "contour"),
        gobuild.Shared(_MODULE, "examples/contour/02-role-contour.yaml", "contour"),
    ),
)
GATEWAY = ("gateway-system", "public")
SHIFT = 8000
"""Envoy listens so far above the port of the Gateway's listener."""

# Kinds that our version of the Gateway API's CRDs has no more, or never had here: watching them would fail.
_NOT_WATCHED = ("backendtlspolicies", "tlsroutes", "tcproutes", "extensionservices")


def build(say: Say) -> Path:
    """Build Contour unless it is in the user's cache; its folder there, with `bin/` and `share/`."""
    try:
        return gobuild.build(TOOL, say)
    except gobuild.BuildError as error:
        raise ClusterError(str(error)) from None


def serve(program: Path, kubeconfig: Path, layout: Layout, ports: Ports) -> list[str]:
    """The controller: it writes statuses, and tells Envoy what to do."""
    namespace, name = GATEWAY
    config = layout.config / "contour.yaml"
    settings = {
        "gateway": {"gatewayRef": {"namespace": namespace, "name": name}},
        "network": {"admin-port": ports.envoy_admin},
    }
    config.write_text(json.dumps(settings))
    return [
        str(program),
        "serve",
        f"--config-path={config}",
        f"--kubeconfig={kubeconfig}",
        "--insecure",  # between the two of them, on this machine
        "--disable-leader-election",
        *(f"--disable-feature={kind}" for kind in _NOT_WATCHED),
        f"--xds-address={LOOPBACK}",
        f"--xds-port={ports.contour_xds}",
        f"--stats-address={LOOPBACK}",
        f"--stats-port={ports.envoy_stats}",
        f"--http-address={LOOPBACK}",
        f"--http-port={ports.contour_http}",
        f"--health-address={LOOPBACK}",
        f"--health-port={ports.contour_http}",
        f"--debug-http-port={ports.contour_debug}",
        f"--envoy-service-http-address={LOOPBACK}",
    ]


def envoy(program: Path, bootstrap: Path) -> list[str]:
    """The proxy, with the configuration that `bootstrap` wrote."""
    options = {
        "--config-path": str(bootstrap),
        "--service-cluster": "contour",
        "--service-node": "local",
        "--concurrency": "1",
        "--log-level": "warn",
    }
    flags = [word for option in options.items() for word in option]  # it takes no equals sign
    return [str(program), *flags, "--disable-hot-restart"]


def bootstrap(program: Path, target: Path, ports: Ports) -> list[str]:
    """The command that writes Envoy's first configuration: where its controller is."""
    return [
        str(program),
        "bootstrap",
        str(target),
        f"--xds-address={LOOPBACK}",
        f"--xds-port={ports.contour_xds}",
        # Relative to the cluster's folder: the path of a socket may have 107 characters.
        "--admin-address=config/envoy.sock",
    ]
