# SPDX-License-Identifier: Apache-2.0
"""A cluster: up, down, and what a user of it needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster import process
from localcluster.build import Say
from localcluster.errors import ClusterError
from localcluster.layout import Layout, State
from localcluster.pki import Authority, write_private
from localcluster.startup import Options, Programs, Startup


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    `audit_log` is where requests are recorded (no such file without audit), `gateways` has the URL of each
    Gateway by its name (empty without a gateway), `pod_address` is that of all pods (None if none run).
    """

    folder: Path
    kubeconfig: Path
    audit_log: Path
    server: str
    version: str
    gateways: Mapping[str, str]
    pod_address: str | None

    @classmethod
    def up(cls, folder: Path | str, options: Options | None = None, say: Say = print) -> Cluster:
        """Start an empty cluster whose files are in `folder`; one that runs there already is stopped first.

        Raises ClusterError, after stopping what was started, when a component ends or does not come up.
        """
        options = options or Options()
        layout = Layout.of(folder)
        programs = Programs.find(options, say)
        with layout.lock():
            _stop(layout)
            layout.prepare()
            try:
                Startup.run(layout, programs, options, say)
            except BaseException:
                _stop(layout)
                raise
        return cls.attach(folder)

    @classmethod
    def attach(cls, folder: Path | str) -> Cluster:
        """The cluster that was started in `folder`; raises ClusterError if there is none."""
        layout = Layout.of(folder)
        state = State.load(layout)
        if state is None:
            raise ClusterError(f"no cluster was started in {layout.folder}")
        return cls(
            folder=layout.folder,
            kubeconfig=layout.kubeconfig,
            audit_log=layout.audit_log,
            server=state.server,
            version=state.version,
            gateways=state.gateways,
            pod_address=state.pod_address,
        )

    def down(self) -> None:
        """Stop everything and remove the data; the logs stay."""
        down(self.folder)

    @property
    def gateway_url(self) -> str:
        """Where the Gateway `public` listens; raises ClusterError without a gateway."""
        return self._gateway("public")

    @property
    def internal_gateway_url(self) -> str:
        """Where the Gateway `internal` listens; raises ClusterError without a gateway."""
        return self._gateway("internal")

    def user_kubeconfig(self, user: str, groups: Sequence[str], target: Path) -> Path:
        """Write a kubeconfig with which one acts as `user`, a member of `groups`; gives back `target`."""
        authority = Authority(Layout.of(self.folder).pki)
        if not authority.pair.key.exists():
            raise ClusterError(f"the cluster of {self.folder} was not started here: nobody can be certified")
        write_private(target, authority.kubeconfig(self.server, user, groups))
        return target

    def _gateway(self, name: str) -> str:
        if name not in self.gateways:
            raise ClusterError(f"the cluster of {self.folder} runs without a gateway")
        return self.gateways[name]


def down(folder: Path | str) -> list[str]:
    """Stop what runs in `folder`, whatever state it is in; the names of what was still running."""
    layout = Layout.of(folder)
    with layout.lock():
        return _stop(layout)


def _stop(layout: Layout) -> list[str]:
    state = State.load(layout)
    recorded = state.processes if state else []
    known = {one.pid for one in recorded}
    strays = [one for one in process.strays(layout.folder) if one.pid not in known]
    stopped = process.stop([*recorded, *strays])
    layout.clear()
    return [one.name for one in stopped]
