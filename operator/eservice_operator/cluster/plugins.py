# SPDX-License-Identifier: Apache-2.0
"""Credentials that a plugin of a kubeconfig gives, by the Kubernetes client. Imported only where one does."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Final

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_kube_config

from eservice_operator.cluster.kubeconfig import MALFORMED, KubeconfigError

TASK: Final = "exec plugin"
PATIENCE = 30.0
"""Seconds for a plugin, which may ask a server of its own."""
RETRY: Final = 10.0
"""Seconds between two questions whether a token has to be renewed, while there is one that is good."""

_running: Final[dict[tuple[str, str], asyncio.Task[Configuration]]] = {}
"""The configurations for which a plugin is being asked, by kubeconfigs and context."""


async def from_plugin(paths: str, context: str) -> Configuration:
    """The configuration of a context whose user is known by a plugin; ``paths`` as in ``KUBECONFIG``.

    The plugin is asked again through ``refresh_api_key_hook`` minutes before what it gave expires; nobody
    waits for it until then. The kubeconfig is never written to. A plugin that does not answer keeps nobody
    for longer than `PATIENCE`, and is not started once more for the same while it runs.

    Raises:
        KubeconfigError: the plugin gave nothing, or the library cannot read what stands there.
        TimeoutError: the plugin does not answer.
    """
    asked = (paths, context)
    if asked not in _running:

        def forget(ended: asyncio.Task[Configuration]) -> None:
            del _running[asked]
            if not ended.cancelled():
                ended.exception()  # also where nobody waits any more

        _running[asked] = asyncio.create_task(_load(paths, context), name=TASK)
        _running[asked].add_done_callback(forget)
    configuration: Configuration = await _answer(_running[asked])
    return configuration


async def _load(paths: str, context: str) -> Configuration:
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
        configuration.refresh_api_key_hook = _Renewal(loader)
    return configuration


class _Renewal:
    """Renews the token of a configuration beside the requests, which wait only once it has expired."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._asking: asyncio.Task[Any] | None = None
        self._asked_at = -math.inf

    async def __call__(self, of: Configuration) -> None:
        # by the clock of this machine, as the library goes by it, too
        spent = time.time() >= self._loader.exec_plugin_expiry.timestamp()  # noqa: TID251
        if spent or time.monotonic() - self._asked_at >= RETRY:
            asking = self._ask()
            if spent:
                await _answer(asking)
        of.api_key["BearerToken"] = self._loader.token

    def _ask(self) -> asyncio.Task[Any]:
        """The library runs the plugin when less than five minutes are left, and only then."""
        if self._asking is None or self._asking.done():
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._loader.load_from_exec_plugin(), name=TASK)
        return self._asking


async def _answer(asking: asyncio.Task[Any]) -> Any:
    """What comes of asking a plugin, which goes on when nobody waits any more: its answer serves the next."""
    answered, _ = await asyncio.wait({asking}, timeout=PATIENCE)
    if not answered:
        raise TimeoutError(f"the exec plugin has not answered in {PATIENCE:g} s")
    return asking.result()
