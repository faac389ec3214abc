# SPDX-License-Identifier: Apache-2.0
"""R8: the number of what counts for the brake of a template, kept right as its fleet changes.

On a bad day a thousand decisions are due in the same minute, and each asks whether there are too many. So
a fleet is counted once for an instant, and what changes in it is counted anew by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from eservice_operator.api.base import Environment
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.counting import FRESH, Counting, Part, PublicService, Subject, subject_of

PRODUCTION = Environment.PRODUCTION.value
Place = tuple[str, str]
"""What counts once: registration and environment."""


class Counted(NamedTuple):
    """One thing that the brake counts."""

    part: Part
    subject: Subject
    decision: UnpublishDecision | None = None


T = TypeVar("T", bound=Hashable)


class _Bag(Generic[T]):
    """What there is, and how often."""

    def __init__(self, things: Iterable[T] = ()) -> None:
        self._times = Counter(things)

    def put(self, thing: T, times: int) -> None:
        """It is there that many times more, or less."""
        self._times[thing] += times
        if not self._times[thing]:
            del self._times[thing]

    def count(self, thing: T) -> int:
        """How often it is there."""
        return self._times.get(thing, 0)

    def __contains__(self, thing: T) -> bool:
        return thing in self._times

    def __iter__(self) -> Iterator[T]:
        return iter(self._times)

    def __len__(self) -> int:
        return len(self._times)


class _Rest(Generic[T]):
    """What is in one bag and not in another: how much it is, however often things come and go."""

    def __init__(self, bag: Iterable[T], other: Iterable[T]) -> None:
        self.bag = _Bag(bag)
        self.other = _Bag(other)
        self.size = sum(thing not in self.other for thing in self.bag)

    def put(self, thing: T, times: int) -> None:
        self._move(self.bag, thing, times)

    def put_other(self, thing: T, times: int) -> None:
        self._move(self.other, thing, times)

    def _move(self, bag: _Bag[T], thing: T, times: int) -> None:
        self.size -= thing in self
        bag.put(thing, times)
        self.size += thing in self

    def __contains__(self, thing: T) -> bool:
        return thing in self.bag and thing not in self.other

    def __iter__(self) -> Iterator[T]:
        return (thing for thing in self.bag if thing not in self.other)


class Tally:
    """What the brake counts of one fleet at one instant.

    An e-service goes by any key of its own, a decision by its name.
    """

    def __init__(
        self,
        counting: Counting,
        services: Iterable[tuple[Hashable, PublicService]],
        decisions: Iterable[UnpublishDecision],
    ) -> None:
        self.counting = counting
        self._services = dict(services)
        self._counted: dict[str, Counted] = {}
        self._settling: dict[str, Subject] = {}
        for decision in decisions:
            self._keep(decision.metadata.name, decision)
        published = [one for one in self._services.values() if one.published]
        gone = (one.subject[0] for one in self._counted.values() if one.part is Part.GONE)
        wanted = (_subject(one) for one in published if counting.comes(one.version))
        self._of_part = Counter(one.part for one in self._counted.values())
        self._gone_not_served = _Rest(gone, (one.registration for one in published))
        self._coming = _Rest(wanted, self._settling.values())
        """Published on a version that comes, and no decision settles it."""
        self._places = _Bag(_place(one.subject) for one in self.counted())
        """Of all that counts, however much there is of one."""

    def _keep(self, name: str, decision: UnpublishDecision) -> None:
        part = self.counting.part(decision)
        if part is not None:
            self._counted[name] = Counted(part, subject_of(decision), decision)
        if self.counting.comes(decision.spec.release.template.version) and self.counting.settles(decision):
            self._settling[name] = subject_of(decision)

    def put_service(self, key: Hashable, service: PublicService | None) -> None:
        """An e-service as it is now; None when it is gone."""
        for one, times in ((self._services.pop(key, None), -1), (service, 1)):
            if one is not None and one.published:
                self._gone_not_served.put_other(one.registration, times)
                if self.counting.comes(one.version):
                    self._comes(_subject(one), times, self._coming.put)
        if service is not None:
            self._services[key] = service

    def put_decision(self, name: str, decision: UnpublishDecision | None) -> None:
        """A decision as it is now; None when it is gone."""
        self._note(name, -1)
        self._settling.pop(name, None)
        self._counted.pop(name, None)
        if decision is not None:
            self._keep(name, decision)
            self._note(name, 1)

    def _note(self, name: str, times: int) -> None:
        """A decision comes into the numbers, or goes out of them."""
        settled, counted = self._settling.get(name), self._counted.get(name)
        if settled is not None:
            self._comes(settled, times, self._coming.put_other)
        if counted is not None:
            self._of_part[counted.part] += times
            self._places.put(_place(counted.subject), times)
            if counted.part is Part.GONE:
                self._gone_not_served.put(counted.subject[0], times)

    def _comes(self, subject: Subject, times: int, put: Callable[[Subject, int], None]) -> None:
        """A subject is more or less published, or settled: so it may come to be one that counts, or cease."""
        before = subject in self._coming
        put(subject, times)
        changed = (subject in self._coming) - before
        if changed:
            self._places.put(_place(subject), changed)

    def engages(self, mine: UnpublishDecision | None = None) -> bool:
        """Whether too many take effect within the window; ``mine`` is one whose instant has come.

        The e-service of a registration counts once, whatever was decided of it: who can have many decisions
        made about one holds up nobody else's.
        """
        number = len(self._places)
        fresh = sum(self._of_part[part] for part in FRESH) + self._coming.size
        if mine is not None:
            known, now = self._counted.get(mine.metadata.name), self.counting.part(mine, mine=True)
            place = _place(subject_of(mine))
            others = self._places.count(place) - (known is not None)
            number += (others > 0 or now is not None) - (place in self._places)
            fresh += (now in FRESH) - (known is not None and known.part in FRESH)
        base = len(self._gone_not_served.other) + self._gone_not_served.size
        limit = self.counting.known.template.spec.lifecycle.brake
        return fresh > 0 and number > limit.at_least and number * 100 > limit.percent * base

    def counted(self) -> Iterator[Counted]:
        """Everything that counts: decisions first, then what is about to be decided, each subject once."""
        yield from self._counted.values()
        for subject in self._coming:
            yield Counted(Part.COMING, subject)


def _place(subject: Subject) -> Place:
    return subject[:2]


def _subject(service: PublicService) -> Subject:
    return service.registration, PRODUCTION, service.version
