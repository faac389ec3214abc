# SPDX-License-Identifier: Apache-2.0
"""What stands in for the world around a demonstration: Pods that answer, the notice page, and a citizen."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

NOTICE = "eservice-notice"


class _Pod(BaseHTTPRequestHandler):
    """An e-service in one line: it says under which host it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a citizen."""
        body = f"The e-service of {self.headers.get('Host')} at your service.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class Pods:
    """Servers on the one address of all Pods here, one for each port that a workload names."""

    def __init__(self, address: str, ports: set[int]) -> None:
        self._servers = [ThreadingHTTPServer((address, port), _Pod) for port in sorted(ports)]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, name="pod", daemon=True).start()

    def close(self) -> None:
        """Nobody answers any more."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


def doorway(name: str, namespace: str, address: str, port: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Service without a selector, and the EndpointSlice that leads it to a server on this machine."""
    labels = {"kubernetes.io/service-name": name}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    }
    return service, endpoints


class NoticePage:
    """The image's own notice page as a process, and the objects by which the gateway finds it."""

    def __init__(self, command: Path, address: str, log: Path) -> None:
        self.address = address
        with socket.create_server((address, 0)) as free:
            self.port = int(free.getsockname()[1])
        arguments = ["notice", f"--address={address}:{self.port}", "--health-address=127.0.0.1:0"]
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                [str(command), *arguments], stdout=written, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def manifests(self, namespace: str) -> str:
        """A Service without a selector, and where it leads: in a cluster a Deployment does this."""
        items = doorway(NOTICE, namespace, self.address, self.port)
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=10)


@dataclass(frozen=True)
class Answer:
    """What a citizen got."""

    status: int
    reason: str
    headers: Message
    text: str

    @property
    def title(self) -> str:
        """The title of a page, or the first line of a text."""
        found = re.search(r"<title>(.*?)</title>", self.text, re.DOTALL)
        return found[1].strip() if found else self.text.strip().partition("\n")[0]


def ask(gateway: str, host: str, headers: Mapping[str, str]) -> Answer:
    """One GET of ``/`` for a host, sent to the gateway as DNS would lead it there."""
    place = urlsplit(gateway)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host, **headers})
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, response.reason, response.msg, text)
    finally:
        connection.close()
