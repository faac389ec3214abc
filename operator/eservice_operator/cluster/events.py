# SPDX-License-Identifier: Apache-2.0
"""Kubernetes Events about objects: what ``kubectl describe`` shows of our decisions."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eservice_operator.api.names import MANAGER
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError, Conflict, NotFound
from eservice_operator.cluster.resources import EVENTS
from eservice_operator.core.actions import Manifest, Ref

logger = logging.getLogger(__name__)

SAME_WITHIN: Final = timedelta(minutes=10)
"""An identical event this soon after the last one is counted, not written again."""
REFRESH: Final = timedelta(minutes=1)
"""How often at most the count is written."""
REMEMBERED: Final = 4096
NOTE_LENGTH: Final = 1024
"""Bytes that the API accepts as a note."""


@dataclass(slots=True)
class _Series:
    """One event that keeps coming."""

    ref: Ref
    resource_version: str
    count: int
    last: datetime
    written: datetime


class EventSink:
    """Publishes Events in the name of this process, best effort: a failure is logged and counted.

    ``instance`` is the Pod's or host's name; ``now`` gives the aware time.
    """

    def __init__(self, api: KubeApi, *, instance: str, now: Callable[[], datetime]) -> None:
        self.failures = 0
        self._api = api
        self._instance = instance[:128]
        self._now = now
        self._series: dict[str, _Series] = {}

    async def publish(
        self,
        ref: Ref,
        uid: str,
        type: str,  # noqa: A002 - the field's name
        reason: str,
        note: str,
        action: str,
    ) -> None:
        """Say ``note`` about an object; ``type`` is Normal or Warning, ``action`` what was done or not."""
        now = self._now()
        said = {
            "regarding": _regarding(ref, uid),
            "type": type,
            "reason": reason,
            "note": note.encode()[:NOTE_LENGTH].decode(errors="ignore"),
            "action": action,
        }
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
        try:
            if not await self._counted(digest, now):
                answer = await self._api.create(self._event(ref, said, now, digest))
                self._remember(digest, answer, now)
        except ApiError as error:
            self.failures += 1
            logger.warning("event %s about %s was not written: %s", reason, ref, error)

    async def _counted(self, digest: str, now: datetime) -> bool:
        """Whether it was said recently; then it is counted, and the count written now and then."""
        series = self._series.get(digest)
        if series is None or now - series.last > SAME_WITHIN:
            return False
        series.count += 1
        series.last = now
        if now - series.written < REFRESH:
            return True
        value = {"count": series.count, "lastObservedTime": _micro(now)}
        ops: list[Manifest] = [
            {"op": "add", "path": "/series", "value": value},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": series.resource_version},
        ]
        try:
            answer = await self._api.json_patch(series.ref, ops)
        except (NotFound, Conflict):  # the API server keeps events for an hour; somebody has edited this one
            del self._series[digest]
            return False
        series.resource_version = answer["metadata"]["resourceVersion"]
        series.written = now
        return True

    def _remember(self, digest: str, event: Manifest, now: datetime) -> None:
        metadata = event["metadata"]
        ref = Ref(EVENTS.api_version, EVENTS.kind, metadata["namespace"], metadata["name"])
        self._series.pop(digest, None)
        self._series[digest] = _Series(ref, metadata["resourceVersion"], 1, now, now)
        if len(self._series) > REMEMBERED:
            del self._series[next(iter(self._series))]

    def _event(self, ref: Ref, said: Manifest, now: datetime, digest: str) -> Manifest:
        name = f"{ref.name[:200]}.{digest}.{int(now.timestamp()):x}"
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": ref.namespace or "default"},
            "eventTime": _micro(now),
            "reportingController": MANAGER,
            "reportingInstance": self._instance,
            **said,
        }


def _regarding(ref: Ref, uid: str) -> Manifest:
    regarding = {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name, "uid": uid}
    return regarding | ({"namespace": ref.namespace} if ref.namespace else {})


def _micro(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
