# SPDX-License-Identifier: Apache-2.0
"""Which cluster, and as whom: one look-up, shared by our own client and by kopf's login."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml

from eservice_operator.cluster.configuration import Configuration, from_file
from eservice_operator.cluster.kubeconfig import MALFORMED, TOKEN_FILE_PERIOD, choose

HOST = "KUBERNETES_SERVICE_HOST"
PORT = "KUBERNETES_SERVICE_PORT"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts ``ca.crt``, and ``token``, which it replaces before it expires."""


class CredentialsError(Exception):
    """No cluster to talk to; the message says what to give."""


async def load(kubeconfig: str | None, context: str | None) -> Configuration:
    """The client's configuration: from ``kubeconfig``, else ``KUBECONFIG``, else the Pod's service account.

    Tokens that change (of the Pod, of an exec plugin, of a ``tokenFile``) are renewed while it is in use. The
    kubeconfig is never written to, and the user's default one is taken only when it is named: an operator
    that finds a cluster by chance may be in the wrong one.

    Raises:
        CredentialsError: nothing is given, or what is given cannot be used.
    """
    paths = kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        if paths:
            configuration = await _from_kubeconfig(_present(paths), context)
        elif os.environ.get(HOST):
            configuration = _of_pod()
        else:
            raise CredentialsError(
                "no cluster given: pass --kubeconfig FILE, set KUBECONFIG, or run in a Pod"
            )
    except (OSError, yaml.YAMLError, *MALFORMED) as error:
        raise CredentialsError(f"cannot use {paths or 'the service account of this Pod'}: {error}") from error
    if configuration.proxy is None:
        configuration.proxy = _proxy(configuration.host)
    return configuration


def _proxy(host: str) -> str | None:
    """The proxy that the environment (``HTTPS_PROXY``, ``NO_PROXY``, …) names for the API server."""
    server, proxies = urlsplit(host), getproxies()
    if not server.hostname or proxy_bypass(server.hostname):
        return None
    if _in_a_range(server.hostname, proxies.get("no", "")):
        return None
    return proxies.get(server.scheme)


def _in_a_range(host: str, direct: str) -> bool:
    """Whether an address is in one of the ranges (``10.0.0.0/8``) of ``NO_PROXY``, which Python knows not."""
    try:
        address = ip_address(host)
    except ValueError:  # a name: that it is not looked up is as in kubectl
        return False
    for entry in direct.split(","):
        try:
            if "/" in entry and address in ip_network(entry.strip(), strict=False):
                return True
        except ValueError:  # neither an address nor a range
            continue
    return False


def _present(paths: str) -> list[Path]:
    named = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    found = [path for path in named if path.is_file()]
    if not found:
        raise CredentialsError(f"no such kubeconfig: {', '.join(map(str, named))}")
    return found


async def _from_kubeconfig(paths: list[Path], context: str | None) -> Configuration:
    chosen = choose(paths, context)
    if not chosen.by_plugin:
        return chosen.configuration()
    from eservice_operator.cluster.plugins import from_plugin  # noqa: PLC0415 - the client's models are large

    configuration: Configuration = await from_plugin(os.pathsep.join(map(str, paths)), chosen.context)
    return configuration


def _of_pod() -> Configuration:
    """The service account of the Pod, with the API server that its environment names."""
    host, port = os.environ[HOST], os.environ.get(PORT) or "443"
    trust = SERVICE_ACCOUNT / "ca.crt"
    if not trust.read_bytes().strip():
        raise OSError(f"{trust} is empty")
    return Configuration(
        host=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ssl_ca_cert=str(trust),
        authorization=from_file(SERVICE_ACCOUNT / "token", TOKEN_FILE_PERIOD),
    )
