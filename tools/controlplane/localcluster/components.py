# SPDX-License-Identifier: Apache-2.0
"""The command line and the configuration of each component."""

from __future__ import annotations

import socket
import string
from collections.abc import Sequence
from pathlib import Path

from localcluster.binaries import Binaries
from localcluster.errors import ClusterError
from localcluster.layout import CONTROLPLANE, Layout
from localcluster.pki import Authority, KeyPair
from localcluster.ports import LOOPBACK, Ports

MANIFESTS = CONTROLPLANE / "manifests"
SERVICE_RANGE = "10.96.0.0/12"  # a /24 is full after 254 Services
ISSUER = "https://kubernetes.default.svc.cluster.local"

# Pods whose image's name holds this word are scheduled but never become Ready.
NEVER_READY = "never-ready"

# For pods on a machine without any network: addresses of the documentation, which nothing routes.
_NO_ADDRESS = "192.0.2.1"


def pod_address() -> str:
    """The address that every fake pod gets: this machine's own.

    Endpoints may not be loopback addresses, and a request for an address of a made-up range would leave the
    machine. So a request that the gateway forwards ends here: refused, unless a test listens on that port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_NO_ADDRESS, 9))  # a datagram socket sends nothing by this
        except OSError:
            return _NO_ADDRESS
        address = str(probe.getsockname()[0])
    return _NO_ADDRESS if address.startswith("127.") else address


def etcd(binaries: Binaries, layout: Layout, ports: Ports) -> list[str]:
    """The store: its data lives no longer than the cluster, so nothing is synced to the disk."""
    clients, peers = f"http://{LOOPBACK}:{ports.etcd}", f"http://{LOOPBACK}:{ports.etcd_peer}"
    return [
        str(binaries.etcd),
        "--name=local",
        f"--data-dir={layout.data / 'etcd'}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=8589934592",  # 2 GB, the default, are full after some thousand e-services
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=local={peers}",
        "--log-level=warn",
    ]


def apiserver(
    binaries: Binaries, layout: Layout, ports: Ports, authority: Authority, serving: KeyPair, *, audit: bool
) -> list[str]:
    """The API server. Without a controller manager nobody makes service accounts, so pods need none."""
    service_accounts = binaries.controller_manager is not None
    return [
        str(binaries.apiserver),
        f"--etcd-servers=http://{LOOPBACK}:{ports.etcd}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.apiserver}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",  # the others want an address that is not loopback
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={authority.pair.certificate}",
        "--authorization-mode=RBAC",
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",  # as the stricter distributions
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={authority.service_account_public_key}",
        f"--service-account-signing-key-file={authority.service_account_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged=true",
        "--profiling=false",
        *([] if service_accounts else ["--disable-admission-plugins=ServiceAccount"]),
        *(_audit(layout) if audit else []),
    ]


def _audit(layout: Layout) -> list[str]:
    return [
        f"--audit-policy-file={CONTROLPLANE / 'manifests' / 'audit-policy.yaml'}",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-mode=blocking",  # written before the answer goes out: what was answered can be counted
        "--audit-log-maxsize=0",
    ]


def controller_manager(program: Path, kubeconfig: Path, authority: Authority) -> list[str]:
    """All controllers, each with its own account as in any cluster; quick, and without a lease to renew."""
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--root-ca-file={authority.pair.certificate}",
        f"--service-account-private-key-file={authority.service_account_key}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        # Fake nodes report seldom; a machine that slept or is overloaded must not see its pods evicted.
        "--node-monitor-grace-period=24h",
    ]


def scheduler(program: Path, layout: Layout, kubeconfig: Path) -> list[str]:
    """The scheduler, quick and without a lease to renew."""
    config = render("scheduler.yaml", layout, kubeconfig=str(kubeconfig))
    return [str(program), f"--config={config}", "--secure-port=0"]


def kwok(program: Path, kubeconfig: Path, config: Path, ports: Ports, address: str) -> list[str]:
    """The fake kubelets; `address` is that of every node and pod."""
    return [
        str(program),
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--node-ip={address}",
        f"--server-address={LOOPBACK}:{ports.kwok}",
    ]


def kwok_config(share: Path, layout: Layout) -> Path:
    """Write kwok's configuration: its options and the stages that a node and a pod go through."""
    options = (MANIFESTS / "kwok.yaml").read_text()
    stages = [_adapted(path.read_text()) for path in manifests(share / "kwok")]
    target = layout.config / "kwok.yaml"
    target.write_text("\n---\n".join([options, *stages]))
    return target


def _adapted(stage: str) -> str:
    """The stage with two changes, if it is that of pods becoming ready.

    Pods get the node's address, and an image can be named so that its pods are never ready.
    """
    if "name: pod-ready" not in stage:
        return stage
    requirement = f"""\
    - key: '.spec.containers.[].image | select( contains( "{NEVER_READY}" ) )'
      operator: 'DoesNotExist'
"""
    expressions = "    matchExpressions:\n"
    for old, new in (
        ("( or .spec.hostNetwork false )", "true"),
        (expressions, expressions + requirement),
    ):
        if stage.count(old) != 1:
            raise ClusterError(f"kwok's stage pod-ready has changed: {old.strip()!r} is not there once")
        stage = stage.replace(old, new)
    return stage


def traefik(program: Path, ports: Ports, throttle: str, *, public: bool) -> list[str]:
    """Traefik takes the cluster from the environment: see `KUBECONFIG` where it is started.

    It listens for the Gateway `internal`, and for the other one if it is to be `public` as well. For
    `throttle` it collects changes before it follows them.
    """
    return [
        str(program),
        *([f"--entrypoints.public.address={LOOPBACK}:{ports.public}"] if public else []),
        f"--entrypoints.internal.address={LOOPBACK}:{ports.internal}",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.statusaddress.ip={LOOPBACK}",
        f"--providers.providersthrottleduration={throttle}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.nocolor=true",
        "--accesslog=true",
    ]


def render(name: str, layout: Layout, **values: str) -> Path:
    """A manifest with its `${placeholders}` filled in, written to the cluster's folder."""
    text = (MANIFESTS / name).read_text()
    target = layout.config / name
    target.write_text(string.Template(text).substitute(values))
    return target


def manifests(folder: Path) -> Sequence[Path]:
    """The YAML files of a folder, in order; none if there is no such folder."""
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else []
