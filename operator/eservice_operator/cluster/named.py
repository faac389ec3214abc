# SPDX-License-Identifier: Apache-2.0
"""Deletes objects of kinds that are never kept, such as Secrets: what they hold passes through no store."""

from __future__ import annotations

import logging
from contextlib import suppress

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import Forbidden, NotFound
from eservice_operator.cluster.ownership import is_owned
from eservice_operator.core.actions import DeleteNamed

log = logging.getLogger(__name__)


async def delete_named(api: KubeApi, action: DeleteNamed) -> None:
    """Delete the object in the version that was read, if it is the owner's; another's is left alone.

    Whoever holds it by a finalizer keeps what they have read anyway, and nothing else waits for that.

    Raises:
        ApiError: the API server refuses.
    """
    try:
        live = await api.get(action.ref)
    except Forbidden as error:
        # what was made under rights of before goes with the object that it belongs to
        log.warning("%s is not looked at: %s", action.ref, error.message)
        return
    if live is None or not is_owned(live, action.owner_uid):
        return
    metadata = live["metadata"]
    if "deletionTimestamp" not in metadata:
        with suppress(NotFound):
            version = metadata["resourceVersion"]
            await api.delete(action.ref, uid=metadata["uid"], resource_version=version)
