# SPDX-License-Identifier: Apache-2.0
"""A request to the API server as it arrived, and what its path says in the API's own terms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OF_A_NAMESPACE = frozenset({"status", "finalize"})
"""What may follow a namespace's name and is part of the Namespace, not a resource in it."""


class Target(NamedTuple):
    """What a request is about; all empty for a path that names no resource, such as ``/apis``."""

    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class Seen:
    """A request that arrived; header names are as the client spelt them."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def watch(self) -> bool:
        return "watch" in self.query

    @property
    def address(self) -> str:
        """Path and query, decoded, in the client's order."""
        query = "&".join(f"{key}={value}" for key, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path

    @property
    def agent(self) -> str:
        """The actor: who the client says it is."""
        return self.headers.get("User-Agent", "")

    @property
    def writes(self) -> bool:
        return self.method in VERBS

    @property
    def verb(self) -> str:
        """As the audit log calls it; for a path that names no resource the method in lower case."""
        if not self.target.resource:
            return self.method.lower()
        if self.method == "GET":
            return "watch" if self.watch else "get" if self.target.name else "list"
        verb = VERBS.get(self.method, self.method.lower())
        return "deletecollection" if verb == "delete" and not self.target.name else verb

    @property
    def what(self) -> str:
        """``verb resource[/subresource]``, for counting and for people; the path where none is named."""
        about = self.target
        parts = (about.resource or self.path, about.subresource)
        return f"{self.verb} {'/'.join(filter(None, parts))}"

    @property
    def resource(self) -> str:
        """The plural."""
        return self.target.resource

    @property
    def subresource(self) -> str:
        return self.target.subresource

    @property
    def namespace(self) -> str:
        return self.target.namespace

    @property
    def name(self) -> str:
        """Also of what is created: that stands in the body."""
        return self.target.name

    @property
    def listed(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What tells the answers to two lists apart: the path, the form of the answer, the query."""
        return self.path, self.headers.get("Accept", ""), tuple(sorted(self.query.items()))

    @cached_property
    def content(self) -> Any:
        """The body; None when there is none, or it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def target(self) -> Target:
        found = target_of(self.path)
        if found.resource and not found.name and self.method == "POST" and isinstance(self.content, dict):
            metadata = self.content.get("metadata") or {}
            return found._replace(name=metadata.get("name") or metadata.get("generateName", ""))
        return found


def target_of(path: str) -> Target:
    """What a path names: ``/api/v1/…`` is the core group, ``/apis/GROUP/VERSION/…`` any other."""
    match path.strip("/").split("/"):
        case ["api", _, *rest]:
            return _target("", rest)
        case ["apis", group, _, *rest]:
            return _target(group, rest)
        case _:
            return Target()


def _target(group: str, rest: Sequence[str]) -> Target:
    match rest:
        case ["namespaces", namespace, resource, *more] if resource not in OF_A_NAMESPACE:
            return Target(group, resource, "/".join(more[1:]), namespace, more[0] if more else "")
        case [resource, *more]:
            return Target(group, resource, "/".join(more[1:]), "", more[0] if more else "")
        case _:
            return Target()
