# SPDX-License-Identifier: Apache-2.0
"""Where a cluster keeps its files, and the record of what was started."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from localcluster.errors import ClusterError
from localcluster.process import Process

PROJECT = Path(__file__).resolve().parents[3]
CONTROLPLANE = PROJECT / "tools" / "controlplane"


@dataclass(frozen=True)
class Layout:
    """The files of one cluster; everything below `folder`, an absolute path."""

    folder: Path

    @classmethod
    def of(cls, folder: Path | str) -> Layout:
        """The layout of a folder given in any way."""
        return cls(Path(folder).resolve())

    @property
    def kubeconfig(self) -> Path:
        """The administrator's credentials."""
        return self.folder / "kubeconfig"

    @property
    def state(self) -> Path:
        """The record of what was started: see `State`."""
        return self.folder / "state.json"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each request that the API server answered."""
        return self.folder / "audit.log"

    @property
    def logs(self) -> Path:
        """The components' output, which outlives the cluster."""
        return self.folder / "logs"

    @property
    def pki(self) -> Path:
        """Certificates and private keys."""
        return self.folder / "pki"

    @property
    def data(self) -> Path:
        """What etcd stores."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """The components' configuration and credentials."""
        return self.folder / "config"

    @property
    def kubectl_cache(self) -> Path:
        """What kubectl knows of this cluster, kept apart from what it knew of others on the same port."""
        return self.folder / "kubectl-cache"

    def log(self, component: str) -> Path:
        """Where a component's output goes."""
        return self.logs / f"{component}.log"

    def prepare(self) -> None:
        """Empty folders for a new cluster; the logs of the one before go too."""
        self.clear()
        shutil.rmtree(self.logs, ignore_errors=True)
        self.audit_log.unlink(missing_ok=True)
        for folder in (self.folder, self.logs, self.pki, self.data, self.config):
            folder.mkdir(parents=True, exist_ok=True)
        self.pki.chmod(0o700)

    def clear(self) -> None:
        """Remove the data and the credentials, which are worthless without it; keep the logs."""
        for folder in (self.pki, self.data, self.config, self.kubectl_cache):
            shutil.rmtree(folder, ignore_errors=True)
        self.kubeconfig.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One `up` or `down` per folder at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClusterError(f"another up or down is at work in {self.folder}") from None
            yield


@dataclass
class State:
    """What `state.json` holds: addresses, versions and the processes that were started, in that order."""

    server: str = ""
    version: str = ""
    gateways: dict[str, str] = field(default_factory=dict)  # the Gateway's name → URL
    pod_address: str | None = None
    processes: list[Process] = field(default_factory=list)

    def save(self, layout: Layout) -> None:
        """Write the record so that a reader sees the old one or the new one, whole."""
        draft = layout.state.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(layout.state)

    @classmethod
    def load(cls, layout: Layout) -> State | None:
        """The record, or None when nothing was started here."""
        try:
            raw = json.loads(layout.state.read_text())
        except FileNotFoundError:
            return None
        except json.JSONDecodeError as error:
            raise ClusterError(f"{layout.state} cannot be read ({error}); remove it") from None
        known = {one.name for one in fields(cls)}  # another version of this program may have written more
        read = {name: value for name, value in raw.items() if name in known}
        return cls(**{**read, "processes": [Process(**one) for one in raw["processes"]]})
