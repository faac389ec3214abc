# SPDX-License-Identifier: Apache-2.0
"""Which of several ProductionVerifications of a release is the newest (R6).

A verifier may write as many as they like: neither a look at one nor the question whom it concerns goes
through all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eservice_operator.api.acts import ProductionVerification
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ranking import Ranking, rank_of
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.releases import digest_of

KIND = ProductionVerification.__name__


class Verification(NamedTuple):
    """What those are alike in of which the newest counts: the e-service, and the release."""

    namespace: str
    service: str
    digest: str
    template: str
    version: str


def subject_of(body: Manifest) -> Verification:
    """What a verification speaks of; nonsense of one that cannot be read."""
    spec = body.get("spec") or {}
    template = part(spec, "template", "name"), part(spec, "template", "version")
    named = (spec.get("eService"), digest_of(str(spec.get("image"))), *template)
    return Verification(str(part(body, "metadata", "namespace")), *map(str, named))


class Verified:
    """Follows the verifications of a store; made by `Store.beside`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ranking: Ranking[Verification] = Ranking()
        for body in store.all(KIND):
            self._ranking.put(subject_of(body), rank_of(body))
        store.follow(KIND, self._follow)

    def newer(self, body: Manifest) -> Iterator[ObjectKey]:
        """Those of the same that are newer, the newest first."""
        subject, rank = subject_of(body), rank_of(body)
        for one in reversed(self._ranking.of(subject)):
            if one <= rank:
                return
            yield ObjectKey(KIND, subject.namespace, one[1])

    def next_to(self, body: Manifest) -> Iterator[ObjectKey]:
        """If none is newer, the newest that is older: it counts until this comes, and once it is gone."""
        subject, rank = subject_of(body), rank_of(body)
        for one in reversed(self._ranking.of(subject)):
            key = ObjectKey(KIND, subject.namespace, one[1])
            if one < rank:
                yield key
            if one != rank and self._is_readable(key):
                return

    def _is_readable(self, key: ObjectKey) -> bool:
        body = self._store.get(*key)
        return body is not None and not isinstance(parse(KIND, body), InvalidObject)

    def _follow(self, change: Change) -> None:
        was, now = (
            None if body is None else (subject_of(body), rank_of(body))
            for body in (change.before, change.after)
        )
        if was == now:
            return
        if was is not None:
            self._ranking.drop(*was)
        if now is not None:
            self._ranking.put(*now)
