# SPDX-License-Identifier: Apache-2.0
"""A cluster in memory with channels: letters are written as the operator would, and answered by the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from typing_extensions import override

from eservice_operator.api.notices import Channel, Notice, NoticeKind, NoticeState
from eservice_operator.core.decide import Decision
from eservice_operator.core.drafting import service_letters
from eservice_operator.core.facts import Facts
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.core.policy import Policy
from eservice_operator.core.world import World
from tests.support import worlds
from tests.support.pure_cluster import PureCluster

SINK = "events.agency.example"
BOTH = ((Channel.EMAIL, ""), (Channel.CLOUD_EVENTS, SINK))
Answer = Callable[[Letter, datetime], Delivery | None]


def sent(kind: NoticeKind, entered: datetime, due: date | None = None) -> Notice:
    """What a ledger says of a mail that was accepted at once."""
    return Notice(
        id=kind.value,
        kind=kind,
        channel=Channel.EMAIL,
        recipient="a@pmlp.example",
        state=NoticeState.SENT,
        entered=entered,
        at=entered,
        due=due,
    )


def accepts(_letter: Letter, now: datetime) -> Delivery | None:
    """A channel that takes everything."""
    return Delivery(accepted=True, at=now)


def refuses(_letter: Letter, now: datetime) -> Delivery | None:
    """A channel that is out of order."""
    return Delivery(accepted=False, at=now, error="450 later")


def is_silent(_letter: Letter, _now: datetime) -> Delivery | None:
    """A channel that never answers."""
    return None


@dataclass(repr=False)
class PostalCluster(PureCluster):
    """One e-service whose people are told by mail and by a sink."""

    policy: Policy = field(default_factory=lambda: replace(worlds.POLICY, channels=BOTH))
    channel: Answer = accepts
    sent: list[Letter] = field(default_factory=list)
    """Every letter handed over, the oldest first."""
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    """Ids of letters that were handed over and not answered."""

    @override
    def world(self) -> World:
        return replace(super().world(), deliveries=dict(self.deliveries), under_way=frozenset(self.under_way))

    @override
    def settle(self, now: datetime) -> Decision | None:
        """As without channels, and then every letter is handed over and its answer folded."""
        decision = super().settle(now)
        while decision is not None and self._hand_over(now):
            decision = super().settle(now)
        return decision

    def told_of(self) -> list[str]:
        """The kinds of notices handed over to the first contact by mail, in their order."""
        return [letter.kind.value for letter in self.sent if letter.recipient == "a@pmlp.example"]

    @override
    def forget(self) -> None:
        super().forget()
        self.sent.clear()

    def crash(self) -> None:
        """The operator dies: nothing is under way any more, and nobody knows what became of it."""
        self.under_way.clear()

    def _hand_over(self, now: datetime) -> bool:
        self.deliveries.clear()
        facts = Facts(self.world(), now, self.policy)
        for letter in service_letters(facts, self.status):
            self.sent.append(letter)
            answer = self.channel(letter, now)
            if answer is None:
                self.under_way.add(letter.id)
            else:
                self.under_way.discard(letter.id)
                self.deliveries[letter.id] = answer
        return bool(self.deliveries)


def postal() -> PostalCluster:
    """An e-service that is public on 3.0.0 and at rest; what led there is forgotten."""
    cluster = PostalCluster()
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    cluster.forget()
    return cluster
