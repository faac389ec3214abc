# SPDX-License-Identifier: Apache-2.0
"""Several candidates, one lease, requests and answers that take their time or get lost: never two leaders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from eservice_operator.cluster.lease import Candidate, Move, Terms, ref_of_lease

WHERE = ref_of_lease("eservice-system", "eservice-operator")
TERMS = Terms(duration=15, renew_deadline=10, retry=2)
WALL = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MANY = 3
WHO = st.integers(0, MANY - 1)


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
class Asked:
    """A request on its way: ``document`` is written, or the lease is read."""

    document: dict[str, Any] | None
    creates: bool
    sent: float
    arrived: bool = False
    answer: dict[str, Any] | None = None


@dataclass
class Player:
    """An operator; ``rate`` is how fast its clock runs, ``busy_until`` when its last write is over at the latest."""

    candidate: Candidate
    rate: float
    offset: float
    asked: Asked | None = None
    busy_until: float = 0.0

    def clock(self, now: float) -> float:
        return self.offset + now * self.rate


@dataclass
class Ghosts:
    """Requests that nobody waits for any more, and that the server may still carry out."""

    left: list[Asked] = field(default_factory=list)


class Election(RuleBasedStateMachine):
    """``now`` is the true time. At each instant of it whoever has time left may begin a write."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.ghosts = Ghosts()
        self.now = 0.0
        self.lives = 0
        self.players: list[Player] = []

    @initialize(
        offsets=st.lists(st.floats(0, 1e6), min_size=MANY, max_size=MANY),
        drift=st.lists(st.floats(0.9, 1.1), min_size=MANY, max_size=MANY),
        exact=st.booleans(),
    )
    def begin(self, offsets: list[float], drift: list[float], exact: bool) -> None:  # noqa: FBT001
        self.exact = exact
        self.players = [
            Player(self._born(), 1.0 if exact else rate, offset)
            for offset, rate in zip(offsets, drift, strict=True)
        ]

    def _born(self) -> Candidate:
        self.lives += 1
        return Candidate(f"life-{self.lives}", TERMS)

    @rule(seconds=st.sampled_from([0.01, 0.5, 1.0, 2.0, 4.9, 5.0, 9.9, 10.0, 14.9, 15.0, 15.1, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=WHO)
    def a_move_is_made(self, who: int) -> None:
        player = self.players[who]
        if player.asked is not None:
            return
        one, clock = player.candidate, player.clock(self.now)
        match one.move(clock):
            case Move.LOOK:
                player.asked = Asked(None, creates=False, sent=clock)
            case Move.CREATE | Move.UPDATE as move:
                wall = WALL + timedelta(seconds=self.now)
                document = one.next_version(WHERE, wall)
                player.asked = Asked(document, move is Move.CREATE, clock)
            case Move.WAIT:
                one.doubt()  # the next turn begins with a look
            case Move.LEAVE if self.server.lease is not None:
                player.candidate = self._born()
            case Move.LEAVE:
                pass  # see below

    @rule(who=WHO)
    def a_request_arrives(self, who: int) -> None:
        asked = self.players[who].asked
        if asked is not None and not asked.arrived:
            self._carry_out(asked)

    @rule(who=WHO)
    def an_answer_comes(self, who: int) -> None:
        player = self.players[who]
        asked = player.asked
        if asked is None or not asked.arrived:
            return
        player.asked = None
        if asked.document is None:
            player.candidate.seen(asked.answer, player.clock(self.now))
        elif asked.answer is None:
            player.candidate.doubt()
        else:
            player.candidate.held(asked.answer, asked.sent)

    @rule(who=WHO)
    def nobody_waits_any_longer(self, who: int) -> None:
        player = self.players[who]
        if player.asked is not None:
            if not player.asked.arrived:
                self.ghosts.left.append(player.asked)
            player.asked = None
            player.candidate.doubt()

    @precondition(lambda self: self.ghosts.left)
    @rule()
    def a_late_request_is_carried_out(self) -> None:
        self._carry_out(self.ghosts.left.pop(0))

    @precondition(lambda self: self.server.lease is not None)
    @rule(who=WHO)
    def one_is_killed_and_started_again(self, who: int) -> None:
        player = self.players[who]
        if player.asked is not None and not player.asked.arrived:
            self.ghosts.left.append(player.asked)
        player.asked, player.candidate, player.busy_until = None, self._born(), self.now

    @precondition(lambda self: self.server.lease is not None)
    @rule(who=WHO)
    def one_gives_it_back(self, who: int) -> None:
        player = self.players[who]
        if player.asked is not None or not player.candidate.holding:
            return
        document = player.candidate.next_version(WHERE, WALL + timedelta(seconds=self.now), released=True)
        player.candidate.resign()
        player.busy_until = self.now  # what it was writing is done by then, or cut off
        self.ghosts.left.append(Asked(document, creates=False, sent=0))
        player.candidate = self._born()

    @rule()
    def somebody_labels_it(self) -> None:
        if self.server.lease is not None:
            self.server.update(self.server.lease)

    @precondition(
        lambda self: self.server.lease is not None
        and all(one.candidate.lease is not None for one in self.players)
    )
    @rule()
    def somebody_deletes_it_that_all_have_seen(self) -> None:
        """Who has never seen it takes it at once, as on the first day: nobody is born while it is not there."""
        self.server.lease = None

    def _carry_out(self, asked: Asked) -> None:
        asked.arrived = True
        if asked.document is None:
            asked.answer = self.server.lease
        else:
            do = self.server.create if asked.creates else self.server.update
            asked.answer = do(asked.document)

    @invariant()
    def one_leads_at_most(self) -> None:
        left = [one.candidate.time_left(one.clock(self.now)) / one.rate for one in self.players]
        leading = [number for number, seconds in enumerate(left) if seconds > 0]
        assert len(leading) <= 1, leading
        for number in leading:
            self.players[number].busy_until = max(self.players[number].busy_until, self.now + left[number])
            others = [one for one in self.players if one is not self.players[number]]
            if self.exact:
                assert all(other.busy_until <= self.now for other in others), "writes of two at once"


Election.TestCase.settings = settings(max_examples=300, stateful_step_count=60)
TestElection = Election.TestCase
