# SPDX-License-Identifier: Apache-2.0
"""Who came first to a namespace, and which number is the highest (R1).

Institutions have hundreds of e-services in one namespace, and each has a registration and a number. Neither a
look at one registration nor the question whom a change of it concerns goes through all: this is kept up with
the store.
"""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.base import Environment
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster.ranking import Ranking, rank_of
from eservice_operator.cluster.standings import placed_by
from eservice_operator.cluster.store import Change, Store, version_of
from eservice_operator.core.actions import Manifest

REGISTRATION, IDENTIFIER = EServiceRegistration.__name__, EServiceIdentifier.__name__


class FirstCome:
    """Follows the registrations of a store; made by `Store.beside`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ranking: Ranking[tuple[str, str]] = Ranking()
        """By environment and namespace."""
        self._read: dict[str, tuple[int, bool]] = {}
        """Whether those that came first can be read, by name, as of a version."""
        for body in store.all(REGISTRATION):
            self._rank(None, body)
        store.follow(REGISTRATION, self._follow)

    def of(self, namespace: str) -> Iterator[Iterator[str]]:
        """The registrations that name a namespace, for each environment the oldest first."""
        for environment in Environment:
            yield (name for _, name in self._ranking.of((environment.value, namespace)))

    def leads(self, body: Manifest) -> Iterator[str]:
        """The namespaces that nobody who can be read named before, for the same environment."""
        rank = rank_of(body)
        for place in set(placed_by(body)):
            first = next((one for one in self._ranking.of(place) if self._is_readable(one[1])), rank)
            if rank <= first:
                yield place[1]

    def _is_readable(self, name: str) -> bool:
        body = self._store.get(REGISTRATION, "", name)
        if body is None:
            return False
        version, known = version_of(body), self._read.get(name)
        if known is None or known[0] != version:
            known = self._read[name] = version, not isinstance(parse(REGISTRATION, body), InvalidObject)
        return known[1]

    def _follow(self, change: Change) -> None:
        if change.after is None:
            self._read.pop(change.key.name, None)
        self._rank(change.before, change.after)

    def _rank(self, before: Manifest | None, after: Manifest | None) -> None:
        """Where it stands by now; most changes are of a status, which says nothing of that."""
        was, now = (
            set() if body is None else {(place, rank_of(body)) for place in placed_by(body)}
            for body in (before, after)
        )
        for place, rank in was - now:
            self._ranking.drop(place, rank)
        for place, rank in now - was:
            self._ranking.put(place, rank)


class Numbers:
    """Follows the identifiers of a store, which bear their numbers as names; made by `Store.beside`."""

    def __init__(self, store: Store) -> None:
        self._ranking: Ranking[None] = Ranking()
        for body in store.all(IDENTIFIER):
            self._ranking.put(None, ("", body["metadata"]["name"]))
        store.follow(IDENTIFIER, self._follow)

    def downwards(self) -> Iterator[str]:
        """The names of all, that of the highest number first."""
        return (name for _, name in reversed(self._ranking.of(None)))

    def _follow(self, change: Change) -> None:
        rank = "", change.key.name
        if change.before is None:
            self._ranking.put(None, rank)
        elif change.after is None:
            self._ranking.drop(None, rank)
