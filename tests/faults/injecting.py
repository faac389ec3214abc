# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with requests, and which of them it hits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.fault_proxy import Fault, Seen

WRITING = {"POST", "PUT", "PATCH", "DELETE"}
OFTEN = 1_000_000
PATH = re.compile(
    r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+))?/(?P<resource>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?$"
)
Hit = Callable[[Seen], bool]


def parts(seen: Seen) -> dict[str, str]:
    """Namespace, resource, name and subresource of what a request is about; empty where there is none."""
    found = PATH.match(seen.path)
    return {key: value or "" for key, value in found.groupdict().items()} if found else {}


def kind_of(seen: Seen) -> str:
    """The method and what it is used on: ``PATCH eservices/status``."""
    about = parts(seen)
    resource = "/".join(filter(None, (about.get("resource"), about.get("subresource"))))
    return f"{seen.method} {resource}"


def writes(seen: Seen) -> bool:
    """Whether it would change something that counts; Events are told at best once."""
    return seen.method in WRITING and parts(seen).get("resource") != "events"


@dataclass
class Injected:
    """A fault and a name for it; ``hits`` are the kinds of requests that met it, with repetitions."""

    name: str
    fault: Fault
    kinds: list[str] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return len(self.kinds)


def injected(name: str, chosen: Hit, **what: Any) -> Injected:
    """The fault for each request that is ``chosen``."""
    made = Injected(name, Fault(lambda _: False, times=OFTEN, **what))

    def match(seen: Seen) -> bool:
        hit = chosen(seen)
        if hit:
            made.kinds.append(kind_of(seen))
        return hit

    made.fault.match = match
    return made


def first_of_each_kind(wanted: Hit = writes, nth: int = 1) -> Hit:
    """The ``nth`` request of each kind."""
    counted: dict[str, int] = {}

    def chosen(seen: Seen) -> bool:
        if not wanted(seen):
            return False
        kind = kind_of(seen)
        counted[kind] = counted.get(kind, 0) + 1
        return counted[kind] == nth

    return chosen


def every(count: int, wanted: Hit = writes, begin: int = 1) -> Hit:
    """One request of ``count``."""
    seen_so_far = 0

    def chosen(seen: Seen) -> bool:
        nonlocal seen_so_far
        if not wanted(seen):
            return False
        seen_so_far += 1
        return seen_so_far % count == begin % count

    return chosen


def status(code: int, reason: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """An answer as the API server gives it when it refuses."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    message = "by the test"
    return code, {key.replace("_", "-"): value for key, value in headers.items()}, json.dumps(
        body | {"message": message}
    )
