# SPDX-License-Identifier: Apache-2.0
"""Flux's kustomize-controller as a local process, and a repository as it sees one: a tarball, a revision."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from eservice_operator.runtime.clock import now
from tests.support.kubectl import Kubectl
from tests.support.site import condition, poll

NAMESPACE = "flux-system"
SOURCES = Path(__file__).with_name("sources.yaml")
REQUESTED = "reconcile.fluxcd.io/requestedAt"
CHANGING = frozenset({"created", "configured", "deleted", "recreated"})
"""What the controller calls its actions that were writes; the others are ``unchanged`` and ``skipped``."""


class _Quiet(SimpleHTTPRequestHandler):
    @override
    def log_message(self, *_: Any) -> None:
        """The log of the controller says what it fetched."""


@contextmanager
def artifacts(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def controller(program: Path, kubeconfig: Path, log: Path) -> Iterator[None]:
    """The controller, from the beginning to the end of the block."""
    flags = [
        "--metrics-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        "--watch-all-namespaces=true",
        "--no-remote-bases=true",
        "--interval-jitter-percentage=0",
        "--requeue-dependency=1s",
    ]
    environment = os.environ | {"KUBECONFIG": str(kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
    with log.open("wb") as stream:
        process = subprocess.Popen([program, *flags], env=environment, stdout=stream, stderr=stream)
    try:
        yield
        assert process.poll() is None, log.read_text()[-2000:]
    finally:
        process.kill()
        process.wait()


@dataclass
class Repository:
    """The Git repository, its Kustomizations, and what the controller has done about them."""

    kubectl: Kubectl
    folder: Path
    url: str
    log: Path
    revision: str = ""
    _commits: int = 0
    _asked: int = 0
    _read: int = field(default=0)

    async def prepare(self, crds: Path, *kustomizations: str) -> None:
        """Flux's kinds, and a Kustomization for each folder of the repository, each after the one before."""
        await self.run("apply", "--server-side", "-f", str(crds), "-f", str(SOURCES))
        await self.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        await self._known("gitrepositories,kustomizations")
        objects: list[dict[str, Any]] = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            _flux("source.toolkit.fluxcd.io/v1", "GitRepository", "repository", interval="1h", url=self.url),
        ]
        for number, name in enumerate(kustomizations):
            before = [{"name": one} for one in kustomizations[max(number - 1, 0) : number]]
            objects.append(_kustomization(name, before))
        await self.apply(*objects)

    async def apply(self, *objects: Mapping[str, Any]) -> None:
        """What an administrator applies."""
        file = self.folder / "applied.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        await self.run("apply", "-f", str(file))

    async def push(self, files: Mapping[str, str]) -> str:
        """A commit: the repository holds exactly these files, by their paths; answers the revision."""
        self._commits += 1
        name = f"{self._commits}.tar.gz"
        content = _tarball(files)
        (self.folder / name).write_bytes(content)
        self.revision = f"main@sha1:{hashlib.sha1(content).hexdigest()}"  # noqa: S324 - as Git has it
        artifact = {
            "path": name,
            "url": f"{self.url}/{name}",
            "revision": self.revision,
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "lastUpdateTime": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "size": len(content),
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "stored",
            "lastTransitionTime": artifact["lastUpdateTime"],
            "observedGeneration": 1,
        }
        status = {"status": {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}}
        await self.run(
            "patch", "gitrepository/repository", "-n", NAMESPACE, "--subresource=status", "--type=merge",
            f"--patch={json.dumps(status)}",
        )  # fmt: skip
        return self.revision

    async def applied(self, name: str, within: float = 90.0) -> dict[str, Any]:
        """The Kustomization once it has applied the newest revision and everything in it is ready."""
        return await self._until(
            name,
            lambda obj: (
                obj["status"].get("lastAppliedRevision") == self.revision
                and (condition(obj, "Ready") or {}).get("status") == "True"
            ),
            within,
        )

    async def again(self, name: str) -> list[str]:
        """Have it apply the same revision once more; answers what it wrote, which should be nothing."""
        self._skip_log()
        self._asked += 1
        token = f"again-{self._asked}"
        await self.run(
            "annotate", "kustomization", name, "-n", NAMESPACE, "--overwrite", f"{REQUESTED}={token}"
        )
        await self._until(
            name,
            lambda obj: (
                obj["status"].get("lastHandledReconcileAt") == token
                and (condition(obj, "Ready") or {}).get("status") == "True"
            ),
        )
        return self.wrote()

    async def refused(self, name: str) -> str:
        """Have it apply the same revision once more, which the API server refuses; answers its words."""
        await self.run(
            "annotate", "kustomization", name, "-n", NAMESPACE, "--overwrite", f"{REQUESTED}=refused"
        )
        failed = await self._until(name, lambda obj: (condition(obj, "Ready") or {}).get("status") == "False")
        return str((condition(failed, "Ready") or {})["message"])

    def wrote(self) -> list[str]:
        """What the controller has written since it was asked last, as ``object action``."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            whole, _, _ = log.read().decode(errors="replace").rpartition("\n")  # it may just be writing
        records = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        applied = [record["output"] for record in records if record["msg"] == "server-side apply completed"]
        assert applied, "it has applied nothing"
        return [f"{obj} {action}" for done in applied for obj, action in done.items() if action in CHANGING]

    async def events(self, name: str) -> list[str]:
        """The Events about a Kustomization: reason and text."""
        found = json.loads(
            await self.run("get", "events", "-n", NAMESPACE, "-o", "json", "--field-selector",
                           f"involvedObject.kind=Kustomization,involvedObject.name={name}")
        )  # fmt: skip
        return [f"{item['reason']}: {item['message']}" for item in found["items"]]

    async def run(self, *arguments: str) -> str:
        """kubectl, which has to succeed."""
        code, printed = await self.kubectl(*arguments)
        assert code == 0, printed
        return printed

    async def _known(self, kinds: str) -> None:
        """Wait until kubectl finds kinds: the API server tells of a CRD a moment after it is established."""
        told = ""

        async def found() -> bool:
            nonlocal told
            code, told = await self.kubectl("get", kinds, "--all-namespaces")
            return code == 0

        await poll(found, lambda: told)

    def _skip_log(self) -> None:
        self._read = self.log.stat().st_size

    async def _until(self, name: str, check: Any, within: float = 45.0) -> dict[str, Any]:
        last: dict[str, Any] = {}

        async def ask() -> dict[str, Any] | None:
            nonlocal last
            last = json.loads(await self.run("get", "kustomization", name, "-n", NAMESPACE, "-o", "json"))
            return last if "status" in last and check(last) else None

        return await poll(ask, lambda: f"{name}: {json.dumps(last.get('status'), indent=1)}", within, 0.5)


def _flux(api_version: str, kind: str, name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _kustomization(name: str, after: list[dict[str, str]]) -> dict[str, Any]:
    """As docs/gitops.md advises, but for the hour: only a commit or the test itself starts anything."""
    return _flux(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        name,
        interval="1h",
        retryInterval="2s",
        timeout="60s",
        path=f"./{name}",
        prune=True,
        wait=True,
        dependsOn=after,
        sourceRef={"kind": "GitRepository", "name": "repository"},
    )


def _tarball(files: Mapping[str, str]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()
