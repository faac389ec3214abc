# SPDX-License-Identifier: Apache-2.0
"""The machine: Hypothesis picks who does what next, and the town has to stay what the rules make of it."""

from __future__ import annotations

from random import Random
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
LUCK = st.integers(0, 2**32 - 1)
REVERSIBLE = [
    one
    for one in hostile.EDITS
    if one.name in {"impossible", "tampered", "child_removed", "same_host_as_the_neighbour", "forged_status"}
]
"""What writing the e-service as it is meant undoes, or the operator undoes by itself."""
AS_BEFORE = next(one for one in valid.EDITS if one.name == "written_as_meant")


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

    def go(self, edit: Edit, luck: Random) -> None:
        """One edit; after a burst of them everything comes to rest."""
        self.do(edit, Scene(self.here, luck.choice(self.here.services), luck.randrange(60)))
        self._step()

    def do(self, edit: Edit, scene: Scene) -> None:
        hands = self.here.hands
        hands.note(f"# {edit.kind}: {edit.name}")
        refused = hands.refused
        if self.theatre.run(edit.do(scene)):
            self.theatre.transitions[edit.kind] += 1
        self.theatre.refused += hands.refused - refused

    def _step(self) -> None:
        self.steps += 1
        if self.steps % BURST == 0:
            self._rest()

    def _rest(self) -> None:
        self.here.hands.note("# until it rests")
        self.theatre.judge(self.here, self.theatre.rest(self.here))

    def luck(self, drawn: int) -> Random:
        """What picks the details of a step: even the simplest path of all does something else each time."""
        return Random(f"{drawn} {self.steps}")  # noqa: S311 - to be drawn again

    @rule(drawn=LUCK)
    def any_edit(self, drawn: int) -> None:
        """Each kind as often as any other, whatever there is to be done to it."""
        luck = self.luck(drawn)
        self.go(luck.choice(BY_KIND[luck.choice(KINDS)]), luck)

    @rule(drawn=LUCK)
    def edit_of_a_service(self, drawn: int) -> None:
        """The e-services are what most of it is about."""
        luck = self.luck(drawn)
        self.go(luck.choice(BY_KIND["EService"]), luck)

    @rule(drawn=LUCK)
    def edit_of_a_child(self, drawn: int) -> None:
        """And their children are what the operator has to mend."""
        luck = self.luck(drawn)
        self.go(luck.choice(BY_KIND["child"]), luck)

    @rule(drawn=LUCK)
    def everything_for_a_release(self, drawn: int) -> None:
        """It goes all its way: accepted, granted and verified."""
        for name in ("signed", "granted", "written_as_meant", "passed"):
            edit = next(one for one in valid.EDITS if one.name == name)
            self.go(edit, self.luck(drawn))

    @precondition(lambda self: self.steps % BURST == BURST - 1 and self.steps // DEATHS >= self.deaths)
    @rule(killed=st.booleans())
    def the_operator_dies(self, killed: bool) -> None:
        """In the middle of its work."""
        self.here.hands.note(f"# the operator is {'killed' if killed else 'stopped'} and started again")
        self.deaths += 1
        self.theatre.run(self.theatre.restart(killed=killed))
        self.theatre.transitions["the operator"] += 1
        self._step()

    @precondition(lambda self: self.steps % BURST == 0)
    @rule(drawn=LUCK)
    def the_opposite_of_an_edit(self, drawn: int) -> None:
        """An invalid or hostile edit, and its undoing, leave nothing behind."""
        luck = self.luck(drawn)
        town, which, number = self.here, luck.randrange(3), luck.randrange(60)
        scene = Scene(town, town.services[which], number)
        if self.theatre.run(town.hands.see(scene.course.planned.ref)) is None:
            return
        self.theatre.run(valid.write(town, scene.course))
        self._rest()
        before = self.theatre.run(normal_form(town))
        self.do(luck.choice(REVERSIBLE), scene)
        self._rest()
        self.do(AS_BEFORE, scene)
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
