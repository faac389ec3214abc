# SPDX-License-Identifier: Apache-2.0
"""Objects on a shelf, answered as kubectl would: for what a command asks for, and what it makes of that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from click.testing import CliRunner, Result
from typing_extensions import override

from eservice_operator.cli.kubectl import Kubectl, Listing, Query, Refusal
from eservice_operator.cli.program import program
from eservice_operator.cli.session import Session
from eservice_operator.cluster.resources import RESOURCES

PLURALS = {resource.plural: resource for resource in RESOURCES.values()}


class Shelf(Kubectl):
    """Answers `get` from these objects; ``refused`` are plurals, or ``plural namespace``, not to be read."""

    def __init__(self, *objects: Mapping[str, Any], refused: Collection[str] = ()) -> None:
        super().__init__()
        self._objects = objects
        self._refused = refused
        self.asked: list[Query] = []

    @override
    def ask(self, *queries: Query) -> Callable[[], list[Listing]]:
        self.asked += queries
        return lambda: [self._listing(query) for query in queries]

    def _listing(self, query: Query) -> Listing:
        items: list[dict[str, Any]] = []
        refused = []
        for name in query.resources:
            plural = name.partition(".")[0]
            if {plural, f"{plural} {query.namespace}"} & set(self._refused):
                said = f'Error from server (Forbidden): {name} is forbidden: User "x" cannot list resource'
                refused.append(Refusal(name, query.namespace or "", said))
            else:
                items += self._of(plural, query)
        missing = query.name and not items and not refused
        return Listing(tuple(items), tuple(refused), f"{query.name} not found" if missing else "")

    def _of(self, plural: str, query: Query) -> Iterable[dict[str, Any]]:
        resource = PLURALS[plural]
        for body in self._objects:
            metadata = body["metadata"]
            here = not resource.namespaced or query.namespace in {"", metadata.get("namespace")}
            if body["kind"] == resource.kind and here and query.name in {"", metadata["name"]}:
                yield dict(body)


def typed(shelf: Shelf, *arguments: str, width: int = 160) -> Result:
    """``kubectl eservice ARGUMENTS`` at a terminal of that width."""
    session = Session(width=width)
    session.__dict__["kubectl"] = shelf
    return CliRunner().invoke(program, arguments, obj=session)
