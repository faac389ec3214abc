# SPDX-License-Identifier: Apache-2.0
"""A component of a control plane that dies and comes back, and people who wait for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Forbidden, Transient
from eservice_operator.cluster.transport import Request, Transport
from tests.support.cluster import Cluster as Running
from tests.support.site import PERSON

if TYPE_CHECKING:
    from controlplane import Cluster
    from localcluster.process import Process

PATIENCE = 90.0
"""Seconds for a component to come back, on a machine that is busy with other things."""


@dataclass
class Component:
    """One process of a control plane that was started here, by its name: ``kube-apiserver`` or ``etcd``."""

    folder: Path
    name: str
    kills: int = 0
    _running: Process | None = None
    _command: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cluster: Cluster, name: str) -> Component:
        """As the control plane's own record says."""
        from localcluster.layout import Layout, State  # noqa: PLC0415 - on the path once tests.support.cluster is

        assert isinstance(cluster, Running)
        state = State.load(Layout.of(cluster.folder))
        assert state is not None
        running = next(one for one in state.processes if one.name == name)
        command = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")[:-1]
        return cls(cluster.folder, name, _running=running, _command=[part.decode() for part in command])

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        from localcluster import process  # noqa: PLC0415 - as above

        assert self._running is not None
        process.stop([self._running])
        self.kills += 1

    def start(self) -> None:
        """The same command once more; not waited for. The control plane's record says so, for its end."""
        from localcluster import process  # noqa: PLC0415 - as above
        from localcluster.layout import Layout, State  # noqa: PLC0415

        layout = Layout.of(self.folder)
        self._running = process.spawn(self.name, self._command, folder=self.folder, log=layout.log(self.name))
        state = State.load(layout)
        assert state is not None
        others = [one for one in state.processes if one.name != self.name]
        state.processes = [*others, self._running]
        state.save(layout)

    def restart(self) -> None:
        """Die and begin again."""
        self.kill()
        self.start()


async def kubelets_again(kubelets: Component, people: KubeApi) -> None:
    """Start what plays the ``kubelets`` anew, once the control plane carries writes out again.

    A kubelet writes a Pod's status until it is written. kwok gives it up at most of what a dying server
    answers, and the Pod would never be ready; as it begins it looks at all of them.
    It may have ended by itself meanwhile.
    """
    mark = {"name": "default", "annotations": {"tests/kubelets-again": str(time.monotonic_ns())}}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": mark}
    await people.apply(body, field_manager=PERSON, force=True)
    kubelets.restart()


class Patient(Transport):
    """For people, who try again until somebody answers who knows them.

    A server that begins refuses everybody until it has read the roles.
    """

    @override
    async def send(self, request: Request) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await super().send(request)
            except (Transient, Forbidden):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)


async def patient(api: KubeApi, configuration: Any) -> KubeApi:
    """The same client, for which an API server that is away is no failure."""
    await api._transport.close()
    api._transport = Patient(configuration)
    return api
