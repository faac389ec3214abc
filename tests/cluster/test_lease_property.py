# SPDX-License-Identifier: Apache-2.0
"""Several candidates, one lease, requests and answers that take their time or get lost: never two leaders."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.cluster.lease import Candidate, Move, Terms, ref_of_lease
from tests.support.figures import Figures

WHERE = ref_of_lease("eservice-system", "eservice-operator")
TERMS = Terms(duration=15, renew_deadline=10, retry=2)
WALL = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MANY = 3
LASTS = 400.0
"""Seconds of one election."""
STEPS = 4


@dataclass
class Server:
    """The lease as the API server has it: each write has to be of the version that is there."""

    lease: dict[str, Any] | None = None
    version: int = 0

    def create(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """What is stored; None: there is one."""
        return self._store(document) if self.lease is None else None

    def update(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """What is stored; None: it was another version, or is gone."""
        if self.lease is None:
            return None
        mine, there = (one["metadata"].get("resourceVersion") for one in (document, self.lease))
        return self._store(document) if mine == there else None

    def _store(self, document: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.version)}
        self.lease = {**document, "metadata": metadata}
        return self.lease


@dataclass
class Troubles:
    """How likely each is, at each occasion."""

    slow: float
    """A request, or its answer, takes long."""
    lost: float
    stopped: float
    """An operator stands still before it goes on with whatever comes next."""
    killed: float
    released: float
    deleted: float
    labelled: float


@dataclass(eq=False)
class Player:
    """An operator; its clock runs at ``rate``. ``busy_until``: when its writes end at the latest."""

    candidate: Candidate
    rate: float
    offset: float
    life: int = 0
    busy_until: float = 0.0

    def clock(self, now: float) -> float:
        return self.offset + now * self.rate

    def left(self, now: float) -> float:
        """Seconds of the true time for which a write that it begins may last."""
        return self.candidate.time_left(self.clock(now)) / self.rate


class Election:
    """``now`` is the true time, and what happens next is drawn. Whoever has time left may write."""

    def __init__(self, chance: random.Random, troubles: Troubles, rates: list[float]) -> None:
        self.chance, self.troubles = chance, troubles
        self.exact = set(rates) == {1.0}
        self.server = Server()
        self.now = 0.0
        self.reigns = 0
        self.left_alone = 0
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._lives = count(1)
        self.players = [Player(self._born(), rate, chance.uniform(0, 1e6)) for rate in rates]

    def run(self) -> None:
        for player in self.players:
            self._begin(player)
        while self._due and self.now < LASTS:
            self.now, _, event = heapq.heappop(self._due)
            event()
            self._check()
            self._meddle()

    def _born(self) -> Candidate:
        return Candidate(f"life-{next(self._lives)}", TERMS)

    def _likely(self, chance: float) -> bool:
        return self.chance.random() < chance

    def _after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._order), event))

    def _soon(self, player: Player, seconds: float, event: Callable[[], None]) -> None:
        """Something that a player does, unless it is killed before; or later, because it is stopped."""
        life = player.life
        stopped = self.chance.uniform(0, 40) if self._likely(self.troubles.stopped) else 0.0
        self._after(seconds + stopped, lambda: event() if player.life == life else None)

    def _begin(self, player: Player) -> None:
        self._soon(player, self.chance.uniform(0, 2), lambda: self._turn(player))

    def _turn(self, player: Player) -> None:
        if self._likely(self.troubles.killed):
            return self._again(player)
        if self._likely(self.troubles.released) and player.candidate.holding:
            return self._release(player)
        if not player.candidate.holding:
            player.candidate.doubt()
        return self._move(player, STEPS)

    def _next(self, player: Player) -> None:
        self._soon(player, TERMS.retry * self.chance.uniform(0.5, 1), lambda: self._turn(player))

    def _again(self, player: Player) -> None:
        """Killed, and started again. Nobody is born while the lease is not there, see `_meddle`."""
        if self.server.lease is None and self.reigns:
            return self._next(player)
        player.life += 1
        player.candidate, player.busy_until = self._born(), min(player.busy_until, self.now)
        return self._begin(player)

    def _release(self, player: Player) -> None:
        wall = WALL + timedelta(seconds=self.now)
        document = player.candidate.next_version(WHERE, wall, released=True)
        player.candidate.resign()
        player.busy_until = self.now  # what it was writing is done, or cut off
        self._after(self._delay(), lambda: self._given_back(document))
        self._again(player)

    def _given_back(self, document: dict[str, Any]) -> None:
        self._stored(document, creates=False)

    def _move(self, player: Player, steps: int) -> None:
        clock = player.clock(self.now)
        match player.candidate.move(clock):
            case _ if steps == 0:
                self._next(player)
            case Move.WAIT:
                self._next(player)
            case Move.LEAVE:
                self.left_alone += 1
                self._again(player)
            case Move.LOOK:
                self._ask(player, lambda: self.server.lease, lambda found: self._saw(player, found, steps))
            case Move.CREATE | Move.UPDATE as move:
                document = player.candidate.next_version(WHERE, WALL + timedelta(seconds=self.now))
                self._ask(
                    player,
                    lambda: self._stored(document, creates=move is Move.CREATE),
                    lambda stored: self._wrote(player, stored, clock, steps),
                )

    def _stored(self, document: dict[str, Any], *, creates: bool) -> dict[str, Any] | None:
        return self.server.create(document) if creates else self.server.update(document)

    def _delay(self) -> float:
        return self.chance.uniform(0, 30) if self._likely(self.troubles.slow) else self.chance.uniform(0, 0.2)

    def _ask(
        self,
        player: Player,
        carry_out: Callable[[], dict[str, Any] | None],
        told: Callable[[dict[str, Any] | None], None],
    ) -> None:
        """The server carries it out whether or not anybody still waits; after a while nobody does."""
        there, back = self._delay(), self._delay()
        answered = there + back
        in_time = answered < TERMS.request_timeout and not self._likely(self.troubles.lost)

        def arrive() -> None:
            found = carry_out()
            if in_time:
                self._soon(player, back, lambda: told(found))

        if in_time or not self._likely(self.troubles.lost):
            self._after(there, arrive)
        if not in_time:
            self._soon(player, TERMS.request_timeout, lambda: self._unanswered(player))

    def _unanswered(self, player: Player) -> None:
        player.candidate.doubt()
        self._next(player)

    def _saw(self, player: Player, found: dict[str, Any] | None, steps: int) -> None:
        player.candidate.seen(found, player.clock(self.now))
        self._move(player, steps - 1)

    def _wrote(self, player: Player, stored: dict[str, Any] | None, sent: float, steps: int) -> None:
        if stored is None:
            player.candidate.doubt()
            return self._move(player, steps - 1)
        self.reigns += not player.candidate.holding
        player.candidate.held(stored, sent)
        return self._next(player)

    def _meddle(self) -> None:
        """People: one labels the lease, one deletes it once everybody has seen it.

        Who has never seen it would take it at once, as on the first day, and the two would lead for a moment.
        """
        lease = self.server.lease
        if lease is not None and self._likely(self.troubles.labelled):
            self.server.update(lease)
        seen = all(player.candidate.lease is not None for player in self.players)
        if lease is not None and seen and self._likely(self.troubles.deleted):
            self.server.lease = None

    def _check(self) -> None:
        left = [player.left(self.now) for player in self.players]
        assert sum(seconds > 0 for seconds in left) <= 1, f"two lead at {self.now}: {left}"
        for player, seconds in zip(self.players, left, strict=True):
            if seconds <= 0:
                continue
            player.busy_until = max(player.busy_until, self.now + seconds)
            if self.exact:
                late = [one.busy_until - self.now for one in self.players if one is not player]
                assert max(late) <= 1e-6, f"another's write may be under way for {max(late)} s"


often = st.sampled_from([0.0, 0.02, 0.1, 0.3])
seldom = st.sampled_from([0.0, 0.005, 0.03])
troubles = st.builds(
    Troubles,
    slow=often,
    lost=often,
    stopped=often,
    killed=seldom,
    released=seldom,
    deleted=seldom,
    labelled=seldom,
)
rates = st.just([1.0] * MANY) | st.lists(st.floats(0.9, 1.1), min_size=MANY, max_size=MANY)


@given(st.integers(0, 2**32), troubles, rates)
@settings(max_examples=400)
def test_there_are_never_two_leaders(seed: int, given: Troubles, rates: list[float]) -> None:
    Election(random.Random(seed), given, rates).run()  # noqa: S311


@pytest.mark.parametrize("seed", range(20))
def test_without_trouble_the_first_leads_for_ever(seed: int) -> None:
    quiet = Election(random.Random(seed), Troubles(0, 0, 0, 0, 0, 0, 0), [1.0] * MANY)  # noqa: S311
    quiet.run()
    assert (quiet.reigns, quiet.left_alone) == (1, 0)


def test_the_elections_change_hands_as_often_as_they_should(figures: Figures) -> None:
    """Else the first test would prove nothing."""
    reigns = left = 0
    for seed in range(100):
        troubled = Troubles(0.1, 0.1, 0.1, 0.02, 0.02, 0.005, 0.01)
        election = Election(random.Random(seed), troubled, [1.0] * MANY)  # noqa: S311
        election.run()
        reigns, left = reigns + election.reigns, left + election.left_alone
    assert reigns > 500
    assert left > 100
    figures.add("100 drawn elections", f"{reigns} reigns, {left} leaders that left by themselves")
