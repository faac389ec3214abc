# SPDX-License-Identifier: Apache-2.0
"""Objects of one kind by age, in groups: who comes before whom is found without going through a group."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Generic, TypeVar

from eservice_operator.cluster.indexes import part
from eservice_operator.core.actions import Manifest

Rank = tuple[str, str]
"""Creation time and name, as `seniority.age` orders them.

The time is as the API server writes it, in UTC and whole seconds: so as text it is in the order of time.
"""

G = TypeVar("G")


def rank_of(body: Manifest) -> Rank:
    """Where an object stands among others in its namespace."""
    return str(part(body, "metadata", "creationTimestamp") or ""), body["metadata"]["name"]


class Ranking(Generic[G]):
    """The ranks in each group, in order; the names within a group are all different."""

    def __init__(self) -> None:
        self._ranks: dict[G, list[Rank]] = {}

    def put(self, group: G, rank: Rank) -> None:
        """It belongs to the group from now on."""
        insort(self._ranks.setdefault(group, []), rank)

    def drop(self, group: G, rank: Rank) -> None:
        """It belongs to the group no more."""
        ranks = self._ranks[group]
        del ranks[bisect_left(ranks, rank)]
        if not ranks:
            del self._ranks[group]

    def of(self, group: G) -> Sequence[Rank]:
        """All of a group, the oldest first."""
        return self._ranks.get(group, ())

    def before(self, group: G, rank: Rank) -> Sequence[Rank]:
        """The last that comes before a rank, which need not be there itself; at most one."""
        ranks = self.of(group)
        at = bisect_left(ranks, rank)
        return ranks[max(at - 1, 0) : at]

    def after(self, group: G, rank: Rank) -> Sequence[Rank]:
        """The first that comes after a rank; at most one."""
        ranks = self.of(group)
        at = bisect_right(ranks, rank)
        return ranks[at : at + 1]

    def within(self, group: G, after: Rank | None, last: Rank | None) -> Sequence[Rank]:
        """Those after one rank up to another, this one included; None: from the first, to the last."""
        ranks = self.of(group)
        begin = 0 if after is None else bisect_right(ranks, after)
        return ranks[begin : len(ranks) if last is None else bisect_right(ranks, last)]
