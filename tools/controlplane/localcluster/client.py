# SPDX-License-Identifier: Apache-2.0
"""Reading the API server while it comes up, and applying manifests with kubectl."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from localcluster.errors import ClusterError
from localcluster.pki import Authority, KeyPair

_SECONDS = 5.0


@dataclass(frozen=True)
class Reader:
    """Plain GET requests with a client certificate."""

    server: str
    authority: Authority
    pair: KeyPair

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body (parsed if it is JSON); status 0 while nobody answers."""
        address = urllib.parse.urlsplit(self.server)
        context = ssl.create_default_context(cafile=str(self.authority.pair.certificate))
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, timeout=_SECONDS, context=context
        )
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(body) if is_json else body.decode(errors="replace")

    def ready(self) -> bool:
        """Whether the API server has finished its start."""
        return self.get("/readyz")[0] == HTTPStatus.OK

    def version(self) -> str:
        """The server's version, as v1.36.3."""
        status, body = self.get("/version")
        if status != HTTPStatus.OK:
            raise ClusterError(f"{self.server}/version answers {status}")
        return str(body["gitVersion"])

    def exists(self, path: str) -> bool:
        """Whether the object is there."""
        return self.get(path)[0] == HTTPStatus.OK

    def all_have(self, collection: str, condition: str, at_least: int = 1) -> bool:
        """Whether the list has enough objects and the condition is True on each of them."""
        status, body = self.get(collection)
        if status != HTTPStatus.OK or len(body["items"]) < at_least:
            return False
        return all(_condition(item, condition) == "True" for item in body["items"])


def _condition(item: dict[str, Any], wanted: str) -> str | None:
    conditions = item.get("status", {}).get("conditions", [])
    return next((one["status"] for one in conditions if one["type"] == wanted), None)


@dataclass(frozen=True)
class Kubectl:
    """The kubectl command bound to one cluster."""

    program: Path
    kubeconfig: Path
    cache: Path

    def apply(self, *files: Path) -> None:
        """Server-side apply of the files, in one go."""
        arguments = [f"--filename={file}" for file in files]
        self.run(["apply", "--server-side", "--force-conflicts", "--field-manager=controlplane", *arguments])

    def run(self, arguments: Sequence[str]) -> str:
        """Run kubectl; its output. Raises ClusterError with kubectl's own words when it fails."""
        command = [
            str(self.program),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.cache}",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"kubectl {arguments[0]} failed:\n{done.stderr.strip()}")
        return done.stdout
