# SPDX-License-Identifier: Apache-2.0
"""Certificates of one cluster, made with the `openssl` command, and kubeconfigs that carry them."""

from __future__ import annotations

import base64
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ClusterError

DAYS = 365
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")

_REQUEST = """\
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = subject
[subject]
{subject}
[extensions]
{extensions}
"""

_KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: {context}
contexts:
- name: {context}
  context: {{cluster: {context}, user: "{user}"}}
clusters:
- name: {context}
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: "{user}"
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """The certificate authority of one cluster, in the folder that holds its key."""

    folder: Path

    @property
    def pair(self) -> KeyPair:
        """The authority's own certificate and key."""
        return KeyPair(self.folder / "ca.crt", self.folder / "ca.key")

    @property
    def service_account_key(self) -> Path:
        """Signs the service accounts' tokens."""
        return self.folder / "service-account.key"

    @property
    def service_account_public_key(self) -> Path:
        """Verifies the service accounts' tokens."""
        return self.folder / "service-account.pub"

    def create(self) -> None:
        """Make the authority's own certificate and the service accounts' key."""
        usage = "keyUsage = critical, keyCertSign, cRLSign, digitalSignature"
        request = _request(["CN = local-control-plane"], f"basicConstraints = critical, CA:TRUE\n{usage}")
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".cnf") as config:
            config.write(request)
            config.flush()
            _openssl(
                *(
                    "req",
                    "-x509",
                    "-new",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ),
                *("-sha256", "-days", str(DAYS), "-config", config.name, "-extensions", "extensions"),
                *("-keyout", self.pair.key, "-out", self.pair.certificate),
            )
        key, public_key = self.service_account_key, self.service_account_public_key
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", key)
        _openssl("pkey", "-in", key, "-pubout", "-out", public_key)

    def issue_server(self, name: str) -> KeyPair:
        """A certificate for the API server's loopback address and in-cluster names."""
        names = [f"DNS:{name}" for name in _SERVER_NAMES] + [f"IP:{address}" for address in _SERVER_ADDRESSES]
        return self._issue(name, [f"CN = {name}"], "serverAuth", f"subjectAltName = {', '.join(names)}")

    def issue_client(self, user: str, groups: Sequence[str]) -> KeyPair:
        """A certificate by which the API server knows its holder as `user`, a member of `groups`."""
        if not user:
            raise ClusterError("a user needs a name")
        subject = [f"{index}.O = {_escaped(group)}" for index, group in enumerate(groups)]
        file_name = re.sub(r"[^A-Za-z0-9.-]", "_", user)[:40] + "-" + secrets.token_hex(4)
        return self._issue(file_name, [*subject, f"CN = {_escaped(user)}"], "clientAuth", "")

    def _issue(self, file_name: str, subject: Sequence[str], usage: str, more: str) -> KeyPair:
        pair = KeyPair(self.folder / f"{file_name}.crt", self.folder / f"{file_name}.key")
        extensions = f"keyUsage = critical, digitalSignature\nextendedKeyUsage = {usage}\n{more}"
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".cnf") as config:
            config.write(_request(subject, extensions))
            config.flush()
            signing_request = _openssl(
                *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-config", config.name, "-keyout", pair.key),
            )
            _openssl(
                *("x509", "-req", "-sha256", "-days", str(DAYS), "-set_serial", f"0x{secrets.token_hex(15)}"),
                *("-CA", self.pair.certificate, "-CAkey", self.pair.key),
                *("-extfile", config.name, "-extensions", "extensions", "-out", pair.certificate),
                stdin=signing_request,
            )
        return pair

    def kubeconfig(self, server: str, user: str, groups: Sequence[str]) -> str:
        """The text of a kubeconfig for `user`, with a new certificate inside."""
        pair = self.issue_client(user, groups)
        return _KUBECONFIG.format(
            context="local",
            user=user.replace("\\", "\\\\").replace('"', '\\"'),
            server=server,
            ca=_encoded(self.pair.certificate),
            certificate=_encoded(pair.certificate),
            key=_encoded(pair.key),
        )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _request(subject: Sequence[str], extensions: str) -> str:
    return _REQUEST.format(subject="\n".join(subject), extensions=extensions)


def _escaped(value: str) -> str:
    """The value as openssl's configuration files want it."""
    if not value.isprintable():
        raise ClusterError(f"a name in a certificate cannot hold control characters: {value!r}")
    return re.sub(r"([\\$#\"'])", r"\\\1", value)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _openssl(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    program = shutil.which("openssl")
    if program is None:
        raise ClusterError(
            "the openssl command is not installed; the cluster's certificates are made with it"
        )
    done = subprocess.run([program, *map(str, arguments)], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
