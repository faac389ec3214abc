# SPDX-License-Identifier: Apache-2.0
"""The order in which a cluster comes up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from localcluster import components
from localcluster.binaries import Binaries, find_binaries, require_kubectl
from localcluster.build import Say
from localcluster.client import Kubectl, Reader
from localcluster.components import MANIFESTS
from localcluster.gateways import Gateways, PublicGateway
from localcluster.layout import PROJECT, Layout, State
from localcluster.pki import Authority, write_private
from localcluster.ports import LOOPBACK, Ports
from localcluster.starting import Starting

PROJECT_CRDS = PROJECT / "crds"

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/gateway-system/gateways"
_SERVICE_ACCOUNT = "/api/v1/namespaces/eservice-routes/serviceaccounts/default"

# Who the components are to the API server: user and groups. kwok plays the kubelets; what the gateway may do
# is in base.yaml.
_USERS: dict[str, tuple[str, Sequence[str]]] = {
    "admin": ("admin", ["system:masters"]),
    "kube-controller-manager": ("system:kube-controller-manager", []),
    "kube-scheduler": ("system:kube-scheduler", []),
    "kwok": ("kwok", ["system:masters"]),
    "traefik": ("gateway", []),
    "contour": ("contour", []),
}
_READER = ("controlplane", ["system:masters"])
_NODES = 3


@dataclass(frozen=True)
class Options:
    """How a cluster is to be started. `port` is the API server's; None chooses a free one.

    `public_gateway` serves the Gateway `public`; the other Gateway is always Traefik's, which collects
    changes for `throttle` (its own default is 2 s).
    """

    port: int | None = None
    audit: bool = True
    gateway: bool = True
    public_gateway: PublicGateway = "traefik"
    throttle: str = "50ms"
    kwok: bool = True
    crds: Path = PROJECT_CRDS
    bin_dir: Path | None = None


@dataclass(frozen=True)
class Programs:
    """Everything that a start runs; `gateways` is None if there are to be none."""

    binaries: Binaries
    kubectl: Path
    gateways: Gateways | None

    @classmethod
    def find(cls, options: Options, say: Say) -> Programs:
        """Find them, build what can be built, and say what the cluster will lack. Nothing is started yet."""
        binaries = find_binaries(say)
        say(f"binaries from {binaries.origin}")
        for lack in _lacks(binaries, options):
            say(f"there is no {lack}")
        wanted = options.gateway and binaries.share is not None
        chosen = options.public_gateway, options.throttle, options.bin_dir
        gateways = Gateways.find(*chosen, say) if wanted else None
        return cls(binaries, require_kubectl(options.bin_dir), gateways)


def _lacks(binaries: Binaries, options: Options) -> Iterator[str]:
    if binaries.controller_manager is None:
        yield "kube-controller-manager: Deployments make no pods, what is deleted or orphaned stays"
    elif binaries.scheduler is None:
        yield "kube-scheduler: pods stay Pending"
    elif options.kwok and not binaries.pods_run:
        yield "kwok, or there are no stages for it (a build brings both): pods stay Pending"
    if options.gateway and binaries.share is None:
        yield "gateway: the Gateway API's CRDs come with a build (controlplane.py build)"


@dataclass(frozen=True)
class Startup:
    """One start of a cluster, step by step."""

    starting: Starting
    programs: Programs
    options: Options
    ports: Ports
    authority: Authority
    reader: Reader

    @classmethod
    def run(cls, layout: Layout, programs: Programs, options: Options, say: Say) -> None:
        """Start every component and return when all of them have done their first work."""
        ports = Ports.choose(options.port)
        state = State(server=f"https://{LOOPBACK}:{ports.apiserver}")
        authority = Authority(layout.pki)
        authority.create()
        reader = Reader(state.server, authority, authority.issue_client(*_READER))
        startup = cls(Starting(layout, state, say), programs, options, ports, authority, reader)
        startup.server()
        startup.custom_resources()
        # Only now: the garbage collector looks for new kinds when it starts, and then every half minute.
        startup.controllers()
        if programs.gateways is not None:
            startup.gateways(programs.gateways)
        startup.wait_for_controllers()
        state.save(layout)

    def server(self) -> None:
        """Etcd and the API server, and everybody's credentials."""
        with ThreadPoolExecutor() as pool:
            serving = pool.submit(self.authority.issue_server, "kube-apiserver")
            for _ in pool.map(self._write_kubeconfig, _USERS):
                pass
        starting, binaries = self.starting, self.programs.binaries
        starting.start("etcd", components.etcd(binaries, starting.layout, self.ports))
        command = components.apiserver(
            binaries, starting.layout, self.ports, self.authority, serving.result(), audit=self.options.audit
        )
        starting.start("kube-apiserver", command)
        starting.wait("kube-apiserver is ready", self.reader.ready, 120)
        starting.state.version = self.reader.version()

    def custom_resources(self) -> None:
        """The CRDs of the project and of the Gateway API, the namespaces, and the fake nodes."""
        share = self.programs.binaries.share
        ours = components.manifests(self.options.crds)
        gateway = components.manifests(share / "gateway-api") if share else []
        nodes = [MANIFESTS / "nodes.yaml"] if self._pods_run else []
        self._kubectl.apply(*ours, *gateway, MANIFESTS / "base.yaml", *nodes)
        what = f"CRDs are established: {len(ours)} of the project{' and the Gateway API' if gateway else ''}"
        self.starting.wait(what, lambda: self.reader.all_have(_CRDS, "Established", at_least=0), 60)

    def controllers(self) -> None:
        """The controller manager, the scheduler and kwok, so far as they are there."""
        binaries, starting = self.programs.binaries, self.starting
        if (program := binaries.controller_manager) is not None:
            kubeconfig = self._kubeconfig("kube-controller-manager")
            command = components.controller_manager(program, kubeconfig, self.authority)
            starting.start("kube-controller-manager", command)
        if (program := binaries.scheduler) is not None:
            kubeconfig = self._kubeconfig("kube-scheduler")
            starting.start("kube-scheduler", components.scheduler(program, starting.layout, kubeconfig))
        if self._pods_run and (program := binaries.kwok) is not None and binaries.share is not None:
            config = components.kwok_config(binaries.share, starting.layout)
            starting.state.pod_address = address = components.pod_address()
            kubeconfig = self._kubeconfig("kwok")
            starting.start("kwok", components.kwok(program, kubeconfig, config, self.ports, address))

    def gateways(self, gateways: Gateways) -> None:
        """The gateways' programs, and the Gateways that they serve."""
        urls = gateways.start(self.starting, self._kubectl, self._kubeconfig, self.ports)
        programmed = "the gateways are programmed"
        self.starting.wait(
            programmed, lambda: self.reader.all_have(_GATEWAYS, "Programmed", at_least=len(urls)), 60
        )
        self.starting.state.gateways = urls

    def wait_for_controllers(self) -> None:
        """Until namespaces get their service accounts and the nodes take pods."""
        if self.programs.binaries.controller_manager is not None:
            done = "the controller manager works"
            self.starting.wait(done, lambda: self.reader.exists(_SERVICE_ACCOUNT), 60)
        if self._pods_run:
            self.starting.wait(f"{_NODES} nodes take pods", lambda: self._schedulable_nodes() == _NODES, 60)

    @property
    def _pods_run(self) -> bool:
        return self.options.kwok and self.programs.binaries.pods_run

    @property
    def _kubectl(self) -> Kubectl:
        layout = self.starting.layout
        return Kubectl(self.programs.kubectl, layout.kubeconfig, layout.kubectl_cache)

    def _kubeconfig(self, component: str) -> Path:
        layout = self.starting.layout
        return layout.kubeconfig if component == "admin" else layout.config / f"{component}.kubeconfig"

    def _write_kubeconfig(self, component: str) -> None:
        text = self.authority.kubeconfig(self.starting.state.server, *_USERS[component])
        write_private(self._kubeconfig(component), text)

    def _schedulable_nodes(self) -> int:
        """How many nodes take pods: new ones are tainted until the controller manager has seen them ready."""
        status, body = self.reader.get("/api/v1/nodes")
        if status != HTTPStatus.OK:
            return 0
        return sum(1 for node in body["items"] if not node["spec"].get("taints"))
