# SPDX-License-Identifier: Apache-2.0
"""The population register behind a real Envoy, which asks the authorizer about each call.

Envoy's configuration is that of docs/authorizer.md, but for addresses and paths of files.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import trustme
import yaml
from typing_extensions import override

from tools.demo.stage import PROGRAM, PROJECT, NotSeen, Stage, say
from tools.demo.street import Answer

HOLDER, REGISTER, VERSION = "pmlp-production", "population-register", "v5"
ENVOY = PROJECT / ".venv/bin/envoy"
RIGHTS = PROJECT / "docs/manifests/authorizer.yaml"
USER = "system:serviceaccount:eservice-system:eservice-authorizer"
NAME = "eservice-authorizer.eservice-system.svc"
HOST = f"{REGISTER}.{HOLDER}.svc"
REFUSED = 403
REVOKED_WITHIN = 2.0
"""Seconds from the end of a grant to the first call that is refused."""
SHOWN = ("WWW-Authenticate", "X-EService-Reason")


class _Register(BaseHTTPRequestHandler):
    """The register in one line: it says who calls, as Envoy has told it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer an e-service."""
        body = f"A person, for {self.headers.get('X-EService-Consumer')}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class Checkpoint:
    """Where e-services call the register."""

    def __init__(self, stage: Stage, port: int, trust: ssl.SSLContext) -> None:
        self._stage = stage
        self._port = port
        self._trust = trust

    def ask(self, token: str | None) -> Answer:
        """One call, as DNS would lead it there."""
        connection = http.client.HTTPSConnection("localhost", self._port, timeout=5, context=self._trust)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            connection.request("GET", "/persons", headers={"Host": HOST, **headers})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            return Answer(response.status, response.reason, response.msg, text)
        finally:
            connection.close()

    def show(self, status: int, token: str | None = None) -> None:
        """Call in front of the audience; waits for the status that is expected."""
        self._stage.until(f"the register answers {status}", lambda: self._answers(status, token))
        answer = self.ask(token)
        own = (
            "" if token is None else ' -H "Authorization: Bearer $(cat $SERVICE_BINDING_ROOT/persons/token)"'
        )
        say(f"$ curl -i{own} https://{HOST}/persons        # through Envoy")
        say(f"HTTP/1.1 {answer.status} {answer.reason}")
        for name in SHOWN:
            if answer.headers[name]:
                say(f"{name}: {answer.headers[name]}")
        say(f"\n{answer.text.strip()}\n")

    def show_closed(self, token: str) -> None:
        """The same once it is ended, with the time that it takes."""
        began = monotonic()
        while self.ask(token).status != REFUSED:
            if monotonic() - began > REVOKED_WITHIN:
                raise NotSeen(f"the register refuses within {REVOKED_WITHIN} s")
        say(f"  ✓ the register is closed after {monotonic() - began:.2f} s")
        self.show(REFUSED, token)

    def _answers(self, status: int, token: str | None) -> bool:
        try:
            return self.ask(token).status == status
        except OSError:
            return False


@contextmanager
def guarded(stage: Stage) -> Iterator[Checkpoint]:
    """The register, the authorizer with the rights of its manifest, and Envoy; all end with the block."""
    folder = stage.folder / "demo" / "register"
    folder.mkdir(parents=True, exist_ok=True)
    trust = _certificates(folder)
    rights = folder / "rights.yaml"
    documents = yaml.safe_load_all(RIGHTS.read_text())
    rights.write_text(yaml.safe_dump_all(one for one in documents if one["kind"].startswith("ClusterRole")))
    stage.kubectl("apply", "-f", str(rights))
    kubeconfig = stage.credentials(USER, folder / "kubeconfig")
    with ExitStack() as ends:
        register = ThreadingHTTPServer(("127.0.0.1", 0), _Register)
        ends.callback(register.server_close)
        ends.callback(register.shutdown)
        threading.Thread(target=register.serve_forever, name="register", daemon=True).start()
        authorizer, listener = _free_port(), _free_port()
        flags = {
            "address": f"127.0.0.1:{authorizer}",
            "health-address": "127.0.0.1:0",
            "kubeconfig": str(kubeconfig),
            "tls-cert-file": str(folder / "tls.crt"),
            "tls-key-file": str(folder / "tls.key"),
        }
        asked = [str(PROGRAM), "authorizer", *(f"--{name}={value}" for name, value in flags.items())]
        ends.enter_context(_running(asked, stage.folder / "logs" / "authorizer.log"))
        configuration = folder / "envoy.yaml"
        configuration.write_text(_configured(folder, register.server_address[1], authorizer, listener))
        options = ("--concurrency", "1", "--log-level", "warn", "--disable-hot-restart")
        proxied = [str(ENVOY), "--config-path", str(configuration), *options]
        ends.enter_context(_running(proxied, stage.folder / "logs" / "envoy.log"))
        yield Checkpoint(stage, listener, trust)


def _configured(folder: Path, register: Any, authorizer: int, listener: int) -> str:
    """The configuration of the documentation, for this machine."""
    text = (PROJECT / "docs/authorizer.md").read_text()
    (written,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    here = {
        "0.0.0.0, port_value: 8443": f"127.0.0.1, port_value: {listener}",
        "/etc/envoy/tls/tls.crt": str(folder / "tls.crt"),
        "/etc/envoy/tls/tls.key": str(folder / "tls.key"),
        "/etc/envoy/authorizer/ca.crt": str(folder / "ca.crt"),
        "127.0.0.1, port_value: 8080": f"127.0.0.1, port_value: {register}",
        f"{{address: {NAME}, port_value: 443}}": f"{{address: 127.0.0.1, port_value: {authorizer}}}",
        "/v1/check/ur-production/": f"/v1/check/{HOLDER}/",
    }
    for place, value in here.items():
        written = written.replace(place, value)
    return str(written)


def _certificates(folder: Path) -> ssl.SSLContext:
    """One pair for Envoy and for the authorizer; answers what trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    made = authority.issue_cert(NAME, "localhost")
    (folder / "tls.crt").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(folder / "tls.key"))
    return ssl.create_default_context(cafile=str(folder / "ca.crt"))


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
