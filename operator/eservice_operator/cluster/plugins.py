# SPDX-License-Identifier: Apache-2.0
"""Credentials that a plugin of a kubeconfig gives, by the Kubernetes client. Imported only where one does."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_kube_config

from eservice_operator.cluster.kubeconfig import MALFORMED, KubeconfigError

TASK: Final = "exec plugin"
PATIENCE = 30.0
"""Seconds for a plugin, which may ask a server of its own."""


async def from_plugin(paths: str, context: str) -> Configuration:
    """The configuration of a context whose user is known by a plugin; ``paths`` as in ``KUBECONFIG``.

    The plugin is asked again through ``refresh_api_key_hook`` when what it gave has expired. The kubeconfig
    is never written to. A plugin that does not answer keeps nobody for longer than `PATIENCE`, and is not
    started once more while it runs.

    Raises:
        KubeconfigError: the plugin gave nothing, or the library cannot read what stands there.
        TimeoutError: the plugin does not answer.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = 0  # as in ours
    try:
        loading = load_kube_config(
            config_file=paths, context=context, client_configuration=configuration, persist_config=False
        )
        loader = await _answer(asyncio.create_task(loading, name=TASK))
    except (ConfigException, *MALFORMED) as error:
        raise KubeconfigError(str(error)) from error
    user: Any = loader._user  # noqa: SLF001 - the library keeps no other handle on how it authenticated
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        raise KubeconfigError(f"the exec plugin {user['exec']['command']} of {paths} gave no credentials")
    if hasattr(loader, "exec_plugin_expiry"):
        asking: asyncio.Task[Any] | None = None

        async def renew(of: Configuration) -> None:
            nonlocal asking
            if asking is None or asking.done():  # the library runs the plugin when the expiry is near
                asking = asyncio.create_task(loader.load_from_exec_plugin(), name=TASK)
            await _answer(asking)
            of.api_key["BearerToken"] = loader.token

        configuration.refresh_api_key_hook = renew
    return configuration


async def _answer(asking: asyncio.Task[Any]) -> Any:
    """What comes of asking a plugin, which goes on when nobody waits any more: its answer serves the next."""
    answered, _ = await asyncio.wait({asking}, timeout=PATIENCE)
    if not answered:
        raise TimeoutError(f"the exec plugin has not answered in {PATIENCE:g} s")
    return asking.result()
