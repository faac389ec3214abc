# SPDX-License-Identifier: Apache-2.0
"""Which cluster, and as whom: one look-up, shared by our own client and by kopf's login."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
TOKEN_FILE_PERIOD = 60.0
"""Seconds after which a token file named by a kubeconfig is read again."""

MALFORMED = (ValueError, TypeError, LookupError, AttributeError)
"""What the library stumbles over in a kubeconfig that is no kubeconfig."""


class CredentialsError(Exception):
    """No cluster to talk to; the message says what to give."""


async def load(kubeconfig: str | None, context: str | None) -> Configuration:
    """The client's configuration: from ``kubeconfig``, else ``KUBECONFIG``, else the Pod's service account.

    Tokens that change (of the Pod, of an exec plugin, of a ``tokenFile``) are renewed while it is in use,
    through its ``refresh_api_key_hook``. The kubeconfig is never written to, and the user's default one is
    taken only when it is named: an operator that finds a cluster by chance may be in the wrong one.

    Raises:
        CredentialsError: nothing is given, or what is given cannot be used.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = 0  # a watch per kind and namespace; the queue bounds the rest
    paths = kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        if paths:
            await _from_kubeconfig(configuration, _present(paths), context)
        elif os.environ.get(IN_CLUSTER):
            load_incluster_config(client_configuration=configuration)
        else:
            raise CredentialsError(
                "no cluster given: pass --kubeconfig FILE, set KUBECONFIG, or run in a Pod"
            )
    except (ConfigException, OSError, yaml.YAMLError, *MALFORMED) as error:
        raise CredentialsError(f"cannot use {paths or 'the service account of this Pod'}: {error}") from error
    if configuration.proxy is None:
        configuration.proxy = _proxy(configuration.host)
    return configuration


def _proxy(host: str) -> str | None:
    """The proxy that the environment (``HTTPS_PROXY``, ``NO_PROXY``, …) names for the API server."""
    server = urlsplit(host)
    if not server.hostname or proxy_bypass(server.hostname):
        return None
    return getproxies().get(server.scheme)


def _present(paths: str) -> str:
    named = [Path(path).expanduser() for path in paths.split(os.pathsep) if path]
    found = [str(path) for path in named if path.is_file()]
    if not found:
        raise CredentialsError(f"no such kubeconfig: {', '.join(map(str, named))}")
    return os.pathsep.join(found)


async def _from_kubeconfig(configuration: Configuration, paths: str, context: str | None) -> None:
    loader = await load_kube_config(
        config_file=paths,
        context=context or None,
        client_configuration=configuration,
        persist_config=False,
    )
    user: Any = loader._user  # noqa: SLF001 - the library keeps no other handle on how it authenticated
    if user is None:
        return
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        raise CredentialsError(f"the exec plugin {user['exec']['command']} of {paths} gave no credentials")
    if hasattr(loader, "exec_plugin_expiry"):
        configuration.refresh_api_key_hook = _renewal(loader, loader.load_from_exec_plugin, period=0.0)
    elif "exec" not in user and "token" not in user and "tokenFile" in user:

        async def read_again() -> None:
            await asyncio.to_thread(loader._load_user_token)  # noqa: SLF001 - as above

        configuration.refresh_api_key_hook = _renewal(loader, read_again, period=TOKEN_FILE_PERIOD)


def _renewal(
    loader: Any, renew: Callable[[], Awaitable[object]], *, period: float
) -> Callable[[Configuration], Awaitable[None]]:
    """A hook for before each request: renews at most every ``period`` seconds, one request at a time.

    The exec plugin's own expiry decides when it really runs again.
    """
    lock = asyncio.Lock()
    renewed = time.monotonic()

    async def hook(configuration: Configuration) -> None:
        nonlocal renewed
        async with lock:
            if time.monotonic() - renewed < period:
                return
            await renew()
            renewed = time.monotonic()
            configuration.api_key["BearerToken"] = loader.token

    return hook
