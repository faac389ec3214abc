# SPDX-License-Identifier: Apache-2.0
"""What a demonstration is played on: a control plane, a mail server, the operator, and what kubectl shows."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tools" / "controlplane"))

from controlplane import Cluster, Options  # noqa: E402 - found by the line above
from tools.demo.post import PostOffice  # noqa: E402
from tools.demo.street import NOTICE, Answer, NoticePage, Pods, ask  # noqa: E402

PATIENCE = 60.0
"""Seconds until something that should happen counts as not happening."""
POLL = 0.1
PROGRAM = PROJECT / ".venv/bin/eservice-operator"
RIGHTS = "docs/manifests/rbac.yaml"
OPERATOR = "system:serviceaccount:eservice-system:eservice-operator"
"""As which the operator acts: the ServiceAccount that has those rights."""
SYSTEM_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:eservice-system")
ROUTES = "eservice-routes"
PORTS = {3000, 8080, 8443}
"""Those that the samples' workloads name."""
SHOWN = ("Retry-After", "Content-Language", "EService-Route")
"""Headers of an answer that the audience sees."""


class NotSeen(Exception):
    """A step that was announced was not observed."""


def say(text: str = "") -> None:
    """A line for the audience."""
    print(text, flush=True)


class Stage:
    """A running control plane with the operator beside it, and a mail server for its notices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "logs" / "operator.log"
        self.post = PostOffice(folder / "mail")
        self._cluster: Cluster | None = None
        self._pods: Pods | None = None
        self._notice: NoticePage | None = None
        self._operator: subprocess.Popen[bytes] | None = None

    @property
    def kubeconfig(self) -> Path:
        """Credentials of the cluster's administrator."""
        return self.folder / "kubeconfig"

    def open(self) -> None:
        """Start an empty cluster, all that stands around it, and the operator against them."""
        self._cluster = cluster = Cluster.up(self.folder, Options(), say=lambda line: say(f"    {line}"))
        self.post.open()
        address = str(cluster.pod_address)
        self._pods = Pods(address, PORTS)
        self._notice = NoticePage(PROGRAM, address, self.folder / "logs" / "notice.log")
        manifests = self.folder / "demo" / "notice.json"
        manifests.parent.mkdir(exist_ok=True)
        manifests.write_text(self._notice.manifests(ROUTES))
        self.kubectl("apply", "-f", str(manifests.relative_to(PROJECT)))
        self.kubectl("apply", "-f", RIGHTS)
        operator = self.credentials(OPERATOR, self.folder / "demo" / "operator")
        flags = {
            "kubeconfig": str(operator.relative_to(PROJECT)),
            "metrics-address": "127.0.0.1:0",
            "smtp-server": self.post.address,
            "smtp-ca-file": str(self.post.ca_file.relative_to(PROJECT)),
            "mail-from": "E-pakalpojumi <e-pakalpojumi@agency.example>",
            "notice-service": NOTICE,
            "probe": "http",
            "probe-address": cluster.gateway_url.removeprefix("http://"),
            "probe-allow": "127.0.0.0/8",
        }
        arguments = [f"--{name}={value}" for name, value in flags.items()]
        say(f"$ eservice-operator run {shlex.join(arguments)}")
        command = [str(PROGRAM), "run", *arguments]
        with self.log.open("wb") as log:
            self._operator = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=PROJECT
            )
        self.until("the operator is ready", self._ready)

    def close(self) -> int | None:
        """Stop the operator, then the cluster; answers the operator's exit code."""
        code = None
        if self._operator is not None:
            self._operator.terminate()
            try:
                code = self._operator.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self._operator.kill()
        self.post.close()
        for around in (self._notice, self._pods):
            if around is not None:
                around.close()
        if self._cluster is not None:
            self._cluster.down()
        return code

    @property
    def pids(self) -> list[int]:
        """Process numbers of the operator and of the notice page."""
        return [running.pid for running in (self._operator, self._notice) if running is not None]

    def credentials(self, account: str, target: Path) -> Path:
        """Credentials of a ServiceAccount in the operator's namespace, as a kubeconfig."""
        if self._cluster is None:
            raise NotSeen("there is no cluster yet")
        return self._cluster.user_kubeconfig(account, SYSTEM_GROUPS, target)

    def kubectl(self, *arguments: str, code: int = 0) -> str:
        """Run kubectl and answer what it prints; raises ``NotSeen`` with its complaint when it fails.

        ``code`` is the exit code that it has to have.
        """
        path = os.pathsep.join([str(PROJECT / ".venv/bin"), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(
            ["kubectl", *arguments],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path, "NO_COLOR": "1"},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != code:
            raise NotSeen(f"kubectl {shlex.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def show(self, *arguments: str, code: int = 0) -> None:
        """Run kubectl in front of the audience."""
        say(f"$ kubectl {shlex.join(arguments)}")
        say(self.kubectl(*arguments, code=code).rstrip())
        say()

    def show_mail(self, recipient: str, subject: str) -> None:
        """Wait for a mail to somebody, and show it as it was received."""
        self.until(
            f"{recipient} has a mail: … {subject}", lambda: self.post.find(recipient, subject) is not None
        )
        found = self.post.find(recipient, subject)
        if found is None:
            return
        path, mail = found
        body = mail.get_body(preferencelist=("plain",))
        say(f"$ cat {path.relative_to(PROJECT)}        # headers, and its text part")
        for header in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"):
            say(f"{header}: {mail[header]}")
        say()
        say("" if body is None else body.get_content().rstrip())
        say()

    def ask(self, host: str, **headers: str) -> Answer:
        """A citizen asks for the first page of a host."""
        if self._cluster is None:
            raise NotSeen("there is no gateway yet")
        return ask(self._cluster.gateway_url, host, {k.replace("_", "-"): v for k, v in headers.items()})

    def show_answer(self, host: str, status: int, **headers: str) -> None:
        """A citizen asks, in front of the audience; waits for the status that is expected."""
        self.until(f"http://{host}/ answers {status}", lambda: self.ask(host, **headers).status == status)
        answer = self.ask(host, **headers)
        extra = "".join(f" -H '{name.replace('_', '-')}: {value}'" for name, value in headers.items())
        say(f"$ curl -i{extra} http://{host}/        # through the gateway")
        say(f"HTTP/1.1 {answer.status} {answer.reason}")
        for name in SHOWN:
            if answer.headers[name]:
                say(f"{name}: {answer.headers[name]}")
        say(f"\n{answer.title}\n")

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """An object as it is now."""
        where = ["-n", namespace] if namespace else []
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, *where, "-o", "json"))
        return found

    def names(self, kind: str, namespace: str) -> set[str]:
        """The names of all objects of a kind in a namespace."""
        found = json.loads(self.kubectl("get", kind, "-n", namespace, "-o", "json"))
        return {item["metadata"]["name"] for item in found["items"]}

    def until(self, what: str, seen: Callable[[], bool]) -> None:
        """Wait until something is seen; raises ``NotSeen`` after a while."""
        deadline = time.monotonic() + PATIENCE
        while not seen():
            if self._operator is not None and self._operator.poll() is not None:
                raise NotSeen(f"{what}: the operator ended with {self._operator.returncode}")
            if time.monotonic() > deadline:
                raise NotSeen(what)
            time.sleep(POLL)
        say(f"  ✓ {what}")

    def _ready(self) -> bool:
        for line in self.log.read_text(errors="replace").splitlines():
            _, found, address = line.partition("answering probes and scrapes on ")
            if found:
                try:
                    with urllib.request.urlopen(
                        f"http://{address.split(chr(34))[0]}/readyz", timeout=1
                    ) as answer:
                        return bool(answer.status == 200)
                except (urllib.error.URLError, OSError):
                    return False
        return False


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, str]:
    """A condition of an object; empty while it has none."""
    found = obj.get("status", {}).get("conditions", [])
    return next((entry for entry in found if entry["type"] == kind), {})
