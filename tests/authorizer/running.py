# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator authorizer`` as a process, and a proxy's questions to it."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import aiohttp
import trustme
import yaml
from typing_extensions import override

from eservice_operator.authorizer.answer import Why
from tests.support.servers import FREE_PORTS, ServerProcess, launched
from tests.support.waiting import eventually

COMMAND = (sys.executable, "-m", "eservice_operator.runtime", "authorizer")
NAME = "eservice-authorizer.eservice-system.svc"
MANIFEST = Path(__file__).parents[2] / "docs" / "manifests" / "authorizer.yaml"
UNDECIDED = frozenset({Why.REVIEW_FAILED, Why.WATCH_SILENT})
USER = "system:serviceaccount:eservice-system:eservice-authorizer"


class Said(NamedTuple):
    """An answer."""

    status: int
    reason: str
    headers: Mapping[str, str]

    @property
    def told(self) -> tuple[int, str]:
        return self.status, self.reason


@dataclass
class Tls:
    """Certificate, key and authority as files; the certificate can be made anew."""

    folder: Path
    authority: trustme.CA

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def issue(self, *names: str) -> None:
        made = self.authority.issue_cert(*(names or (NAME, "localhost", "127.0.0.1")))
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(self.key))

    @classmethod
    def make(cls, folder: Path) -> Tls:
        made = cls(folder, trustme.CA())
        made.authority.cert_pem.write_to_path(str(made.ca))
        made.issue()
        return made

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))


@dataclass
class AuthorizerProcess(ServerProcess):
    """It, as it runs, with TLS or without."""

    tls: Tls | None = None
    listens = "authorizes on"
    ready_once = "every kind is listed"

    @property
    @override
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def ready(self) -> bool:
        async with aiohttp.ClientSession() as client, client.get(f"{self.health}/readyz") as answer:
            return answer.status == 200

    def answers(self) -> list[dict[str, object]]:
        """Its log of requests."""
        return [record for record in self.records() if record["logger"].endswith(".requests")]

    @asynccontextmanager
    async def asked(self, *, until_decided: bool = False) -> AsyncIterator[Questions]:
        """Questions over one connection."""
        connector = aiohttp.TCPConnector(ssl=self.tls.trust if self.tls else True)
        async with aiohttp.ClientSession(self.url, connector=connector) as client:
            yield Questions(client, until_decided)


@dataclass
class Questions:
    """What a proxy would ask; ``until_decided`` again, as long as the API server did not answer in time.

    It does not while the machine is busy with other things, and nobody is let in then (`test_trouble`).
    """

    client: aiohttp.ClientSession
    until_decided: bool = False

    async def __call__(self, path: str, token: str | None = None, **headers: str) -> Said:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        said: list[Said] = []

        async def decided() -> bool:
            async with self.client.get(path, headers=given) as answer:
                reason = answer.headers.get("X-EService-Reason", "")
                said[:] = [Said(answer.status, reason, answer.headers)]
            return not self.until_decided or reason not in UNDECIDED

        await eventually(decided, f"a decision about {path}")
        return said[0]


@contextmanager
def authorizing(
    folder: Path, kubeconfig: Path, tls: Tls | None = None, *before: str, command: Sequence[str] = COMMAND
) -> Iterator[AuthorizerProcess]:
    """The command with its ports; killed at the end if it still runs. ``before`` goes before the command."""
    path = folder / "authorizer.log"
    secure = (f"--tls-cert-file={tls.certificate}", f"--tls-key-file={tls.key}") if tls else ()
    whole = [*before, *command, *FREE_PORTS, f"--kubeconfig={kubeconfig}", *secure]
    with launched(whole, path) as process:
        running = AuthorizerProcess(process, path, tls)
        running.until_ready()
        yield running


def rights() -> str:
    """What the manifest lets it do: without the workload, whose namespace nobody needs here."""
    documents = yaml.safe_load_all(MANIFEST.read_text())
    return yaml.safe_dump_all(one for one in documents if one["kind"].startswith("ClusterRole"))


def kubeconfig_through(url: str, target: Path) -> Path:
    """A kubeconfig without credentials, for a proxy that has them."""
    named = {"name": "proxy"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [named | {"cluster": {"server": url}}],
        "users": [named | {"user": {}}],
        "contexts": [named | {"context": {"cluster": "proxy", "user": "proxy"}}],
        "current-context": "proxy",
    }
    target.write_text(yaml.safe_dump(document))
    return target
