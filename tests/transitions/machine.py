# SPDX-License-Identifier: Apache-2.0
"""The machine: Hypothesis picks who does what next, and the town has to stay what the rules make of it."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from typing_extensions import override

from tests.transitions import hostile, valid
from tests.transitions.normal_form import normal_form
from tests.transitions.theatre import Theatre
from tests.transitions.town import Town
from tests.transitions.valid import Edit, Scene

BURST = 5
"""Transitions between two rests: they come faster than the operator can follow."""
DEATHS = 25
"""Transitions for one death of the operator: a start takes it longer than all of a burst."""
KINDS = sorted({edit.kind for edit in (*valid.EDITS, *hostile.EDITS)})
BY_KIND = {kind: [e for e in (*valid.EDITS, *hostile.EDITS) if e.kind == kind] for kind in KINDS}
NUMBERS = st.integers(0, 59)
WHICH = st.integers(0, 2)
REVERSIBLE = (hostile.impossible, hostile.tampered, hostile.child_removed, hostile.same_host_as_the_neighbour)
"""What writing the e-service as it is meant undoes."""


class Transitions(RuleBasedStateMachine):
    """Random valid, invalid and hostile edits of every kind, and deaths of the operator among them."""

    theatre: ClassVar[Theatre]

    def __init__(self) -> None:
        super().__init__()
        self.town: Town | None = None
        self.steps = 0
        self.deaths = 0

    @property
    def here(self) -> Town:
        assert self.town is not None
        return self.town

    @initialize()
    def found(self) -> None:
        if self.theatre.failure is not None:
            raise self.theatre.failure  # Hypothesis would go the path again: it was told as it was
        self.town = self.theatre.run(self.theatre.found())

    def go(self, edit: Edit, which: int, number: int) -> None:
        """One edit; after a burst of them everything comes to rest."""
        town = self.here
        town.hands.note(f"# {edit.kind}: {edit.name}")
        refused = town.hands.refused
        if self.theatre.run(edit.do(Scene(town, town.services[which], number))):
            self.theatre.transitions[edit.kind] += 1
        self.theatre.refused += town.hands.refused - refused
        self._step()

    def _step(self) -> None:
        self.steps += 1
        if self.steps % BURST == 0:
            self._rest()

    def _rest(self) -> None:
        self.here.hands.note("# until it rests")
        self.theatre.judge(self.here, self.theatre.rest())

    @rule(kind=st.sampled_from(KINDS), pick=NUMBERS, which=WHICH, number=NUMBERS)
    def edited(self, kind: str, pick: int, which: int, number: int) -> None:
        """Each kind as often as any other, whatever there is to be done to it."""
        edits = BY_KIND[kind]
        self.go(edits[pick % len(edits)], which, number)

    @rule(which=WHICH, pick=NUMBERS, number=NUMBERS)
    def service_edited(self, which: int, pick: int, number: int) -> None:
        """The e-services are what most of it is about."""
        edits = BY_KIND["EService"]
        self.go(edits[pick % len(edits)], which, number)

    @rule(which=WHICH, pick=NUMBERS, number=NUMBERS)
    def child_edited(self, which: int, pick: int, number: int) -> None:
        edits = BY_KIND["child"]
        self.go(edits[pick % len(edits)], which, number)

    @rule(which=WHICH)
    def stood_by(self, which: int) -> None:
        """A release goes all its way: accepted, granted and verified."""
        for edit in (valid.signed, valid.granted, valid.written_as_meant, valid.passed):
            kind = next(one.kind for one in valid.EDITS if one.do is edit)
            self.go(Edit(kind, edit.__name__, edit), which, 2)

    @precondition(lambda self: self.steps % BURST == BURST - 1 and self.steps // DEATHS >= self.deaths)
    @rule(killed=st.booleans())
    def restarted(self, killed: bool) -> None:
        """In the middle of its work."""
        self.here.hands.note(f"# the operator is {'killed' if killed else 'stopped'} and started again")
        self.deaths += 1
        self.theatre.run(self.theatre.restart(killed=killed))
        self.theatre.transitions["the operator"] += 1
        self._step()

    @precondition(lambda self: self.steps % BURST == 0)
    @rule(what=st.sampled_from(range(len(REVERSIBLE))), which=WHICH, number=NUMBERS)
    def done_and_undone(self, what: int, which: int, number: int) -> None:
        """An invalid or hostile edit, and its undoing, leave nothing behind."""
        town, course = self.here, self.here.services[which]
        if self.theatre.run(town.hands.see(course.planned.ref)) is None:
            return
        self.theatre.run(valid.write(town, course))
        self._rest()
        before = self.theatre.run(normal_form(town))
        self.go(Edit("EService", REVERSIBLE[what].__name__, REVERSIBLE[what]), which, number)
        self._rest()
        self.go(Edit("EService", "as before", valid.written_as_meant), which, number)
        self.theatre.judge(town, self.theatre.rolls_back(town, before))

    @override
    def teardown(self) -> None:
        """Whatever the path was: it ends where a start without a history ends."""
        if self.town is None:
            return
        theatre = self.theatre
        try:
            if theatre.failure is None:
                theatre.judge(self.town, theatre.forgets_nothing_it_needs(self.town))
                theatre.judge(self.town, theatre.ends_like_a_fresh_start(self.town))
        finally:
            theatre.run(theatre.leave(self.town))
