# SPDX-License-Identifier: Apache-2.0
"""A court for one oracle: to it a cluster is told version by version, and it says what was broken."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from eservice_operator.api.names import STATUS_MANAGER
from eservice_operator.core.actions import Manifest
from tests.support.audit import OPERATOR, Request
from tests.support.objects import OWNER_UID
from tests.support.oracles.seen import Cluster, Judge, Seen, place_of
from tests.support.worlds import merged

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = 60.0
"""Seconds: more than any oracle is patient."""


class Court:
    """One judge, and a cluster that is told to it version by version."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.cluster = Cluster()
        self._versions = count(1)

    def tell(self, *objects: Manifest, by: str = "kubectl", first: bool = False) -> list[str]:
        """New versions, each with one more write by that manager; what the judge says of them."""
        said: list[str] = []
        for obj in objects:
            before = self.cluster.present.get(place_of(obj))
            told = self._version(obj, before, by)
            self.cluster.present[place_of(told)] = told
            said += self.judge.take(Seen(told, before, first=first, at=self.cluster.now), self.cluster)
        return said

    def _version(self, obj: Manifest, before: Manifest | None, by: str) -> Manifest:
        told = copy.deepcopy(obj)
        number = next(self._versions)
        told["metadata"].setdefault("uid", OWNER_UID if obj["kind"] == "EService" else f"uid-{number}")
        told["metadata"]["resourceVersion"] = str(number)
        known = [] if before is None else before["metadata"]["managedFields"]
        entry: Manifest = {"manager": by, "operation": "Apply", "time": f"t{number}"}
        written = [field for field in obj if field in {"spec", "status", "data"}]
        entry["fieldsV1"] = {f"f:{field}": {} for field in written}
        entry |= {"subresource": "status", "fieldsV1": {"f:status": {}}} if by == STATUS_MANAGER else {}
        told["metadata"]["managedFields"] = [*known, entry]
        return told

    def end(self, obj: Manifest) -> list[str]:
        """It is gone."""
        last = self.cluster.present.pop(place_of(obj))
        last = merged(last, {"metadata": {"resourceVersion": str(next(self._versions))}})
        return list(self.judge.take(Seen(dict(last), last, gone=True, at=self.cluster.now), self.cluster))

    def asked(
        self,
        verb: str,
        resource: str,
        name: str,
        subresource: str = "",
        namespace: str = "default",
        code: int = 200,
    ) -> list[str]:
        request = Request(
            OPERATOR,
            "",
            verb,
            "",
            resource,
            subresource,
            namespace,
            name,
            code,
            str(self.cluster.now),
            forbidden=False,
        )
        return list(self.judge.asked(request, self.cluster))

    def later(self, seconds: float = LONG, *, served: bool = True) -> list[str]:
        """So long nothing happens; an operator was there or not."""
        said = list(self.judge.tick(self.cluster, rest=False))
        self.cluster.now += seconds
        self.cluster.served += seconds if served else 0
        return said + list(self.judge.tick(self.cluster, rest=False))


def own(kind: str = "EService", name: str = "address", **content: Any) -> Manifest:
    metadata = {"name": name, "namespace": "default", "generation": 1}
    return {"apiVersion": "eservice.dev/v1alpha1", "kind": kind, "metadata": metadata, **content}


def said(found: Iterable[str], words: str) -> None:
    told = list(found)
    assert any(words in one for one in told), told
