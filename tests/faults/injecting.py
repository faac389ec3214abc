# SPDX-License-Identifier: Apache-2.0
"""Faults with a name, and which requests they hit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, repeat
from random import Random
from typing import Any

from tests.support.fault_proxy import FOR_EVER, Fault, Seen
from tests.support.faults.fault import Frame, status_body

Chosen = Callable[[Seen], bool]
Answer = tuple[int, dict[str, str], str]


def writes(seen: Seen) -> bool:
    """Whether it would change something that counts; Events are told at best once."""
    return seen.writes and seen.resource != "events"


def reads(seen: Seen) -> bool:
    return not seen.writes and not seen.watch


def asked(seen: Seen) -> bool:
    """Whatever is answered at once."""
    return not seen.watch


@dataclass
class Injected:
    """A fault and its name; ``hits`` are the requests that met it."""

    name: str
    fault: Fault
    hits: list[Seen] = field(default_factory=list)

    @property
    def kinds(self) -> Counter[str]:
        """How often it met which kind of request: ``patch eservices/status``."""
        return Counter(seen.what for seen in self.hits)


def injected(name: str, chosen: Chosen, times: int = FOR_EVER, **what: Any) -> Injected:
    """The fault for each request that is ``chosen``, up to so many."""
    made = Injected(name, Fault(lambda _: False, times=times, **what))

    def match(seen: Seen) -> bool:
        hit = chosen(seen)
        if hit:
            made.hits.append(seen)
        return hit

    made.fault.match = match
    return made


def nth_of_each_kind(wanted: Chosen = writes, nth: int = 1) -> Chosen:
    """The first (or later) request of each kind."""
    counted: Counter[str] = Counter()

    def chosen(seen: Seen) -> bool:
        if not wanted(seen):
            return False
        counted[seen.what] += 1
        return counted[seen.what] == nth

    return chosen


def one_in(count: int, wanted: Chosen = writes) -> Chosen:
    """The first of ``count`` requests, and so on."""
    so_far = 0

    def chosen(seen: Seen) -> bool:
        nonlocal so_far
        if not wanted(seen):
            return False
        so_far += 1
        return so_far % count == 1

    return chosen


def one_event_in(count: int) -> Callable[[Seen, Frame], bool]:
    """The last of ``count`` events, whatever they are about, and so on."""
    so_far = 0

    def chosen(*_: object) -> bool:
        nonlocal so_far
        so_far += 1
        return so_far % count == 0

    return chosen


def in_turns(count: int, wanted: Chosen = writes) -> list[Chosen]:
    """As many choices as that: of the requests that are wanted the first is the first one's, and so on.

    All of them have to be used, in their order.
    """
    return _chosen_by(cycle(range(count)), count, wanted)


def by_lot(count: int, wanted: Chosen = writes) -> list[Chosen]:
    """As many choices, among which the same lots decide each time.

    In turns a request would fail for ever whose attempts keep step with the faults, as those of one key do.
    """
    lots = Random(count)  # noqa: S311 - the same each time
    return _chosen_by((lots.randrange(count) for _ in repeat(None)), count, wanted)


def _chosen_by(order: Iterator[int], count: int, wanted: Chosen) -> list[Chosen]:
    """They share the order, in which the first of them goes on."""
    turn = -1

    def choice(number: int) -> Chosen:
        def chosen(seen: Seen) -> bool:
            nonlocal turn
            if number == 0:
                turn = next(order) if wanted(seen) else -1
            return turn == number

        return chosen

    return [choice(number) for number in range(count)]


def refusal(code: int, reason: str, **headers: str) -> Answer:
    """An answer as the API server gives it when it does not do what was asked."""
    return code, {key.replace("_", "-"): value for key, value in headers.items()}, status_body(code, reason)
