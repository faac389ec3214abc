# SPDX-License-Identifier: Apache-2.0
"""Oracle: every version of every status that the operator wrote keeps the contract of statuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from eservice_operator.api.base import Status
from eservice_operator.api.names import API_VERSION, STATUS_MANAGER
from tests.support.oracles.seen import Cluster, Seen, Silent
from tests.support.status import assert_status_sound

UNSEEN = -1


@dataclass
class SoundStatuses(Silent):
    """Sound by itself, and against the version before it, where that was the operator's too."""

    _written: dict[str, int] = field(default_factory=dict)
    """Of each object by uid the resourceVersion in which the operator last wrote the status."""

    @override
    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        metadata, status = seen.obj["metadata"], seen.obj.get("status") or {}
        if seen.gone:
            self._written.pop(metadata["uid"], None)
        if seen.obj["apiVersion"] != API_VERSION or status.get("observedGeneration", UNSEEN) == UNSEEN:
            return
        if not any(entry["manager"] == STATUS_MANAGER for entry in seen.entries()):
            if seen.before is not None and seen.before.get("status") != status:
                self._written.pop(metadata["uid"], None)  # somebody else wrote it
            return
        before = self._before(seen)
        self._written[metadata["uid"]] = seen.version
        try:
            assert_status_sound(seen.obj, before=before)
        except AssertionError as error:
            yield f"a status: {error}"
        if before is not None and status["observedGeneration"] < before.observed_generation:
            yield f"a status: {seen.place}: of an earlier generation than the one before"

    def _before(self, seen: Seen) -> Status | None:
        """The status that this one replaced, if that was the operator's whole word."""
        if seen.before is None or seen.obj["metadata"]["uid"] not in self._written:
            return None
        status = seen.before.get("status") or {}
        return None if status.get("observedGeneration", UNSEEN) == UNSEEN else Status.model_validate(status)
