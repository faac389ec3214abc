# SPDX-License-Identifier: Apache-2.0
"""One e-service's route as it is asked about: what is known of its hosts, and how far the questions are."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from eservice_operator.core.sightings import Known, Question, Witnessed, fits

PAUSES: Final = (0.2, 0.3, 0.5, 1.0, 3.0, 5.0, 10.0, 10.0)
"""Seconds from one question to the next while a host does not show what its route does; then longer."""
SECOND_LOOK: Final = 2.0
"""Seconds after which a first good answer, or a first bad one, is looked at again: not all of a gateway
follows at once, and one odd answer is no news."""
JITTER: Final = 0.1
"""The part of an interval by which questions at rest are early or late."""


@dataclass(slots=True)
class Host:
    """One host of a route."""

    since: datetime
    """Since when it is asked about the face that the route has."""
    known: Known | None = None
    heard: bool = False
    """Whether it has answered about this very route."""
    step: int = 0
    """How many questions in a row did not bring what the route shows."""
    confirmed: bool = False
    """Whether a good answer was looked at a second time."""


@dataclass(slots=True, eq=False)
class Entry:
    """The hosts of a route."""

    question: Question
    since: datetime
    """Since when the face is asked about."""
    generation: int
    """That of the route which was last answered about."""
    began: float | None
    """The monotonic instant at which the change of its face was decided; none once that was seen."""
    hosts: dict[str, Host] = field(default_factory=dict)

    def rests(self, host: str) -> bool:
        """Whether a host shows what the route shows, and nothing speaks against it."""
        known, asked = self.hosts[host].known, self.question
        if known is None or known.doubt is not None:
            return False
        return fits(known.sighting.answered, asked.face, marked=asked.marked)

    def all_rest(self) -> bool:
        """Whether every host does."""
        return all(self.rests(host) for host in self.hosts)

    def seen(self) -> Witnessed:
        """What is known of the hosts."""
        known = {host: state.known.sighting for host, state in self.hosts.items() if state.known is not None}
        later = {host: state.since for host, state in self.hosts.items() if state.since > self.since}
        return Witnessed(self.question.face, self.generation, self.since, known, later)

    def pause(self, host: str, interval: float) -> float:
        """Seconds until the next question, after an answer; ``interval`` is that of questions at rest."""
        state = self.hosts[host]
        if not self.rests(host):
            doubted = state.known is not None and state.known.doubt is not None
            state.confirmed, state.step = False, state.step + 1
            pause = SECOND_LOOK if doubted else _ladder(state.step - 1)
            return min(pause, interval)
        state.step = 0
        if not state.confirmed:
            state.confirmed = True
            return min(SECOND_LOOK, interval)
        return interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter


def entry_of(
    question: Question, old: Entry | None, recalled: Witnessed | None, began: float | None, now: datetime
) -> tuple[Entry, bool]:
    """The entry for a question, and whether it only goes on with what an earlier process asked.

    ``old`` is what is asked about now, ``recalled`` what the earlier process saw, ``began`` when the change
    of face was decided (monotonic). For a face that stays the patience goes on, whatever else of the route
    changes: its title is part of a notice route. A host that comes on has a patience of its own.
    """
    before = recalled if old is None else old.seen()
    if before is None or before.face is not question.face:
        hosts = {host: Host(now) for host in question.hosts}
        return Entry(question, now, question.generation, began, hosts), False
    resumed = old is None and before.generation == question.generation
    entry = Entry(question, before.since, before.generation, began if old is None else old.began)
    had = before.hosts if old is None else old.hosts
    for host in question.hosts:
        sighting = before.hosts.get(host)
        known = None if sighting is None else Known(sighting)
        entry.hosts[host] = Host(before.began(host) if host in had else now, known, confirmed=resumed)
    return entry, resumed


def _ladder(step: int) -> float:
    """The pause after so many answers in a row that do not fit."""
    last = len(PAUSES) - 1
    return PAUSES[step] if step <= last else PAUSES[last] * 2.0 ** min(step - last, 16)
