# SPDX-License-Identifier: Apache-2.0
"""What was asked of the API server, by whom and with what answer: read from its audit log.

The log is written before an answer goes out, so whatever somebody has seen answered is in it.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

OWNERS_REFUSED = "cannot set "
"""So OwnerReferencesPermissionEnforcement says no; it wants rights on more than the object of a request."""
PAGED = re.compile(r"[?&](?:limit=[1-9]|continue=[^&])")
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
OPERATOR = "system:serviceaccount:eservice-system:eservice-operator"
"""Under this name the operator authenticates itself: that of the ServiceAccount of docs/manifests."""


class Request(NamedTuple):
    """One request that was answered; ``resource`` is the plural, ``group`` empty for the core group."""

    user: str
    agent: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    at: str
    """When it arrived."""
    forbidden: bool
    """Whether it was refused for want of a right."""
    paged: bool = False
    """Whether it asked for no more than so many, or for what comes after those."""
    answered: str = ""
    """When it was answered, or a watch begun."""

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def succeeded(self) -> bool:
        return self.code < 300

    @property
    def what(self) -> str:
        """``verb resource[/subresource]``, for counting."""
        return f"{self.verb} {self.resource}{f'/{self.subresource}' if self.subresource else ''}"

    @property
    def target(self) -> tuple[str, str, str]:
        """Resource, namespace and name."""
        return self.resource, self.namespace, self.name


LONGEST_LINE = 1_000_000
"""Bytes: more than one event is written with."""


@dataclass
class AuditLog:
    """The requests of one log file from where it was opened on; ``read`` brings what came since."""

    path: Path
    requests: list[Request] = field(default_factory=list)
    _offset: int = 0
    _rest: bytes = b""

    @classmethod
    def from_now(cls, path: Path) -> AuditLog:
        """Only what is written down from now on, with the line that is just being written."""
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            begin = max(0, size - LONGEST_LINE)
            log.seek(begin)
            return cls(path, _offset=begin + log.read(size - begin).rfind(b"\n") + 1)

    def read(self) -> list[Request]:
        """Everything since the log was opened, the newest last."""
        with self.path.open("rb") as log:
            log.seek(self._offset)
            fresh = log.read()
        self._offset += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        self.requests += [request for line in lines if (request := request_of(json.loads(line))) is not None]
        return self.requests

    def skip(self) -> None:
        """Forget what was asked up to now."""
        self.read()
        self.requests = []

    def by(self, user: str = OPERATOR) -> list[Request]:
        """What one user asked."""
        return [request for request in self.read() if request.user == user]

    def writes(self, user: str = OPERATOR) -> list[Request]:
        """What one user wrote, refused attempts included."""
        return [request for request in self.by(user) if request.writes]


def request_of(event: dict[str, Any]) -> Request | None:
    """What one event says; None for one that says nothing more.

    A watch is told of when it begins, everything else when it is answered.
    """
    watch = event["verb"] == "watch"
    if event["stage"] != ("ResponseStarted" if watch else "ResponseComplete"):
        return None
    target = event.get("objectRef") or {}
    status = event.get("responseStatus") or {}
    return Request(
        user=event["user"].get("username", ""),
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace="" if target.get("resource") == "namespaces" else target.get("namespace", ""),
        name=target.get("name", ""),
        code=status.get("code", 0),
        at=event["requestReceivedTimestamp"],
        forbidden=(event.get("annotations") or {}).get("authorization.k8s.io/decision") == "forbid"
        or OWNERS_REFUSED in status.get("message", ""),
        paged=PAGED.search(event["requestURI"]) is not None,
        answered=event["stageTimestamp"],
    )


def counted(requests: Iterable[Request]) -> dict[str, int]:
    """How often each verb was used on each resource, the most frequent first."""
    return dict(Counter(request.what for request in requests).most_common())
