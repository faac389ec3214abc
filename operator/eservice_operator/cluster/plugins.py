# SPDX-License-Identifier: Apache-2.0
"""Credentials that a plugin of a kubeconfig gives, by the Kubernetes client. Imported only where one does."""

from __future__ import annotations

import asyncio
from typing import Any

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_kube_config

from eservice_operator.cluster.kubeconfig import MALFORMED, KubeconfigError


async def from_plugin(paths: str, context: str) -> Configuration:
    """The configuration of a context whose user is known by a plugin; ``paths`` as in ``KUBECONFIG``.

    The plugin is asked again through ``refresh_api_key_hook`` when what it gave has expired. The kubeconfig
    is never written to.

    Raises:
        KubeconfigError: the plugin gave nothing, or the library cannot read what stands there.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = 0  # as in ours
    try:
        loader = await load_kube_config(
            config_file=paths, context=context, client_configuration=configuration, persist_config=False
        )
    except (ConfigException, *MALFORMED) as error:
        raise KubeconfigError(str(error)) from error
    user: Any = loader._user  # noqa: SLF001 - the library keeps no other handle on how it authenticated
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        raise KubeconfigError(f"the exec plugin {user['exec']['command']} of {paths} gave no credentials")
    if hasattr(loader, "exec_plugin_expiry"):
        lock = asyncio.Lock()

        async def renew(of: Configuration) -> None:
            async with lock:  # the library looks at the expiry, and runs the plugin when it is near
                await loader.load_from_exec_plugin()
            of.api_key["BearerToken"] = loader.token

        configuration.refresh_api_key_hook = renew
    return configuration
