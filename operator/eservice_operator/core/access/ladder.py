# SPDX-License-Identifier: Apache-2.0
"""R10: the steps by which people are warned of the last day of a grant or of a contract version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from eservice_operator.api.notices import EndingKind, Warned
from eservice_operator.core.access.terms import Times
from eservice_operator.core.dates import instant
from eservice_operator.core.decision_tidings import next_step, passed_step, warning_steps
from eservice_operator.core.tidings import Tiding

STEPS: Final = ("P6M", "P3M", "P1M", "P7D")
"""Before the last day."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Term:
    """A last day that is known, and as what people are told of it."""

    kind: EndingKind
    version: str
    day: date


@dataclass(frozen=True, slots=True)
class Climb:
    """How far the ladders have got now, and what there is to tell of it."""

    warned: tuple[Warned, ...]
    tidings: tuple[Tiding, ...]


def climb(
    terms: Iterable[Term], warned: Iterable[Warned], times: Times, said: frozenset[str] = frozenset()
) -> Climb:
    """The step of each ladder that has come since the last one; whoever begins late is told once.

    ``said`` are the contract versions of which the day is told now by something else.
    """
    before = {(one.kind, one.version, one.day): one for one in warned}
    kept, tidings = [], []
    for term in terms:
        known = before.get((term.kind, term.version, term.day))
        step = passed_step(_steps(term, times), _NEVER if known is None else known.at, times.now)
        if step is not None or term.version in said:
            known = Warned(kind=term.kind, version=term.version, day=term.day, at=times.now)
        if step is not None and term.version not in said:
            change = f"{term.version} {term.day} step {instant(step)}"
            tidings.append(Tiding(term.kind, change, term.day, about=term.version))
        if known is not None:
            kept.append(known)
    return Climb(tuple(kept), tuple(tidings))


def next_climb(terms: Iterable[Term], times: Times) -> datetime | None:
    """The next step to come of any ladder."""
    return min(_to_come(terms, times), default=None)


def _to_come(terms: Iterable[Term], times: Times) -> Iterator[datetime]:
    steps = (next_step(_steps(term, times), times.now) for term in terms)
    yield from (step for step in steps if step is not None)


def _steps(term: Term, times: Times) -> tuple[datetime, ...]:
    return warning_steps(term.day, STEPS, times.zone)
