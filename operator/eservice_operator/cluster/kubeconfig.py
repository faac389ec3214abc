# SPDX-License-Identifier: Apache-2.0
"""Reads what kubectl reads: kubeconfig files, merged, with the credentials that stand in them.

What a plugin has to be asked for (``exec``, ``auth-provider``) is left to the Kubernetes client: its 2,000
modules, nearly all of them models of kinds, cost half a second and more memory than the rest of the operator.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from eservice_operator.cluster.configuration import Authorization, Configuration, always, from_file

PLUGINS: Final = ("exec", "auth-provider")
"""The ways in which a user's credentials come from elsewhere."""
IMPERSONATION: Final = ("as", "as-uid", "as-groups", "as-user-extra")
"""By which a user acts as another one with other rights: not done here, and never passed over in silence."""
MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError)
"""What reading stumbles over in a kubeconfig that is no kubeconfig."""
TOKEN_FILE_PERIOD = 60.0
"""Seconds after which a token file is read again."""


class KubeconfigError(ValueError):
    """A kubeconfig that cannot be used; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A cluster or a user, and the folder from which its relative paths go."""

    values: Mapping[str, Any]
    base: Path

    def path(self, field: str) -> Path | None:
        """The file that a field names."""
        named = self.values.get(field)
        return self.base / str(named) if named else None

    def file(self, field: str) -> str | None:
        """The path of a file, or of what stands in the kubeconfig itself; the latter comes first."""
        data = self.values.get(f"{field}-data")
        if data:
            return _in_memory(base64.b64decode(data))
        path = self.path(field)
        if path is not None and not path.is_file():
            raise KubeconfigError(f"there is no file {path}")
        return None if path is None else str(path)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A context with what it names; ``user`` is empty where nobody is named."""

    context: str
    cluster: _Entry
    user: _Entry

    @property
    def by_plugin(self) -> bool:
        """Whether a plugin has to be asked for the credentials."""
        return any(field in self.user.values for field in PLUGINS)

    def configuration(self) -> Configuration:
        """The server, and as whom to ask it.

        Raises:
            KubeconfigError, OSError: a file is not there or cannot be read.
        """
        cluster, user = self.cluster.values, self.user
        host = _url(cluster, "server")
        if not host:
            raise KubeconfigError(f"the cluster of the context {self.context} has no server")
        tls = host.startswith("https")
        return Configuration(
            host=host,
            ssl_ca_cert=self.cluster.file("certificate-authority") if tls else None,
            cert_file=user.file("client-certificate") if tls else None,
            key_file=user.file("client-key") if tls else None,
            verify_ssl=not _truth(cluster, "insecure-skip-tls-verify"),
            tls_server_name=cluster.get("tls-server-name"),
            proxy=_url(cluster, "proxy-url") or None,
            authorization=_authorization(user),
        )


def choose(paths: Sequence[Path], context: str | None) -> Chosen:
    """The context of that name, or the current one. What the first of the files says holds, as for kubectl.

    Raises:
        KubeconfigError: there is no such context, or it names what is not there.
        OSError, yaml.YAMLError: a file cannot be read.
    """
    current, entries = "", dict[tuple[str, str], _Entry]()
    for path in paths:
        document = yaml.safe_load(path.read_bytes())
        if not isinstance(document, dict):
            raise KubeconfigError(f"{path} is no kubeconfig")
        current = current or str(document.get("current-context") or "")
        for kind in ("context", "cluster", "user"):
            for entry in document.get(f"{kind}s") or ():
                entries.setdefault((kind, entry["name"]), _Entry(entry.get(kind) or {}, path.parent))
    name = context or current
    if not name:
        raise KubeconfigError("it has no current-context, and none was named")
    named = _found(entries, "context", name).values
    user = named.get("user")
    return Chosen(
        name,
        _found(entries, "cluster", named.get("cluster")),
        entries.get(("user", user), _Entry({}, Path())) if user else _Entry({}, Path()),
    )


def _found(entries: Mapping[tuple[str, str], _Entry], kind: str, name: Any) -> _Entry:
    entry = entries.get((kind, name))
    if entry is None:
        raise KubeconfigError(f"there is no {kind} called {name}")
    return entry


def _url(values: Mapping[str, Any], field: str) -> str:
    url = str(values.get(field) or "").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise KubeconfigError(f"{field} {url} is no URL with http:// or https://")
    return url


def _truth(values: Mapping[str, Any], field: str) -> bool:
    """A field that is true or false; anything else, such as the text "false", is a mistake."""
    value = values.get(field)
    if value is not None and not isinstance(value, bool):
        raise KubeconfigError(f"{field} is {value!r}; write true or false")
    return bool(value)


def _authorization(user: _Entry) -> Authorization | None:
    values = user.values
    others = [field for field in IMPERSONATION if values.get(field)]
    if others:
        raise KubeconfigError(f"a user with {', '.join(others)} is not supported; name the very user instead")
    file = user.path("tokenFile")
    if file is not None:  # the file is renewed, and so goes before what is written beside it
        return from_file(file, TOKEN_FILE_PERIOD)
    if values.get("token"):
        return always(f"Bearer {values['token']}")
    if "username" in values and "password" in values:
        pair = f"{values['username']}:{values['password']}"
        return always(f"Basic {base64.b64encode(pair.encode()).decode()}")
    return None


@lru_cache(maxsize=64)
def _in_memory(content: bytes) -> str:
    """A path by which this process can read these bytes.

    TLS takes certificates and keys from files only. This one is on no disk, and gone with the process.
    """
    descriptor = os.memfd_create("kubeconfig")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    return f"/proc/self/fd/{descriptor}"
